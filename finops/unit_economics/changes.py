"""Why an outcome costs more or less than before, and what a period is fairly compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext

from finops.compared_periods import period_before
from finops.periods import FISCAL, Period, days, previous, whole_day
from finops.query import CostQuery
from finops.unit_economics.figures import Figure

PLACES = 18
DIGITS = 60


@dataclass(frozen=True, slots=True)
class UnitCostChange:
    """The parts add up to the difference to the last digit. `due_to_cost` is what the change of
    cost alone would have done to the cost per unit, at the mean of both numbers of outcomes;
    `due_to_outcomes` the same the other way around (Shapley's value of two factors)."""

    before: Decimal
    after: Decimal
    due_to_cost: Decimal
    due_to_outcomes: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


def change_of(now: Figure, before: Figure) -> UnitCostChange | None:
    """None where one of them has no cost per unit."""
    after, earlier = now.cost_per_unit, before.cost_per_unit
    if after is None or earlier is None:
        return None
    cost, value = sides(now)
    earlier_cost, earlier_value = sides(before)
    with localcontext(prec=DIGITS):
        due = (cost - earlier_cost) * (1 / value + 1 / earlier_value) / 2
        due = due.quantize(Decimal(1).scaleb(-PLACES))
        return UnitCostChange(earlier, after, due, after - earlier - due)


def sides(held: Figure) -> tuple[Decimal, Decimal]:
    """Cost and value of a figure that has a cost per unit."""
    assert held.matched_cost is not None
    assert held.matched_value is not None
    return held.matched_cost, held.matched_value


def compared_period(
    query: CostQuery, until: date, now: datetime, *, by_month: bool
) -> Period | None:
    """The period before that is as long as what is over of this one; None where nothing is. What is
    counted by month is compared by whole months."""
    zone, period = query.zone, query.period
    first, last = whole_day(period.start, zone), whole_day(period.end, zone)
    assert first is not None
    assert last is not None
    end = min(last, until.replace(day=1) if by_month and until < last else until)
    if end <= first:
        return None
    is_to_date = period.label == "mtd" or period.label in FISCAL
    if end < last and (is_to_date or (first.day == last.day == 1 and not by_month)):
        before = period_before(period, now, zone)
        start = whole_day(before.start, zone)
        assert start is not None
        return days(start, min(start + (end - first), first), zone)
    if is_to_date and end == last:
        return previous(period, zone)
    return previous(days(first, end, zone), zone)
