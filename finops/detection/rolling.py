"""Statistics of what lies before each point, all points at once.

Arrays are of floats, one for each point, NaN where nothing is known. No answer at a point depends
on a later one, nor on how many follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
# Of a block of points, at least this share is known, or nothing is said of it.
SHARE = 0.25


def lagged(values: Floats, lags: Sequence[int] | NDArray[np.int64]) -> Floats:
    """A row for each point: the values `lags` steps before it (points × lags)."""
    steps = np.asarray(lags, dtype=np.int64)
    steps = steps[steps < max(len(values), int(steps.min()) + 1)]
    reach = int(steps.max())
    padded = np.concatenate([np.full(reach, np.nan), values])
    found: Floats = padded[np.arange(len(values))[:, None] + (reach - steps)[None, :]]
    return found


def row_quantiles(rows: Floats, levels: Sequence[float], needed: int = 1) -> list[Floats]:
    """Of each row's known values the quantiles; NaN where fewer than `needed` are known."""
    return _quantiles(*_ordered(rows), levels, max(needed, 1))


def _ordered(rows: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Each row in order, unknown ones last, and how many are known."""
    ordered = np.sort(rows, axis=1)
    known: NDArray[np.int64] = rows.shape[1] - np.isnan(ordered).sum(axis=1)
    return ordered, known


def _quantiles(
    ordered: Floats, known: NDArray[np.int64], levels: Sequence[float], needed: int
) -> list[Floats]:
    at, last = np.arange(len(ordered)) * ordered.shape[1], np.maximum(known - 1, 0)
    flat, enough = ordered.ravel(), known >= needed
    found = []
    for level in levels:
        position = level * last
        below = position.astype(np.int64)
        weight = position - below
        value = flat[at + below] * (1 - weight) + flat[at + np.minimum(below + 1, last)] * weight
        found.append(np.where(enough, value, np.nan))
    return found


def row_medians(rows: Floats, needed: int = 1) -> Floats:
    return row_quantiles(rows, (0.5,), needed)[0]


def window_sums(values: Floats, length: int) -> tuple[Floats, NDArray[np.int64]]:
    """Of the `length` points that end at each: the sum of the known ones, and their number."""
    known = ~np.isnan(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - length, 0)
    return sums[ends] - sums[starts], counts[ends] - counts[starts]


def window_means(values: Floats, length: int, share: float = SHARE) -> Floats:
    """The mean of the `length` points that end at each, where that share of them is known."""
    if length == 1:
        return values
    sums, counts = window_sums(values, length)
    enough = counts >= max(1.0, share * length)
    return np.where(enough, sums / np.maximum(counts, 1), np.nan)


def window_peaks(values: Floats, length: int) -> Floats:
    """The largest of the `length` points that end at each; NaN where none is known."""
    best = np.where(np.isnan(values), -np.inf, values)
    reach = 1
    while reach < length:
        step = min(reach, length - reach)
        best[step:] = np.maximum(best[step:], best[:-step])
        reach += step
    return np.where(np.isinf(best), np.nan, best)


def later(values: Floats, steps: int) -> Floats:
    """The values `steps` points before each."""
    if steps >= len(values):
        return np.full(len(values), np.nan)
    return np.concatenate([np.full(steps, np.nan), values[: len(values) - steps]])


def so_far(values: Floats) -> Floats:
    """The mean of all known values before each."""
    return later(window_means(values, len(values), 0.0), 1)


def block_quantiles(
    values: Floats, block: int, blocks: int, lag: int, levels: Sequence[float]
) -> list[Floats]:
    """Quantiles of the values that stand `lag`, `lag` + `block`, … points before each; the last is
    the number of those that are known. Looked at afresh three times a block, for speed."""
    every = max(1, block // 3)
    ends = np.arange(0, len(values), every)
    lags = lag + block * np.arange(blocks)
    lags = lags[: max(1, int(np.searchsorted(lags, len(values))))]
    reach = int(lags[-1])
    padded = np.concatenate([np.full(reach, np.nan), values])
    ordered, known = _ordered(padded[(ends + reach)[:, None] - lags[None, :]])
    found = [*_quantiles(ordered, known, levels, 1), known.astype(np.float64)]
    return [np.repeat(column, every)[: len(values)] for column in found]


def typical(values: Floats, block: int, blocks: int, lag: int = 1) -> Floats:
    """The median of the means of the `blocks` blocks that end `lag` points before each.

    It forgives what happened in less than half of the blocks, and stands for series that are mostly
    zero, whose median says nothing.
    """
    return block_quantiles(window_means(values, block), block, blocks, lag, (0.5,))[0]
