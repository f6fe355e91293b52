"""A month's bills against what was used: what is compared, and what cannot be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings

from finops import costs
from finops.bills import exchanging, storing, usage
from finops.bills.exchanging import OfAnother
from finops.costs import Freshness
from finops.periods import add_months
from finops.reconciliation import PARTS, BillLine, Cell, CellKey, Used, pairs, split
from finops.reconciliation.cells import provider_name
from finops.reconciliation.splitting import (
    EXPLAINED,
    MATCHED,
    NO_AMOUNT,
    UNEXPLAINED,
    add_up,
)

STATUSES = (MATCHED, EXPLAINED, UNEXPLAINED, NO_AMOUNT)


@dataclass(frozen=True, slots=True)
class Sum:
    """Of some cells. `billed`, `ours` and `parts` are of those that have an amount billed."""

    billed: Decimal
    ours: Decimal
    parts: Mapping[str, Decimal]
    statuses: Mapping[str, int]
    unpriced_requests: int

    @property
    def difference(self) -> Decimal:
        return add_up((self.billed, -self.ours))


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Usage of a provider on days of which no report that was taken says anything."""

    provider: str
    days: int
    first: date
    last: date
    cost: Decimal
    requests: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """What is billed in another currency than the reporting one."""

    provider: str
    currency: str
    amount: Decimal
    lines: int


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What is billed in another currency, and what it is by the rates of its days."""

    provider: str
    currency: str
    amount: Decimal
    converted: Decimal
    lines: int
    first: date  # of the rates
    last: date
    source: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A month of days of UTC. `cells` are by provider, model and day, of the days from the first to
    the last that a provider's reports name; `names` are a provider's as usage has them."""

    month: date
    cells: tuple[Cell, ...]
    unbilled: tuple[Unbilled, ...]
    foreign: tuple[Foreign, ...]
    freshness: Freshness
    currency: str
    names: Mapping[str, tuple[str, ...]]
    exchanged: tuple[Exchanged, ...] = ()

    @property
    def total(self) -> Sum:
        return summed(self.cells)

    @property
    def providers(self) -> list[str]:
        return sorted({cell.key.provider for cell in self.cells})

    def of(self, provider: str) -> Sum:
        return summed(cell for cell in self.cells if cell.key.provider == provider)


def summed(cells: Iterable[Cell]) -> Sum:
    held = list(cells)
    priced = [cell for cell in held if cell.billed is not None]
    return Sum(
        billed=add_up(cell.billed or Decimal(0) for cell in priced),
        ours=add_up(cell.ours for cell in priced),
        parts={name: add_up(cell.parts[name] for cell in priced) for name in PARTS},
        statuses={name: sum(cell.status == name for cell in held) for name in STATUSES},
        unpriced_requests=sum(cell.unpriced_requests for cell in held),
    )


def of_month(month: date) -> Reconciliation:
    """The month that begins on this day, of UTC. Raises as costs.together and Together.run."""
    end, day = add_months(month, 1), timedelta(days=1)
    zone = settings.REPORTING_ZONE
    with costs.together(zone) as asked:
        # With a day more on both sides: what one counts there may be the other's here.
        lines = storing.in_force(month - day, end + day)
        known, foreign, exchanged = exchanging.apart(lines, month - day)
        span = (end - month).days + 2
        days = [month + timedelta(days=n - 1) for n in range(span)]
        seen = usage.of_days(asked, days, zone)
    ours, reach = seen.cells, reaches(known)
    compared = {key: used for key, used in ours.items() if is_in(key, reach)}
    cells = [cell for cell in split(pairs(compared, known)) if month <= cell.key.day < end]
    left = {
        key: used
        for key, used in ours.items()
        if key not in compared and month <= key.day < end and used.requests
    }
    return Reconciliation(
        month=month,
        cells=tuple(cells),
        unbilled=tuple(unbilled(left)),
        foreign=tuple(foreigners(line for line in foreign if month <= line.day < end)),
        freshness=asked.freshness,
        currency=settings.CURRENCY,
        names={provider: tuple(sorted(held)) for provider, held in seen.names.items()},
        exchanged=tuple(exchangers(each for each in exchanged if month <= each.line.day < end)),
    )


def reaches(lines: Sequence[BillLine]) -> dict[str, tuple[date, date]]:
    """The first and the last day that reports name, of each provider."""
    days: dict[str, set[date]] = defaultdict(set)
    for line in lines:
        days[provider_name(line.provider)].add(line.day)
    return {provider: (min(held), max(held)) for provider, held in days.items()}


def is_in(key: CellKey, reach: Mapping[str, tuple[date, date]]) -> bool:
    first, last = reach.get(key.provider, (date.max, date.min))
    return first <= key.day <= last


def unbilled(left: Mapping[CellKey, Used]) -> list[Unbilled]:
    of: dict[str, list[tuple[date, Used]]] = defaultdict(list)
    for key, used in left.items():
        of[key.provider].append((key.day, used))
    found = []
    for provider, held in of.items():
        days = {day for day, _ in held}
        cost = add_up(used.cost for _, used in held)
        requests = sum(used.requests for _, used in held)
        found.append(Unbilled(provider, len(days), min(days), max(days), cost, requests))
    return sorted(found, key=lambda each: (-each.cost, each.provider))


def foreigners(lines: Iterable[BillLine]) -> list[Foreign]:
    of: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for line in lines:
        of[provider_name(line.provider), line.currency].append(line.amount or Decimal(0))
    return [Foreign(*key, add_up(held), len(held)) for key, held in sorted(of.items())]


def exchangers(lines: Iterable[OfAnother]) -> list[Exchanged]:
    of: dict[tuple[str, str, str], list[OfAnother]] = defaultdict(list)
    for each in lines:
        key = (provider_name(each.line.provider), each.line.currency, each.conversion.source)
        of[key].append(each)
    return [
        Exchanged(
            provider,
            currency,
            add_up(each.line.amount or Decimal(0) for each in held),
            add_up(each.amount for each in held),
            len(held),
            min(each.conversion.first for each in held),
            max(each.conversion.last for each in held),
            source,
        )
        for (provider, currency, source), held in sorted(of.items())
    ]
