"""Versions of a month beside each other, by cost center; and who did what with the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from finops.allocation import Line, LineKey
from finops.books.lines import SUMS, line_of
from finops.cost_items.table import money
from finops.models import AuditRecord, StatementLine, StatementVersion
from finops.pricing.formula import EXACT

ACTS = {
    "books.close": "Closed",
    "books.send": "Marked as sent",
    "books.ask_reopening": "Asked to have it opened again",
    "books.keep_closed": "Kept closed",
    "books.reopen": "Agreed: opened again",
}
LONG = ("capacity", "adjustments", "charges", "shares")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a cost center bore by one version, and by a later one."""

    cost_center: str
    before: Line
    after: Line

    def money(self) -> dict[str, Decimal]:
        """By column, how much more the later one says."""
        before = money(self.before)
        return {
            name: EXACT.subtract(amount, before[name]) for name, amount in money(self.after).items()
        }

    @property
    def requests(self) -> int:
        return self.after.usage.requests - self.before.usage.requests


def of(month: date) -> list[StatementVersion]:
    """The latest first, without the JSON that says how they came about."""
    held = StatementVersion.objects.filter(month=month).defer(*LONG)
    return list(held.order_by("-version"))


def every() -> list[StatementVersion]:
    """The same of all months, the latest first."""
    return list(StatementVersion.objects.defer(*LONG).order_by("-month", "-version"))


def differences(earlier: StatementVersion, later: StatementVersion) -> list[Difference]:
    """The greatest first; cost centers that bear the same in both are left out."""
    before, after = by_center(earlier), by_center(later)
    nothing = Line(LineKey(""))
    found = [
        Difference(center, before.get(center, nothing), after.get(center, nothing))
        for center in {*before, *after}
        if before.get(center) != after.get(center)
    ]
    return sorted(found, key=lambda each: (-abs(each.money()["total_cost"]), each.cost_center))


def by_center(statement: StatementVersion) -> dict[str, Line]:
    lines = StatementLine.objects.filter(statement_id=statement.pk).values_list("cost_center")
    sums = lines.annotate(**{f"sum_{name}": Sum(name) for name in SUMS}).order_by("cost_center")
    return {row[0]: line_of((row[0], "", "", "", "", *row[1:])) for row in sums}


def acts(month: date) -> Sequence[AuditRecord]:
    """Who closed, sent, asked and agreed, the latest first."""
    found = AuditRecord.objects.filter(
        action__in=ACTS, subject__startswith=f"{month:%Y-%m} version "
    )
    return list(found.order_by("-at", "-pk"))
