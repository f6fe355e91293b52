"""What of a month's bills and usage is not compared, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops.reconciliation import BillLine, Cell, CellKey, Used, provider_name
from finops.reconciliation.splitting import NO_AMOUNT, add_up

# No report says anything of it; its report says no amounts; its amounts are of another currency;
# it is of a fleet of our own, which nobody bills; its service and team have no account of a bill.
NO_REPORT, COUNTED, CURRENCY, OWN_FLEET = "no report", "no amount", "currency", "own fleet"
NO_ACCOUNT = "no account"


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Usage of a provider that is set against no bill. The cost is that of requests with a price;
    of the others nobody knows."""

    provider: str
    reason: str
    days: int
    first: date
    last: date
    cost: Decimal
    requests: int
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """What is billed, by currency, on days on which something is billed in a currency of which no
    rate is known."""

    provider: str
    currency: str
    amount: Decimal
    lines: int


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What bills say of an account of which nobody said whose usage it is; "" is of none."""

    provider: str
    account: str
    amount: Decimal
    lines: int


def places(lines: Iterable[BillLine]) -> set[tuple[str, date]]:
    """Providers and days."""
    return set(map(place, lines))


def place(line: BillLine) -> tuple[str, date]:
    return provider_name(line.provider), line.day


def but(lines: Iterable[BillLine], away: Collection[tuple[str, date]]) -> list[BillLine]:
    return [line for line in lines if place(line) not in away]


def at(lines: Iterable[BillLine], away: Collection[tuple[str, date]]) -> list[BillLine]:
    return [line for line in lines if place(line) in away]


def unbilled(
    left: Mapping[CellKey, tuple[str, Used]], counted: Iterable[Cell], billable: Collection[str]
) -> list[Unbilled]:
    """`left` are usage that is in no cell, with the reason; `counted` the cells of the month."""
    of: dict[tuple[str, str], list[tuple[date, Decimal, int, int]]] = defaultdict(list)
    for key, (reason, used) in left.items():
        why = reason if key.provider in billable else OWN_FLEET
        of[key.provider, why].append((key.day, used.cost, used.requests, used.unpriced_requests))
    for cell in counted:
        if cell.status == NO_AMOUNT and cell.requests:
            of[cell.key.provider, COUNTED].append(
                (cell.key.day, cell.ours, cell.requests, cell.unpriced_requests)
            )
    found = []
    for (provider, reason), held in of.items():
        days, costs, requests, unpriced = zip(*held, strict=True)
        found.append(
            Unbilled(
                provider, reason, len(set(days)), min(days), max(days), add_up(costs),
                sum(requests), sum(unpriced),
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (-each.cost, each.provider, each.reason))


def foreigners(lines: Sequence[BillLine]) -> list[Foreign]:
    of: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for line in lines:
        if line.amount is not None:
            of[provider_name(line.provider), line.currency].append(line.amount)
    return [Foreign(*key, add_up(held), len(held)) for key, held in sorted(of.items())]


def unmapped(
    lines: Iterable[BillLine], targets: Collection[tuple[str, str]]
) -> tuple[list[BillLine], list[Unmapped]]:
    """The lines of accounts that somebody has mapped, and what the others come to."""
    ours: list[BillLine] = []
    of: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for line in lines:
        key = provider_name(line.provider), line.account
        if key in targets:
            ours.append(line)
        elif line.amount is not None:
            of[key].append(line.amount)
    found = [Unmapped(*key, add_up(held), len(held)) for key, held in of.items()]
    return ours, sorted(found, key=lambda each: (-abs(each.amount), each.provider, each.account))
