"""manage.py rerate: rate events again with today's ledger, after a look at the difference."""

from __future__ import annotations

import getpass

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from finops import ledger, rerating
from finops.formats import money_exact
from finops.periods import InvalidQuery, absolute_period
from finops.pricing.lines import PriceLine
from finops.rating_changes import Change, Rerating
from finops.rebuilds import EventsDropped
from finops.rollups import ZoneChanged
from ingest.rating import Rate


class Command(BaseCommand):
    help = (
        "Rate the events of a period again with the price ledger as it is now and print the "
        "difference. Changes nothing without --apply."
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
            self._print(
                rerating.preview(period.start, period.end, zone, only_unpriced=only_unpriced)
            )
            self.stdout.write("Nothing was changed. Run again with --apply to write it.")
            return
        try:
            done = rerating.apply(
                period.start,
                period.end,
                zone,
                requested_by=getpass.getuser(),
                reason=reason,
                only_unpriced=only_unpriced,
            )
        except (EventsDropped, ZoneChanged) as problem:
            raise CommandError(str(problem)) from None
        self._print(done)
        self.stdout.write("Written, with the rollups of the days that changed.")

    def _print(self, rerated: Rerating) -> None:
        self.stdout.write(HEADER)
        self._row("all events", rerated.total)
        by_size = sorted(
            rerated.by_model.items(), key=lambda item: abs(item[1].difference), reverse=True
        )
        for (provider, model), change in by_size:
            self._row(f"{provider}/{model}", change)
        self.stdout.write("by price line:")
        ids = {pk for rate in rerated.by_rate if rate for pk in rate if pk is not None}
        lines = ledger.lines_by_id(ids)
        for rate, change in rerated.by_rate.items():
            self._row(_describe(rate, lines), change)
        if rerated.skipped:
            self.stdout.write(
                f"{rerated.skipped:,} priced events are skipped and keep their price: their "
                "provider, model or fleet is (overflow)."
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


def _describe(rate: Rate | None, lines: dict[int, PriceLine]) -> str:
    if rate is None:
        return "no price"
    text = f"#{rate.price_id} {lines[rate.price_id].describe()}"
    if rate.contract_price_id is not None:
        contract = lines[rate.contract_price_id]
        text += f" with #{contract.id} {contract.describe()}"
    return text
