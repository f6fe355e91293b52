"""What closed months came to later, as adjustments that the open month bears.

A closed month is never changed. What it would come to today may be another sum: events arrive late,
are rated again, are corrected. The difference between today's cost and all that was ever billed for
that month (its frozen lines, and the adjustments of it in other closed months) is due in the month
that is open. It is worked out anew each time and written down when that month closes: so nothing is
billed twice and nothing is lost, in whichever order things arrive, and a month that is reopened and
closed as a new version takes back by the same difference what others have already adjusted.

Usage of capacity that was paid for by the hour costs nothing more: what is late there is given back
to those who bore what was not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from finops.allocation import Adjustment, LineKey, add_up, split
from finops.allocation.lines import ZERO
from finops.pricing.formula import EXACT

LATE, FEWER, ANEW = "late requests", "requests withdrawn", "rated again or corrected"
RETURNED = "paid capacity, used after all"
# As fine as a share of a line: what is given back is no round sum.
FINEST = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Direct:
    """Of one line."""

    requests: int = 0
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one item of paid capacity in a month: the direct cost of the usage that it covers, and who
    bore what of it was not used, by weight."""

    covered: Decimal
    bearers: Mapping[LineKey, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frozen:
    """The latest version of a closed month's statements. `adjustments` are of months before it."""

    month: date
    version: int
    capacity: Mapping[str, Capacity] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class Today:
    """What a closed month comes to now. `covered` is by item of capacity."""

    direct: Mapping[LineKey, Direct]
    covered: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """How much more a closed month comes to now than its latest version says, where that is
    anything."""

    direct: Mapping[LineKey, Direct] = field(default_factory=dict)
    covered: Mapping[str, Decimal] = field(default_factory=dict)


def change_of(
    lines: Iterable[tuple[LineKey, Direct]], capacity: Mapping[str, Capacity], today: Today
) -> Change:
    """From the lines of a version and its capacity to what the month comes to now."""
    direct = dict(today.direct)
    for key, before in lines:
        now = direct.pop(key, Direct())
        cost = EXACT.subtract(now.cost, before.cost)
        if cost or now.requests != before.requests:
            direct[key] = Direct(now.requests - before.requests, cost)
    covered = {
        item: EXACT.subtract(today.covered.get(item, ZERO), held_of(capacity, item).covered)
        for item in {*capacity, *today.covered}
    }
    return Change(direct, {item: more for item, more in covered.items() if more})


def held_of(capacity: Mapping[str, Capacity], item: str) -> Capacity:
    return capacity.get(item, Capacity(ZERO))


def adjustments(closed: Iterable[Frozen], changes: Mapping[date, Change]) -> tuple[Adjustment, ...]:
    """What is due now of every closed month, by month and line. `changes` has each of them."""
    held = list(closed)
    billed = amounts(each for month in held for each in month.adjustments)
    found: list[Adjustment] = []
    for month in sorted(held, key=lambda each: each.month):
        found += of_usage(month, changes[month.month], billed)
        found += of_capacity(month, changes[month.month], billed)
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
    month: Frozen, change: Change, billed: Mapping[tuple[date, str], Mapping[LineKey, Decimal]]
) -> list[Adjustment]:
    known = billed.get((month.month, ""), {})
    found = []
    for key in sorted({*change.direct, *known}):
        more = change.direct.get(key, Direct())
        if due := EXACT.subtract(more.cost, known.get(key, ZERO)):
            reason = reason_for(more.requests)
            found.append(Adjustment(key, due, month.month, month.version, reason))
    return found


def reason_for(requests: int) -> str:
    if requests > 0:
        return LATE
    return FEWER if requests < 0 else ANEW


def of_capacity(
    month: Frozen, change: Change, billed: Mapping[tuple[date, str], Mapping[LineKey, Decimal]]
) -> list[Adjustment]:
    """The other way round, of what is in their direct cost and was paid for already."""
    adjusted = {item for other, item in billed if other == month.month and item}
    found = []
    for item in sorted({*change.covered, *adjusted}):
        known = billed.get((month.month, item), {})
        more = change.covered.get(item, ZERO)
        due = EXACT.subtract(EXACT.minus(more), add_up(known.values()))
        if not due:
            continue
        bearers = held_of(month.capacity, item).bearers or known or {LineKey(""): Decimal(1)}
        weights = {key: abs(weight) for key, weight in bearers.items()}
        found += [
            Adjustment(key, part, month.month, month.version, RETURNED, item)
            for key, part in sorted(split(due, weights, FINEST).items())
            if part
        ]
    return found
