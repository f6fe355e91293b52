"""What closed months came to later, as adjustments that the open month bears.

A closed month is never changed. What it would come to today may be another sum: events arrive late,
are rated again, are corrected. The difference between today's cost and all that was ever billed for
that month (its frozen lines, and the adjustments of it in other closed months) is due in the month
that is open. It is worked out anew each time and written down when that month closes: so nothing is
billed twice and nothing is lost, in whichever order things arrive, and a month that is reopened and
closed as a new version takes back by the same difference what others have already adjusted.

Capacity that was paid for by the hour is another matter: usage that is late there makes its user
bear more of the fee, and others less. So of each commitment and fleet the same difference is taken
of what its fee gives each cost center now and what it gave then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from finops.allocation import Adjustment, LineKey, Share
from finops.allocation.lines import ZERO
from finops.allocation.splitting import differences
from finops.pricing.formula import EXACT

LATE, FEWER, ANEW = "late requests", "requests withdrawn", "rated again or corrected"
CAPACITY = "share of paid capacity"

# Item of capacity → cost center → what it bears of the fee, beside its direct cost.
Charged = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Direct:
    """Of one line."""

    requests: int = 0
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Frozen:
    """The latest version of a closed month's statements. `adjustments` are of months before it."""

    month: date
    version: int
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class Today:
    """What a closed month comes to now."""

    direct: Mapping[LineKey, Direct]
    charged: Charged = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """How much more a closed month comes to now than its latest version says, where that is
    anything."""

    direct: Mapping[LineKey, Direct] = field(default_factory=dict)
    charged: Charged = field(default_factory=dict)


def change_of(lines: Iterable[tuple[LineKey, Direct]], charged: Charged, today: Today) -> Change:
    """From the lines of a version, and what its capacity gave, to what the month comes to now."""
    direct = dict(today.direct)
    for key, before in lines:
        now = direct.pop(key, Direct())
        cost = EXACT.subtract(now.cost, before.cost)
        if cost or now.requests != before.requests:
            direct[key] = Direct(now.requests - before.requests, cost)
    found = {
        item: differences(today.charged.get(item, {}), charged.get(item, {}))
        for item in sorted({*charged, *today.charged})
    }
    return Change(direct, {item: centers for item, centers in found.items() if centers})


def charged_by(shares: Iterable[Share]) -> Charged:
    """What each item gives each cost center, for what was used and what was not together."""
    found: dict[str, dict[str, Decimal]] = {}
    for each in shares:
        sums = found.setdefault(each.item, {})
        sums[each.cost_center] = EXACT.add(sums.get(each.cost_center, ZERO), each.amount)
    return found


def adjustments(closed: Iterable[Frozen], changes: Mapping[date, Change]) -> tuple[Adjustment, ...]:
    """What is due now of the months of which `changes` are given, by month and line; `closed` are
    all that may have borne something of them."""
    held = list(closed)
    billed = amounts(each for month in held for each in month.adjustments)
    found: list[Adjustment] = []
    for month in sorted(held, key=lambda each: each.month):
        if change := changes.get(month.month):
            found += of_usage(month, change, billed.get((month.month, ""), {}))
            found += of_capacity(month, change, billed)
    return tuple(found)


def amounts(
    held: Iterable[Adjustment],
) -> dict[tuple[date, str], dict[LineKey, Decimal]]:
    """What was adjusted of each month and item of capacity ('' is usage), by line."""
    found: dict[tuple[date, str], dict[LineKey, Decimal]] = {}
    for each in held:
        sums = found.setdefault((each.month, each.item), {})
        sums[each.key] = EXACT.add(sums.get(each.key, ZERO), each.amount)
    return found


def of_usage(
    month: Frozen, change: Change, known: Mapping[LineKey, Decimal]
) -> Iterator[Adjustment]:
    costs = {key: more.cost for key, more in change.direct.items()}
    for key, due in differences(costs, known).items():
        reason = reason_for(change.direct.get(key, Direct()).requests)
        yield Adjustment(key, due, month.month, month.version, reason)


def reason_for(requests: int) -> str:
    if requests > 0:
        return LATE
    return FEWER if requests < 0 else ANEW


def of_capacity(
    month: Frozen, change: Change, billed: Mapping[tuple[date, str], Mapping[LineKey, Decimal]]
) -> Iterator[Adjustment]:
    """Of items that are gone, too: what was adjusted of them comes back."""
    adjusted = {item for other, item in billed if other == month.month and item}
    for item in sorted({*change.charged, *adjusted}):
        now = {LineKey(center): more for center, more in change.charged.get(item, {}).items()}
        for key, due in differences(now, billed.get((month.month, item), {})).items():
            yield Adjustment(key, due, month.month, month.version, CAPACITY, item)
