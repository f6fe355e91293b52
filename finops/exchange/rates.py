"""The rates of a day, and the factor from one currency into another.

All rates are units of a currency for one euro, as the European Central Bank publishes them, so that
a factor is the quotient of two of them:

    factor = rate of the currency into which ÷ rate of the currency of which

to 15 decimals, half up (exchange_factor.sql says the same in SQL). Amounts and unit prices are
multiplied by it and not rounded.

On a day hold the rates of that day, or the last before it that know both currencies, as nothing is
published at weekends and on holidays; after `MOST_DAYS` nobody knows. Where they are
more than `USUAL_DAYS` old, some were not imported: Easter is the longest without a publication.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, localcontext

EURO = "EUR"
MOST_DAYS = 7
USUAL_DAYS = 4
ONE = Decimal(1)
DECIMALS = 15
DAY = timedelta(days=1)
_EXACT = Context(prec=200, traps=[Inexact])
_CODE = re.compile(r"[A-Z]{3}")


def is_currency(text: str) -> bool:
    """Whether it looks like a code of ISO 4217."""
    return _CODE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How an amount came into the reporting currency: by which factor, of which days' rates.
    `first` and `last` are the same where one day's rates did it."""

    currency: str
    into: str
    factor: Decimal
    first: date
    last: date
    source: str


@dataclass(frozen=True, slots=True)
class Fixing:
    """Rates of one day, as they were imported at once; never changed. What another import says
    otherwise of the same day is another fixing, which supersedes it."""

    id: int
    day: date
    rates: Mapping[str, Decimal]
    source: str = ""
    is_superseded: bool = False

    def knows(self, currencies: Iterable[str]) -> bool:
        return all(each == EURO or each in self.rates for each in currencies)

    def per_euro(self, currency: str) -> Decimal:
        return ONE if currency == EURO else self.rates[currency]

    def factor(self, currency: str, into: str) -> Decimal:
        """Raises KeyError where it does not know one of them."""
        if currency == into:
            return ONE
        return factor(self.per_euro(currency), self.per_euro(into))

    def conversion(self, currency: str, into: str) -> Conversion:
        by = self.factor(currency, into)
        return Conversion(currency, into, by, self.day, self.day, self.source)


def factor(per_euro: Decimal, into_per_euro: Decimal) -> Decimal:
    """What one unit is in the other currency, from both rates."""
    with localcontext(_EXACT):
        units = (2 * into_per_euro.scaleb(DECIMALS) + per_euro) // (2 * per_euro)
        return units.scaleb(-DECIMALS).normalize()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the rates of a currency reach on a day; `last` is None where none holds on it."""

    currency: str
    day: date
    last: date | None

    @property
    def until(self) -> date | None:
        """The last day on which they hold, where nothing comes after them."""
        return self.last + MOST_DAYS * DAY if self.last else None

    @property
    def days_left(self) -> int:
        """After this day; -1 where none holds on it."""
        return (self.until - self.day).days if self.until else -1

    @property
    def age(self) -> int:
        return MOST_DAYS - self.days_left

    @property
    def is_ending(self) -> bool:
        return self.last is not None and self.age > USUAL_DAYS


class Exchange:
    """Every fixing that there is, and the currency into which amounts are converted."""

    def __init__(self, into: str, fixings: Iterable[Fixing]) -> None:
        self.into = into
        self._by_id = {each.id: each for each in fixings}
        in_force = (each for each in self._by_id.values() if not each.is_superseded)
        self._in_force = sorted(in_force, key=lambda each: each.day)
        self._days = [each.day for each in self._in_force]

    def fixing(self, currencies: Collection[str], day: date) -> Fixing | None:
        """What holds on a day for all of these currencies; None where nobody knows."""
        for index in range(bisect_right(self._days, day) - 1, -1, -1):
            found = self._in_force[index]
            if (day - found.day).days > MOST_DAYS:
                return None
            if found.knows((*currencies, self.into)):
                return found
        return None

    def by_id(self, fixing_id: int) -> Fixing:
        return self._by_id[fixing_id]

    def conversion(self, currency: str, day: date) -> Conversion | None:
        """Of an amount of a day; None where nobody knows the rate."""
        found = self.fixing((currency,), day)
        return found.conversion(currency, self.into) if found else None

    def reach(self, currency: str, day: date) -> Reach:
        found = self.fixing((currency,), day)
        return Reach(currency, day, found.day if found else None)

    def instants(self) -> list[datetime]:
        """When other rates may begin to hold, or the last become too old: midnights of UTC."""
        begun = set(self._days)
        # What is too old for one pair of currencies may be so on any day of a longer gap.
        ended = {day + (MOST_DAYS + 1) * DAY for day in self._days}
        return [datetime.combine(day, time(), UTC) for day in sorted(begun | ended)]


def unknown_days(exchange: Exchange, currency: str, first: date, end: date) -> list[date]:
    """Those of [first, end) of which nobody knows the rate."""
    every = (first + offset * DAY for offset in range((end - first).days))
    return [day for day in every if exchange.conversion(currency, day) is None]


def overdue_days(exchange: Exchange, currency: str, first: date, end: date) -> list[date]:
    """Those of [first, end) on which a rate holds that is older than rates usually become."""
    every = (first + offset * DAY for offset in range((end - first).days))
    return [day for day in every if exchange.reach(currency, day).is_ending]


def mean_conversion(exchange: Exchange, currency: str, first: date, end: date) -> Conversion | None:
    """By the mean of the factors of the fixings of [first, end), which is what months are converted
    by; of the last before where none is of these days yet. None where the rate of any of the days
    is not known: a mean of some would be a mean of those that happened to be imported."""
    if unknown_days(exchange, currency, first, end):
        return None
    found: dict[date, Conversion] = {}
    for offset in range((end - first).days):
        each = exchange.conversion(currency, first + offset * DAY)
        if each is not None and each.first >= first:
            found[each.first] = each
    if not found:
        return exchange.conversion(currency, first)
    held = [found[day] for day in sorted(found)]
    with localcontext(_EXACT):
        total = sum((each.factor for each in held), Decimal(0))
    by = factor(Decimal(len(held)), total)
    sources = ", ".join(dict.fromkeys(each.source for each in held))
    return Conversion(currency, exchange.into, by, held[0].first, held[-1].first, sources)


def days_in_words(days: Iterable[date]) -> str:
    """ "2026-10-09 to 2026-10-18, 2026-10-31": days in their order."""
    spans: list[list[date]] = []
    for day in days:
        if spans and day - spans[-1][-1] == DAY:
            spans[-1].append(day)
        else:
            spans.append([day])
    return ", ".join(
        f"{span[0]} to {span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans
    )
