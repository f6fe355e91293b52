"""A month's cost as lines of the general ledger: what each cost center is charged, in whole cents.

Each cost center's account is debited with what it bears; what bills were booked to before is
credited: the account of the cost item that they were for, or the clearing account. Both sides are
rounded to the same total by largest remainder, so that debits equal credits to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from finops.allocation import add_up
from finops.allocation.splitting import CENT
from finops.periods import add_months
from finops.pricing.formula import EXACT
from finops.query import UNATTRIBUTED

ROUNDED = Context(prec=EXACT.prec, rounding=ROUND_HALF_EVEN)
DOWN = Context(prec=EXACT.prec, rounding=ROUND_FLOOR)
HEADER = (
    *("journal_date", "period", "line", "account", "cost_center", "description"),
    *("debit", "credit", "currency", "reference", "status"),
)


class Place(NamedTuple):
    """Where an amount is booked. What is credited is of no cost center."""

    cost_center: str
    account: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """Of the general ledger: of each cost center, of cost items that have one of their own, and of
    what has none. '' is not known."""

    clearing: str
    unattributed: str
    centers: Mapping[str, str]
    items: Mapping[str, str]

    def of_center(self, code: str) -> str:
        return self.unattributed if code == UNATTRIBUTED else self.centers.get(code, "")

    def of_item(self, item: str) -> str:
        return self.items.get(item) or self.clearing


@dataclass(frozen=True, slots=True)
class Costs:
    """What is booked: what each cost center bears, exactly, and what of it cost items gave; what is
    left of it was billed for requests."""

    centers: Mapping[str, Decimal]
    items: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Heading:
    month: date
    currency: str
    reference: str
    status: str


def postings(costs: Costs, accounts: Accounts) -> dict[Place, Decimal]:
    """In cents; debits above zero, credits below. They add up to zero."""
    debits: dict[Place, Decimal] = {}
    for code, amount in costs.centers.items():
        debits[Place(code, accounts.of_center(code))] = amount
    whole = add_up(costs.centers.values())
    credits = {Place("", accounts.clearing): EXACT.subtract(whole, add_up(costs.items.values()))}
    for item, amount in costs.items.items():
        place = Place("", accounts.of_item(item))
        credits[place] = EXACT.add(credits.get(place, Decimal(0)), amount)
    found = in_coins(debits)
    for place, amount in in_coins(credits).items():
        found[place] = -amount
    return {place: amount for place, amount in found.items() if amount}


def in_coins(amounts: Mapping[Place, Decimal], unit: Decimal = CENT) -> dict[Place, Decimal]:
    """Each in whole coins; together their total in whole coins. Each is rounded down, and what is
    left goes coin by coin to the largest remainders; of equals to the first in order."""
    floors = {place: amount.quantize(unit, context=DOWN) for place, amount in amounts.items()}
    total = add_up(amounts.values()).quantize(unit, context=ROUNDED)
    left = int(EXACT.divide(EXACT.subtract(total, add_up(floors.values())), unit))
    order = sorted(amounts, key=lambda place: (floors[place] - amounts[place], place))
    for place in order[:left]:
        floors[place] = EXACT.add(floors[place], unit)
    return floors


def rows(found: Mapping[Place, Decimal], heading: Heading) -> Iterator[list[str]]:
    """As HEADER names them: cost centers in their order, then what is credited for them."""
    last = add_months(heading.month, 1) - timedelta(days=1)
    text = f"Model inference, {heading.month:%B %Y}"
    order = sorted(found, key=lambda place: (not place.cost_center, place))
    for number, place in enumerate(order, 1):
        amount = found[place]
        debit, credit = (amount, None) if amount > 0 else (None, -amount)
        yield [
            *(last.isoformat(), f"{heading.month:%Y-%m}", str(number)),
            *(place.account, place.cost_center),
            text if place.cost_center else f"{text}: charged to cost centers",
            *("" if each is None else f"{each:.2f}" for each in (debit, credit)),
            *(heading.currency, heading.reference, heading.status),
        ]
