"""What is known of the days to come: planned events, and prices that will hold from a day on.

A factor multiplies what a day is forecast to cost; factors of several changes multiply each other.
An amount is added to a day after that. How far off a day may be grows with its factor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops.forecasts.ahead import ONE, ZERO

PLANNED, PRICE = "planned", "price"
# What those read of a price who may not see the ledger.
UNTOLD = "A price of the ledger begins or ends"
# A sentence names so many.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Change:
    """From `first` to the day before `end`, None: for good. `amount` is money a day. `text` says
    what it is, for people."""

    kind: str
    text: str
    first: date
    end: date | None = None
    factor: Decimal = ONE
    amount: Decimal = ZERO

    def holds(self, day: date) -> bool:
        return self.first <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Coming:
    """What is known of the days to come, and the past days of which nothing is to be learned."""

    changes: tuple[Change, ...] = ()
    excused: frozenset[date] = frozenset()

    @property
    def text(self) -> str:
        """What is taken in, for people; "" where that is nothing."""
        said = list(dict.fromkeys(each.text for each in self.changes))
        more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
        return f" Takes in: {'; '.join(said[:NAMED])}{more}." if said else ""


NOTHING = Coming()


def factored(left: Mapping[date, Decimal], changes: Iterable[Change]) -> dict[date, Decimal]:
    """The parts of days, each as often as its changes make of it."""
    found = dict(left)
    for change in changes:
        if change.factor != ONE:
            for day in found:
                if change.holds(day):
                    found[day] *= change.factor
    return found


def added(left: Mapping[date, Decimal], changes: Iterable[Change]) -> Decimal:
    """What amounts come to in the parts of days that are left."""
    return sum(
        (
            part * change.amount
            for change in changes
            if change.amount
            for day, part in left.items()
            if change.holds(day)
        ),
        ZERO,
    )
