"""manage.py rerate: rate events again with today's ledger, after a look at the difference."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from finops import ledger, operations, rating_previews
from finops.formats import money_exact
from finops.management.following import follow
from finops.periods import InvalidQuery, absolute_period
from finops.pricing.lines import PriceLine
from finops.rating_changes import Change, Rerating
from finops.reporting_currency import CurrencyChanged
from finops.rollups import ZoneChanged
from ingest.rating import Rate


class Command(BaseCommand):
    help = (
        "Rate the events of a period again with the price ledger as it is now and print the "
        "difference. Changes nothing without --apply. Runs a day at a time beside live traffic; "
        "stopped, it goes on in the worker or when the same is asked for again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--start", required=True, help="date or RFC 3339 instant, inclusive")
        parser.add_argument("--end", required=True, help="date or RFC 3339 instant, exclusive")
        parser.add_argument("--apply", action="store_true", help="write the difference")
        parser.add_argument("--only-unpriced", action="store_true")
        parser.add_argument("--reason", default="")

    def handle(
        self,
        *,
        start: str,
        end: str,
        apply: bool,
        only_unpriced: bool,
        reason: str,
        **options: object,
    ) -> None:
        zone = settings.REPORTING_ZONE
        try:
            period = absolute_period(start, end, now=timezone.now(), zone=zone)
        except InvalidQuery as problem:
            raise CommandError(str(problem)) from None
        if not apply:
            found = rating_previews.preview(
                period.start, period.end, zone, only_unpriced=only_unpriced
            )
            self._print(found, only_unpriced)
            if not found.total.changed:
                return
            self.stdout.write("Nothing was written. Run again with --apply to write it.")
            return
        try:
            operation = operations.ask_rerate(
                period.start,
                period.end,
                zone,
                now=timezone.now(),
                by=getpass.getuser(),
                only_unpriced=only_unpriced,
                reason=reason,
                program="manage.py rerate",
            )
        except (ZoneChanged, CurrencyChanged) as problem:
            raise CommandError(str(problem)) from None
        done = Rerating.of(follow(operation, self.stderr).result)
        self._print(done, only_unpriced)
        if done.total.changed:
            self.stdout.write("Written, with the rollups of the days that changed.")

    def _print(self, rerated: Rerating, only_unpriced: bool) -> None:
        if rerated.total.changed:
            self._table(rerated)
        else:
            self.stdout.write(_why_nothing_changes(rerated.total, only_unpriced))
        if remaining := rerated.total.unpriced_after:
            self.stdout.write(
                f"{remaining:,} events stay unpriced: no line of the ledger is for them. "
                "`manage.py add_price` adds one."
            )
        if rerated.skipped:
            self.stdout.write(
                f"{rerated.skipped:,} priced events are skipped and keep their price: their "
                "provider, model or fleet is (overflow)."
            )

    def _table(self, rerated: Rerating) -> None:
        """What changes, by model and by the lines rated with, largest difference first."""
        models, rates = _changed(rerated.by_model), _changed(rerated.by_rate)
        lines = ledger.lines_by_id(
            {pk for rate, _ in rates for pk in (rate or ())[:2] if pk is not None}
        )
        self.stdout.write(HEADER)
        for (provider, model), change in models:
            self._row(f"{provider}/{model}", change)
        self.stdout.write("by price line:")
        for rate, change in rates:
            self._row(_describe(rate, lines), change)
        self._row("all events", rerated.total)
        total = rerated.total
        self.stdout.write(
            f"{total.changed:,} events change, {total.examined - total.changed:,} do not. "
            f"Not listed, as nothing of them changes: {len(rerated.by_model) - len(models):,} "
            f"models, {len(rerated.by_rate) - len(rates):,} price lines."
        )

    def _row(self, label: str, change: Change) -> None:
        self.stdout.write(
            f"{label:<60} {change.examined:>10} {change.changed:>10} "
            f"{money_exact(change.cost_before, ''):>24} {money_exact(change.cost_after, ''):>24} "
            f"{money_exact(change.difference, ''):>24} "
            f"{change.unpriced_before:>9} {change.unpriced_after:>9}"
        )


HEADER = (
    f"{'':<60} {'events':>10} {'changed':>10} {'cost before':>24} {'cost after':>24} "
    f"{'difference':>24} {'unpriced':>9} {'then':>9}"
)


Key = TypeVar("Key")


def _changed(changes: Mapping[Key, Change]) -> list[tuple[Key, Change]]:
    found = [(key, change) for key, change in changes.items() if change.changed]
    return sorted(found, key=lambda item: abs(item[1].difference), reverse=True)


def _why_nothing_changes(total: Change, only_unpriced: bool) -> str:
    if total.examined == 0 and only_unpriced:
        return "Nothing changes: there are no unpriced events between --start and --end."
    if total.examined == 0:
        return "Nothing changes: there are no events between --start and --end."
    return (
        f"Nothing changes: all {total.examined:,} events are rated as the ledger says now. A line "
        "changes only events that its patterns match, from its effective_from until its "
        "effective_to, and for which no other line wins."
    )


def _describe(rate: Rate | None, lines: dict[int, PriceLine]) -> str:
    if rate is None:
        return "no price"
    text = f"#{rate.price_id} {lines[rate.price_id].describe()}"
    if rate.contract_price_id is not None:
        contract = lines[rate.contract_price_id]
        text += f" with #{contract.id} {contract.describe()}"
    return text
