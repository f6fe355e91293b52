"""How much each leaf says of a change: sums of two columns weigh any combination of leaves.

The expectation-based scan statistic (D. B. Neill, "Expectation-based scan statistics for monitoring
spatial time series data", International Journal of Forecasting 25, 2009): where all leaves of a
combination changed by one factor, which is the generalized ripple effect of Li et al. ("Generic and
Robust Localization of Multi-Dimensional Root Causes", ISSRE 2019), the evidence for that against no
change is X² / 2Y, with X and Y sums over its leaves. It is largest for the combination that holds
what changed alike and nothing else: a larger one is thinned, a smaller one leaves some out.

How far leaves scatter where nothing happened grows with their size: as its square root where they
count independent requests, in proportion where demand swings. The power is read from the leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finops.root_cause.leaves import Floats, Leaves

# Scatter (variance) grows with this power of the size: of independent counts, and of proportions.
COUNTS, PROPORTIONS = 1.0, 2.0
# Fewer leaves than that in each of the bins say nothing of the power.
LEAST_IN_BIN, BINS = 8, 10
# The median of the square of a standard normal deviate.
MEDIAN_OF_SQUARE = 0.4549


@dataclass(frozen=True, slots=True)
class Evidence:
    """By leaf: `x` and `y`, whose sums X and Y weigh a combination (X² / 2Y), and `change`, in
    units of the measure (of a ratio in units of its numerator). `shift`: how much of it comes of
    weights that changed, whichever way."""

    x: Floats
    y: Floats
    change: Floats
    shift: float


def evidence_of(leaves: Leaves, power: float | None = None) -> Evidence:
    """With the power given, or else as the leaves have it."""
    change, size = (ratio_changes if leaves.is_ratio else additive_changes)(leaves)
    held = size > 0
    # Of most leaves that had nothing, nothing is to be learned of how far others scatter.
    busy = held & (np.abs(leaves.floats[[0, 2 if leaves.is_ratio else 1]]).sum(axis=0) > 0)
    power, noise = scatter(change[busy], size[busy], power)
    x, y = np.zeros_like(change), np.zeros_like(size)
    # In units of the largest, so that no power overflows.
    unit = float(size.max(initial=0.0)) or 1.0
    scaled = size[held] / unit
    x[held] = change[held] / unit * scaled ** (1 - power) / noise
    y[held] = scaled ** (2 - power) / noise
    return Evidence(x, y, change, shifted(leaves) if leaves.is_ratio else 0.0)


def additive_changes(leaves: Leaves) -> tuple[Floats, Floats]:
    """Actual less expected, and the size of a leaf: the mean of both, whatever their sign."""
    actual, expected = leaves.floats
    return actual - expected, (np.abs(actual) + np.abs(expected)) / 2


def ratio_changes(leaves: Leaves) -> tuple[Floats, Floats]:
    """What a leaf has in its numerator beyond the former ratio of the whole, now less then, by a
    change of its own ratio or of its weight: of all leaves the difference of the whole, in units of
    the numerator. What was expected is taken to the size that the whole has now."""
    numerator, denominator, before, base = leaves.floats
    whole, now = base.sum(), denominator.sum()
    mean = before.sum() / whole if whole else 0.0
    growth = now / whole if whole else 0.0
    change = (numerator - mean * denominator) - (before - mean * base) * growth
    # A leaf of a small ratio moves the whole by its weight.
    now_size = np.abs(numerator) + np.abs(mean * denominator)
    return change, (now_size + (np.abs(before) + np.abs(mean * base)) * growth) / 4


def shifted(leaves: Leaves) -> float:
    """What changes of weight alone amount to, in units of the numerator."""
    _, denominator, before, base = leaves.floats
    whole = base.sum()
    if not whole:
        return 0.0
    mean, growth = before.sum() / whole, denominator.sum() / whole
    former = np.divide(before, base, out=np.full_like(base, mean), where=base != 0)
    return float(np.abs((denominator - base * growth) * (former - mean)).sum())


def scatter(change: Floats, size: Floats, power: float | None) -> tuple[float, float]:
    """The power of the size with which squares of changes grow, and their scale in units of the
    largest size; by medians, which the few leaves that did change do not move."""
    if not len(size):
        return COUNTS, 1.0
    unit = float(size.max())
    squares, scaled = (change / unit) ** 2, size / unit
    if power is None:
        enough = len(size) >= LEAST_IN_BIN * BINS
        power = power_of(squares, scaled) if enough else COUNTS
    noise = float(np.median(squares / scaled**power)) / MEDIAN_OF_SQUARE
    # Where most leaves are just as expected anything else is evidence, but not without bound.
    return power, max(noise, 1e-6)


def power_of(squares: Floats, sizes: Floats) -> float:
    """The slope of a line through the medians of equally many leaves each, by size."""
    parts = np.array_split(np.argsort(sizes, kind="stable"), BINS)
    found = [(np.median(sizes[part]), np.median(squares[part])) for part in parts]
    points = np.array([each for each in found if each[0] > 0 and each[1] > 0])
    if len(points) < BINS // 2:
        return COUNTS
    across, up = np.log(points).T
    spread = float(np.sum((across - across.mean()) ** 2))
    if spread < 1e-9:
        return COUNTS
    slope = float(np.sum((across - across.mean()) * (up - up.mean()))) / spread
    return min(max(slope, COUNTS), PROPORTIONS)
