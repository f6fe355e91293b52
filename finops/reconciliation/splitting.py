"""Why a bill differs from what we have: each cell's difference in parts that add up to it.

- *coverage*: usage that only one side knows of, and what is billed beside usage (taxes, fees).
- *quantity*: more or fewer tokens of a kind, at our price of it.
- *price*: the same tokens at another price.
- *timing*: tokens that one side counts on the day before or after: what one day has too much, its
  neighbour has too little. Of both days together that comes to nothing but a change of price.
- *credits*: what the provider takes off.
- *unexplained*: what is left where the bill does not say how much was used. Nothing is forced.
- *unpriced*: all that is billed of usage more than our cost, where requests of ours have no price:
  what they cost is not known, and is not zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise

from finops.pricing.formula import EXACT
from finops.reconciliation.cells import Billed, CellKey, Pair, Used
from finops.reconciliation.lines import CREDIT

PARTS = ("coverage", "quantity", "price", "timing", "credits", "unexplained", "unpriced")
MATCHED, EXPLAINED, UNEXPLAINED, NO_AMOUNT = "matched", "explained", "unexplained", "no amount"
UNPRICED = "unpriced"
# Half a cent: what two programs that round make of the same; of small amounts a hundredth of them,
# but where the bill is in whole cents.
TOLERANCE, SHARE, CENT = Decimal("0.005"), Decimal("0.01"), Decimal("0.01")
# Two days are one another's as far as what is missing in one is in the other, but for so much.
ALIKE = Decimal("0.1")
PLACES = Decimal("1e-12")
WIDE = Context(prec=EXACT.prec, rounding=ROUND_HALF_EVEN)
ZERO = Decimal(0)
DAY = timedelta(days=1)
Moves = dict[tuple[CellKey, str], tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Cell:
    """`billed` and `difference` (billed − ours) are None where the bill names no amount; else the
    `parts` add up to the difference."""

    key: CellKey
    ours: Decimal
    billed: Decimal | None
    difference: Decimal | None
    parts: Mapping[str, Decimal]
    status: str
    requests: int = 0
    unpriced_requests: int = 0
    quantities: Mapping[str, tuple[Decimal, Decimal | None]] = field(default_factory=dict)


def split(found: Mapping[CellKey, Pair], tolerance: Decimal = TOLERANCE) -> list[Cell]:
    """Every cell, in the order of their keys."""
    moved = moves(found)
    return [cell_of(key, found[key], moved, tolerance) for key in sorted(found)]


def cell_of(key: CellKey, pair: Pair, moved: Moves, tolerance: Decimal) -> Cell:
    used, billed = pair.used or Used(), pair.billed or Billed()
    has_amount = bool(billed.amounts or billed.others) or pair.is_known
    quantities = {
        kind: (used.quantities.get(kind, ZERO), billed.quantities.get(kind))
        for kind in sorted({*used.quantities, *billed.quantities})
    }
    if not has_amount:
        return Cell(
            key, used.cost, None, None, {}, NO_AMOUNT, used.requests, used.unpriced_requests,
            quantities,
        )  # fmt: skip
    total = add_up([*billed.amounts.values(), *billed.others.values()])
    parts = parts_of(key, pair, moved)
    difference = EXACT.subtract(total, used.cost)
    status = status_of(total, used, difference, parts, tolerance)
    return Cell(
        key, used.cost, total, difference, parts, status, used.requests, used.unpriced_requests,
        quantities,
    )  # fmt: skip


def status_of(
    total: Decimal,
    used: Used,
    difference: Decimal,
    parts: Mapping[str, Decimal],
    tolerance: Decimal,
) -> str:
    if used.unpriced_requests:
        return UNPRICED
    is_small = abs(difference) <= SHARE * max(abs(total), abs(used.cost))
    if abs(difference) <= tolerance and (is_small or total == used.cost.quantize(CENT)):
        return MATCHED
    return UNEXPLAINED if abs(parts["unexplained"]) > tolerance else EXPLAINED


def parts_of(key: CellKey, pair: Pair, moved: Moves) -> dict[str, Decimal]:
    used, billed = pair.used, pair.billed or Billed()
    parts = dict.fromkeys(PARTS, ZERO)
    for category, amount in billed.others.items():
        name = "credits" if category == CREDIT else "coverage"
        parts[name] = EXACT.add(parts[name], amount)
    if used is not None and used.unpriced_requests:
        parts["unpriced"] = EXACT.subtract(add_up(billed.amounts.values()), used.cost)
        return parts
    if used is None or not billed.amounts:
        # One side has nothing of it, but for what belongs to the day before or after.
        whole = EXACT.subtract(add_up(billed.amounts.values()), used.cost if used else ZERO)
        early = add_up(value for (cell, _), (_, value) in moved.items() if cell == key)
        parts["timing"] = early
        parts["coverage"] = EXACT.add(parts["coverage"], EXACT.subtract(whole, early))
        return parts
    if "" in billed.amounts:
        of_all_kinds(key, used, billed, moved, parts)
    else:
        for kind in sorted({*billed.amounts, *used.costs}):
            of_kind(key, kind, used, billed, moved, parts)
    return parts


def of_kind(
    key: CellKey, kind: str, used: Used, billed: Billed, moved: Moves, parts: dict[str, Decimal]
) -> None:
    amount, cost = billed.amounts.get(kind), used.costs.get(kind, ZERO)
    difference = EXACT.subtract(amount or ZERO, cost)
    theirs, ours = billed.quantities.get(kind), used.quantities.get(kind, ZERO)
    if not difference:
        return
    if amount is None or not ours:
        add(parts, "quantity" if kind in billed.quantities or not ours else "coverage", difference)
    elif theirs is None:
        add(parts, "unexplained", difference)
    else:
        count, value = moved.get((key, kind), (ZERO, ZERO))
        more = at_price(EXACT.subtract(EXACT.subtract(theirs, ours), count), cost, ours)
        add(parts, "timing", value)
        add(parts, "quantity", more)
        add(parts, "price", EXACT.subtract(difference, EXACT.add(value, more)))


def of_all_kinds(
    key: CellKey, used: Used, billed: Billed, moved: Moves, parts: dict[str, Decimal]
) -> None:
    """Of an amount for all kinds together; how many tokens it is of another report may say."""
    difference = EXACT.subtract(add_up(billed.amounts.values()), used.cost)
    kinds = [kind for kind, count in used.quantities.items() if count and used.costs.get(kind)]
    if not difference:
        return
    if not kinds or any(kind not in billed.quantities for kind in kinds):
        add(parts, "unexplained", difference)
        return
    for kind in kinds:
        ours, cost = used.quantities[kind], used.costs[kind]
        count, value = moved.get((key, kind), (ZERO, ZERO))
        more = EXACT.subtract(EXACT.subtract(billed.quantities[kind], ours), count)
        priced = at_price(more, cost, ours)
        add(parts, "timing", value)
        add(parts, "quantity", priced)
        difference = EXACT.subtract(difference, EXACT.add(value, priced))
    add(parts, "price", difference)


def moves(found: Mapping[CellKey, Pair]) -> Moves:
    """What one side counts on a neighbouring day: by cell and kind the quantity, and its value."""
    series: dict[tuple[str, str, str, str], list[CellKey]] = defaultdict(list)
    for key, pair in found.items():
        if pair.used is not None and pair.used.unpriced_requests:
            continue
        kinds = {*(pair.used or Used()).quantities, *(pair.billed or Billed()).quantities}
        for kind in kinds:
            series[key.provider, key.model, key.account, kind].append(key)
    moved: Moves = {}
    for (*_, kind), keys in series.items():
        ordered = sorted(keys, key=lambda key: key.day)
        for one, other in pairwise(ordered):
            if other.day - one.day == DAY and (one, kind) not in moved:
                move(one, other, kind, found, moved)
    return moved


def move(
    one: CellKey, other: CellKey, kind: str, found: Mapping[CellKey, Pair], moved: Moves
) -> None:
    first, second = (more_of(found[key], kind) for key in (one, other))
    if first is None or second is None or first * second >= 0:
        return
    if abs(EXACT.add(first, second)) > ALIKE * max(abs(first), abs(second)):
        return
    price = price_of(found[one], kind) or price_of(found[other], kind)
    if price is None:
        return
    count = min(abs(first), abs(second)).copy_sign(first)
    value = at_price(count, *price)
    moved[one, kind] = (count, value)
    moved[other, kind] = (-count, -value)


def more_of(pair: Pair, kind: str) -> Decimal | None:
    """How much more is billed than was used; None where a side that has the cell does not say."""
    if pair.billed is not None and kind not in pair.billed.quantities and pair.billed.amounts:
        return None
    if pair.billed is None and not pair.is_known:
        return None
    theirs = pair.billed.quantities.get(kind, ZERO) if pair.billed else ZERO
    return EXACT.subtract(theirs, pair.used.quantities.get(kind, ZERO) if pair.used else ZERO)


def price_of(pair: Pair, kind: str) -> tuple[Decimal, Decimal] | None:
    """Our cost of our quantity."""
    if pair.used is None or not pair.used.quantities.get(kind) or kind not in pair.used.costs:
        return None
    return pair.used.costs[kind], pair.used.quantities[kind]


def at_price(count: Decimal, cost: Decimal, quantity: Decimal) -> Decimal:
    return WIDE.divide(WIDE.multiply(count, cost), quantity).quantize(PLACES, context=WIDE)


def add(parts: dict[str, Decimal], name: str, amount: Decimal) -> None:
    parts[name] = EXACT.add(parts[name], amount)


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for each in amounts:
        total = EXACT.add(total, each)
    return total
