"""Make rollups again from the events."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from finops import audit, operations, rebuilds, rollups
from finops.management.following import follow
from finops.models import Operation
from finops.periods import InvalidQuery, local_day, parse_instant
from finops.reporting_currency import CurrencyChanged

REFUSALS = (
    *(rollups.ZoneChanged, rebuilds.ZoneKept, rebuilds.EventsDropped, rebuilds.InUse),
    *(InvalidQuery, CurrencyChanged),
)
PROGRAM = "manage.py rebuild_rollups"


class Command(BaseCommand):
    help = (
        "Make the rollups of [--start, --end) again from the events, day by day, beside live "
        "traffic. Stopped, it goes on in the worker or when the same is asked for again. Without "
        "either, of everything; and if the reporting time zone has changed, fold every event anew "
        "in the new one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--start", help="first day, or RFC 3339 instant")
        parser.add_argument("--end", help="first day not included, or RFC 3339 instant")
        parser.add_argument(
            "--trust-events",
            action="store_true",
            help="also where the rollups count more than there are events, none of them dropped",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now, zone = timezone.now(), settings.REPORTING_ZONE
        self.told = 0
        try:
            if not (options["start"] or options["end"]) and rollups.zone_differs(zone):
                self.fold_anew()
                return
            span = rebuilds.held_span()
            start, end = (
                parse_instant(name, options[name], zone) if options[name] else bound
                for name, bound in zip(("start", "end"), span or (now, now), strict=True)
            )
            if start >= end and (options["start"] or options["end"]):
                raise CommandError(f"Nothing lies from {start} until {end}: write a later end.")
            operation = operations.ask_rebuild(
                start,
                end,
                zone,
                now=now,
                by=getpass.getuser(),
                trust_events=options["trust_events"],
                is_whole=not (options["start"] or options["end"]),
                program=PROGRAM,
            )
        except REFUSALS as error:
            raise CommandError(str(error)) from error
        follow(operation, self.stderr, self.tell)

    def tell(self, operation: Operation) -> None:
        """A line for each day that is rebuilt."""
        zone = settings.REPORTING_ZONE
        if operation.start is None:
            return
        first = local_day(operation.start, zone)
        for day in range(self.told, operation.done):
            self.stdout.write(f"{first + timedelta(days=day)} rebuilt")
        self.told = operation.done

    def fold_anew(self) -> None:
        """Fold until nothing is pending, beside the worker that folds at the same time."""
        zone = settings.REPORTING_ZONE
        with transaction.atomic():
            now = timezone.now()
            operation = operations.ask_refold(zone, now=now, by=getpass.getuser())
            audit.record("rollups.rebuild", f"all, in {zone.key}", at=now, by=PROGRAM)
        done = follow(operation, self.stderr)
        self.stdout.write(f"{done.total:,} events folded in {zone.key}")
