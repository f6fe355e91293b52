"""The way from one amount to another as a waterfall: where each bar begins and ends.

Bars lie, so that their names have room on a telephone too; places are percent of the width. The
figures stand beside the bars, exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

# Where the steps together take less than this part of an axis from zero, it begins later.
LEAST_USE = Decimal("0.3")
# What is left of the first sums then, as a part of what the steps take.
KEPT = Decimal("0.35")
# A step that is not nothing is seen, in percent of the width.
THINNEST = Decimal("0.4")


@dataclass(frozen=True, slots=True)
class Bar:
    """`tone` is "total", "up" or "down". `entered` is where the line comes in from the bar above,
    and `left` where the one to the bar below goes out; None at the ends."""

    start: float
    width: float
    tone: str
    entered: float | None
    left: float | None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The sum before, each step, the sum after. `begins_at` is what the axis begins with, and
    `zero` where zero is on it; None where it begins later."""

    bars: tuple[Bar, ...]
    begins_at: Decimal
    zero: float | None


def waterfall(before: Decimal, steps: Sequence[Decimal]) -> Waterfall:
    levels = [before]
    for step in steps:
        levels.append(levels[-1] + step)
    low, high = axis(levels)
    length = high - low or Decimal(1)

    def place(amount: Decimal) -> Decimal:
        return (amount - low) * 100 / length

    base = min(max(Decimal(0), low), high)
    spans = [(base, before), *pairwise(levels), (base, levels[-1])]
    tones = ["total", *map(tone_of, steps), "total"]
    joints = [None, *(rounded(place(level)) for level in levels), None]
    bars = tuple(
        Bar(*placed(place(min(span)), place(max(span)), span[0] != span[1]), tone, *ends)
        for span, tone, ends in zip(spans, tones, pairwise(joints), strict=True)
    )
    return Waterfall(bars, low, rounded(place(Decimal(0))) if low <= 0 <= high else None)


def axis(levels: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """From zero, unless the steps would be too small to see."""
    low, high = min(levels), max(levels)
    taken = high - low
    if low > 0 and taken and taken < LEAST_USE * high:
        return low - taken * KEPT, high
    if high < 0 and taken and taken < LEAST_USE * -low:
        return low, high + taken * KEPT
    return min(low, Decimal(0)), max(high, Decimal(0))


def placed(start: Decimal, end: Decimal, is_something: bool) -> tuple[float, float]:
    """Start and width, thick enough to be seen and within the axis."""
    width = max(end - start, THINNEST) if is_something else end - start
    return rounded(min(start, 100 - width)), rounded(width)


def tone_of(step: Decimal) -> str:
    return "up" if step > 0 else "down" if step < 0 else "total"


def rounded(percent: Decimal) -> float:
    return float(round(percent, 2))
