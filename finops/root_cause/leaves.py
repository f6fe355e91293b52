"""The leaves of a comparison: the finest combinations of dimensions, as they were and as expected.

Figures are kept twice, exactly for what is told, and as floats for the statistics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

Number = Decimal | int | float
# Additive: actual and expected. Ratio: numerator and denominator of each.
Pair = tuple[Number, Number]
Figures = Pair | tuple[Pair, Pair]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ADDITIVE, RATIO = "additive", "ratio"
# Sums of exact figures are not rounded, however large and fine they are.
EXACT_DIGITS = 120
# Nothing that is counted or paid has as many digits; sums of larger figures would be rounded.
LARGEST = 60


@dataclass(frozen=True, slots=True)
class Leaves:
    """`codes[d][i]` is the place of leaf i's value among `labels[d]`, which are sorted.

    `exact[k][i]` and `floats[k][i]` are its figures: of an additive measure actual and expected,
    of a ratio numerator and denominator as they are, then as expected.
    """

    dimensions: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codes: Integers
    exact: tuple[tuple[Decimal, ...], ...]
    floats: Floats

    @property
    def count(self) -> int:
        return int(self.codes.shape[1])

    @property
    def is_ratio(self) -> bool:
        return len(self.exact) == 4

    @classmethod
    def of(
        cls,
        leaves: Mapping[tuple[str, ...], Any],
        dimensions: Sequence[str],
        measure: str = ADDITIVE,
    ) -> Leaves:
        """Sorted, so that their order does not matter. Raises ValueError for what is no leaf."""
        if measure not in {ADDITIVE, RATIO}:
            raise ValueError(f"unknown measure {measure!r}; known are {ADDITIVE} and {RATIO}")
        if any(len(key) != len(dimensions) for key in leaves):
            raise ValueError(f"a leaf must have {len(dimensions)} values: {', '.join(dimensions)}")
        labels, codes = encoded(list(leaves), len(dimensions))
        order = np.lexsort(codes[::-1]) if len(dimensions) else np.arange(len(leaves))
        figures, width = list(leaves.values()), 2 if measure == ADDITIVE else 4
        rows = [flat(figures[place], width) for place in order.tolist()]
        exact = tuple(zip(*rows, strict=True)) if rows else ((),) * width
        floats = np.array([list(map(float, row)) for row in exact])
        return cls(tuple(dimensions), labels, codes[:, order], exact, floats)


def flat(figures: Any, width: int) -> tuple[Decimal, ...]:
    numbers = figures if width == 2 else (*figures[0], *figures[1])
    if len(numbers) != width:
        raise ValueError(f"a leaf must have {width} figures, not {len(numbers)}")
    return tuple(map(decimal_of, numbers))


def decimal_of(number: Number) -> Decimal:
    """The figure to its last digit. Raises ValueError."""
    if not math.isfinite(number):
        raise ValueError(f"a figure must be a finite number, not {number}")
    if isinstance(number, Decimal):
        exact = number
    else:
        is_whole = isinstance(number, Integral)
        exact = Decimal(int(number)) if is_whole else Decimal(repr(float(number)))
    if exact and exact.adjusted() >= LARGEST:
        raise ValueError(f"a figure must have at most {LARGEST} digits before the point: {number}")
    return exact


def encoded(
    keys: Sequence[tuple[str, ...]], width: int
) -> tuple[tuple[tuple[str, ...], ...], Integers]:
    """The sorted values of each dimension, and each leaf's place among them."""
    labels: list[tuple[str, ...]] = []
    codes = np.zeros((width, len(keys)), dtype=np.int64)
    for number, column in enumerate(zip(*keys, strict=True)):
        values = tuple(sorted(set(column)))
        places = {value: place for place, value in enumerate(values)}
        codes[number] = np.fromiter(map(places.__getitem__, column), np.int64, len(keys))
        labels.append(values)
    return tuple(labels) or ((),) * width, codes
