"""Make rollups again from the events."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from finops import audit, rebuilds, rollup_checks, rollups
from finops.periods import InvalidQuery, parse_instant

REFUSALS = (rollups.ZoneChanged, rebuilds.ZoneKept, rebuilds.EventsDropped, InvalidQuery)
BUSY_SECONDS = 0.2
PROGRAM = "manage.py rebuild_rollups"


class Command(BaseCommand):
    help = (
        "Make the rollups of [--start, --end) again from the events, day by day; run it again to "
        "go on where it stopped. Without either, of everything; and if the reporting time zone has "
        "changed, fold every event anew in the new one."
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
        try:
            if not (options["start"] or options["end"]) and rollups.zone_differs(zone):
                with transaction.atomic():
                    audit.record("rollups.rebuild", f"all, in {zone.key}", at=now, by=PROGRAM)
                    rebuilds.forget_all(now, zone)
                self.fold_anew()
                return
            span = rebuilds.held_span()
            start, end = (
                parse_instant(name, options[name], zone) if options[name] else bound
                for name, bound in zip(("start", "end"), span or (now, now), strict=True)
            )
            if start >= end and (options["start"] or options["end"]):
                raise CommandError(f"Nothing lies from {start} until {end}: write a later end.")
            self.rebuild(start, end, trust_events=options["trust_events"])
        except REFUSALS as error:
            raise CommandError(str(error)) from error

    def rebuild(self, start: datetime, end: datetime, *, trust_events: bool) -> None:
        """The log says how far it came, however it ends."""
        zone = settings.REPORTING_ZONE
        differing = rollup_checks.differing_days()
        rebuilt: list[str] = []
        try:
            for day in rebuilds.rebuild(start, end, zone, trust_events=trust_events):
                rebuilt.append(day.isoformat())
                self.stdout.write(f"{day} rebuilt")
                if day in differing:
                    # The alarm ends here, not in the night to come.
                    rollup_checks.check_day(day, zone)
        finally:
            if rebuilt:
                days = f"{rebuilt[0]} to {rebuilt[-1]}, {len(rebuilt)} days"
                after = {"trust_events": True} if trust_events else {}
                audit.record("rollups.rebuild", days, at=timezone.now(), by=PROGRAM, after=after)

    def fold_anew(self) -> None:
        """Fold until nothing is pending, waiting for a worker that folds at the same time."""
        zone = settings.REPORTING_ZONE
        events = 0
        while True:
            report = rollups.fold_pending(timezone.now(), zone)
            events += report.events
            if not report.busy:
                break
            time.sleep(BUSY_SECONDS)
        self.stdout.write(f"{events:,} events folded in {zone.key}")
