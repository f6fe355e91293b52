"""A month's bills against what was used: what is compared, and what cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings

from finops import costs
from finops.bills import accounts, apart, exchanging, storing, usage
from finops.bills.apart import CURRENCY, NO_ACCOUNT, NO_REPORT, Foreign, Unbilled, Unmapped
from finops.bills.exchanging import Exchanged
from finops.bills.usage import Seen
from finops.costs import Freshness
from finops.periods import add_months
from finops.reconciliation import PARTS, Cell, CellKey, Pair, Used, pairs, split
from finops.reconciliation.splitting import (
    EXPLAINED,
    MATCHED,
    NO_AMOUNT,
    UNEXPLAINED,
    UNPRICED,
    add_up,
)

STATUSES = (MATCHED, EXPLAINED, UNEXPLAINED, UNPRICED, NO_AMOUNT)


@dataclass(frozen=True, slots=True)
class Sum:
    """Of some cells. `billed`, `ours` and `parts` are of those that have an amount billed, which
    `cells` counts; `matched` is what the matched ones differ by all the same."""

    cells: int
    billed: Decimal
    ours: Decimal
    matched: Decimal
    parts: Mapping[str, Decimal]
    statuses: Mapping[str, int]
    unpriced_requests: int

    @property
    def difference(self) -> Decimal:
        return add_up((self.billed, -self.ours))

    @property
    def acceptable(self) -> Decimal:
        """The difference but for what is not known: the cost of requests without a price."""
        return add_up((self.difference, -self.parts["unpriced"]))


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A month of days of UTC. `cells` are by provider, model and day, of what reports say what is
    billed of it; by account too where `by_account`. `names` are a provider's as usage has them."""

    month: date
    cells: tuple[Cell, ...]
    unbilled: tuple[Unbilled, ...]
    foreign: tuple[Foreign, ...]
    freshness: Freshness
    currency: str
    names: Mapping[str, tuple[str, ...]]
    by_account: bool = False
    unmapped: tuple[Unmapped, ...] = ()
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
        cells=len(priced),
        billed=add_up(cell.billed or Decimal(0) for cell in priced),
        ours=add_up(cell.ours for cell in priced),
        matched=add_up(cell.difference or Decimal(0) for cell in priced if cell.status == MATCHED),
        parts={name: add_up(cell.parts[name] for cell in priced) for name in PARTS},
        statuses={name: sum(cell.status == name for cell in held) for name in STATUSES},
        unpriced_requests=sum(cell.unpriced_requests for cell in held),
    )


def of_month(month: date, *, by_account: bool = False) -> Reconciliation:
    """The month that begins on this day, of UTC. Raises as costs.together and Together.run."""
    end, day = add_months(month, 1), timedelta(days=1)
    # With a day more on both sides: what one counts there may be the other's here.
    first, last = month - day, end + day
    zone = settings.REPORTING_ZONE
    targets = accounts.targets(accounts.every()) if by_account else None
    with costs.together(zone) as asked:
        lines = storing.in_force(first, last)
        empty = storing.empty_days(first, last)
        named = None if targets is None else set(targets.values())
        seen = usage.of_days(asked, first, last, zone, named)
        converted, unknown, exchanged = exchanging.apart(lines, first)
    away = apart.places(unknown)
    known = apart.but(converted, away)
    foreign = [each for each in apart.at(lines, away) if month <= each.day < end]
    unmapped: list[Unmapped] = []
    if targets is not None:
        in_month = [each for each in known if month <= each.day < end]
        unmapped = apart.unmapped(in_month, targets)[1]
        known = apart.unmapped(known, targets)[0]
    ours, left = usable(seen, away, by_account=by_account)
    compared, unseen = told_apart(pairs(ours, known, targets=targets, empty=empty))
    cells = [cell for cell in split(compared) if month <= cell.key.day < end]
    outside = {key: each for key, each in (left | unseen).items() if month <= key.day < end}
    return Reconciliation(
        month=month,
        cells=tuple(cells),
        unbilled=tuple(apart.unbilled(outside, cells, seen.billable)),
        foreign=tuple(apart.foreigners(foreign)),
        freshness=asked.freshness,
        currency=settings.CURRENCY,
        names={provider: tuple(sorted(held)) for provider, held in seen.names.items()},
        by_account=by_account,
        unmapped=tuple(unmapped),
        exchanged=tuple(
            exchanging.exchanged(
                each
                for each in exchanged
                if month <= each.line.day < end and apart.place(each.line) not in away
            )
        ),
    )


def usable(
    seen: Seen, away: Collection[tuple[str, date]], *, by_account: bool
) -> tuple[dict[CellKey, Used], dict[CellKey, tuple[str, Used]]]:
    """What can be set against bills, and what cannot, with the reason."""
    ours: dict[CellKey, Used] = {}
    left: dict[CellKey, tuple[str, Used]] = {}
    for key, used in seen.cells.items():
        if (key.provider, key.day) in away:
            left[key] = (CURRENCY, used)
        elif by_account and not key.account:
            left[key] = (NO_ACCOUNT, used)
        else:
            ours[key] = used
    return ours, left


def told_apart(
    found: Mapping[CellKey, Pair],
) -> tuple[dict[CellKey, Pair], dict[CellKey, tuple[str, Used]]]:
    """What a report says something of, and usage of which none does."""
    compared = {key: pair for key, pair in found.items() if pair.billed or pair.is_known}
    left = {
        key: (NO_REPORT, pair.used)
        for key, pair in found.items()
        if key not in compared and pair.used is not None and pair.used.requests
    }
    return compared, left
