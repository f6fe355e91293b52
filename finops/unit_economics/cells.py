"""The finest things that are compared: the usage of one day, or month, of one value of each
dimension, and what the business counted there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from finops.allocation import add_up
from finops.periods import add_months
from finops.unit_economics.questions import Terms, Value

ZERO = Decimal(0)
DAY = timedelta(days=1)
# What a cell is. Only what is `matched` is in a cost per unit, with its cost and its value.
MATCHED, RUNNING, NOT_RECORDED = "matched", "running", "not_recorded"
NO_VALUE, NO_PRICE = "no_value", "no_price"
STATES = (MATCHED, RUNNING, NOT_RECORDED, NO_VALUE, NO_PRICE)


class Place(NamedTuple):
    """A day, or the month that begins on it, and a value of each of the metric's dimensions."""

    day: date
    is_month: bool
    keys: tuple[str, ...]

    @property
    def end(self) -> date:
        return add_months(self.day, 1) if self.is_month else self.day + DAY


@dataclass(frozen=True, slots=True)
class Cost:
    """Of some usage; `amount` is None where none of its requests has a price."""

    amount: Decimal | None = ZERO
    requests: int = 0
    unpriced_requests: int = 0

    def __add__(self, other: Cost) -> Cost:
        known = [each for each in (self.amount, other.amount) if each is not None]
        return Cost(
            add_up(known) if known else None,
            self.requests + other.requests,
            self.unpriced_requests + other.unpriced_requests,
        )


@dataclass(frozen=True, slots=True)
class Cell:
    place: Place
    cost: Cost
    value: Decimal | None
    state: str


def cells(
    terms: Terms,
    costs: Mapping[Place, Cost],
    values: Sequence[Value],
    *,
    until: date,
    is_recorded: Callable[[date, date], bool],
) -> list[Cell]:
    """In their order. `costs` are of days, or of months where every value is; of days of a month
    that has a value as a whole they are added up. `values` are of days and months within the
    period; `until` is the first day that is not over, or not rolled up; `is_recorded` says whether
    usage was recorded from one day until before another."""
    given = {Place(each.day, each.is_month, each.keys): each.value for each in values}
    months = {place.day for place in given if place.is_month}
    held: defaultdict[Place, Cost] = defaultdict(Cost)
    for place, cost in costs.items():
        month = place.day.replace(day=1)
        at = Place(month, True, place.keys) if month in months else place
        held[at] = held[at] + cost if at in held else cost
    reported = {(place.day, place.is_month) for place in given}
    found = []
    for place in sorted({*held, *given}):
        value = given.get(place)
        if value is None and terms.absent_is_zero and place[:2] in reported:
            value = ZERO
        cost = held.get(place, Cost())
        state = state_of(place, cost, value, until, is_recorded)
        found.append(Cell(place, cost, value, state))
    return found


def state_of(
    place: Place,
    cost: Cost,
    value: Decimal | None,
    until: date,
    is_recorded: Callable[[date, date], bool],
) -> str:
    if place.end > until:
        return RUNNING
    if not is_recorded(place.day, place.end):
        return NOT_RECORDED
    if value is None:
        return NO_VALUE
    return MATCHED if cost.amount is not None else NO_PRICE


def month_cells(
    terms: Terms,
    direct: Iterable[Cell],
    loaded: Mapping[Place, Decimal],
    *,
    until: date,
    is_recorded: Callable[[date, date], bool],
) -> list[Cell]:
    """The same by month, with what each month's allocation gives as cost. A month of days is
    matched where each of its days with usage is."""
    held: defaultdict[Place, list[Cell]] = defaultdict(list)
    reported: set[date] = set()
    for cell in direct:
        month = Place(cell.place.day.replace(day=1), True, cell.place.keys)
        held[month].append(cell)
        if cell.value is not None:
            reported.add(month.day)
    found = []
    for place in sorted({*held, *loaded}):
        parts = held.get(place, [])
        values = [each.value for each in parts if each.value is not None]
        is_missing = any(each.value is None and each.cost.requests for each in parts)
        value = add_up(values) if values and not is_missing else None
        if not parts and terms.absent_is_zero and place.day in reported:
            value = ZERO
        cost = Cost(
            loaded.get(place, ZERO),
            sum(each.cost.requests for each in parts),
            sum(each.cost.unpriced_requests for each in parts),
        )
        state = state_of(place, cost, value, until, is_recorded)
        if state == MATCHED and any(each.state == NO_PRICE for each in parts):
            state = NO_PRICE
        found.append(Cell(place, cost, value, state))
    return found
