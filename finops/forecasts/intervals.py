"""How far off a forecast may be, four times in five, by how far off it was on the past.

Of days: the middle 80 % of the errors at the origins, each as a part of what such days of the week
were off by. Of sums of days: how far off sums of as many days were at the same origins, as errors
of neighbouring days are alike and do not cancel out.
"""

from __future__ import annotations

import numpy as np

from finops.forecasts.fitting import Fit
from finops.forecasts.models import WEEK, Array

LOW, HIGH = 0.1, 0.9
DEVIATE = 1.2816
# A normal deviation beside the mean of absolute errors, which single days out of line move less.
OF_MEAN = 1.2533
# Models were chosen by the same errors, and so do worse on days that nobody has seen: measured at
# earlier origins of NN5.
WIDENED, SUMS_WIDENED = 1.16, 1.08
# Errors of fewer days than that are put together with those of other weeks ahead.
LEAST_ERRORS = 60
# A sum needs this many origins at which all of it is known.
LEAST_SUMS = 4
# Of days of the week that were never off, this part of what the others were off by.
LEAST_SCALE = 0.25


def band(fit: Fit) -> tuple[Array, Array]:
    """Low and high of each day ahead."""
    days = len(fit.path)
    scales = scales_of(fit.errors)
    parts = fit.errors / np.resize(scales, fit.errors.shape[1])
    lows, highs = np.zeros(days), np.zeros(days)
    for first in range(0, days, WEEK):
        some = np.s_[first : first + WEEK]
        low, high = middle_of(errors_about(parts, first), is_even=fit.changed > 0) * WIDENED
        lows[some], highs[some] = min(low, 0.0), max(high, 0.0)
    scale = np.resize(scales, days)
    low, high = fit.path + lows * scale, fit.path + highs * scale
    return np.maximum(low, 0.0), high


def middle_of(errors: Array, *, is_even: bool) -> Array:
    """The bounds of the middle 80 %; where the level has changed, all errors were to one side, and
    the next may be to the other."""
    if is_even:
        off = np.quantile(np.abs(errors), HIGH - LOW)
        return np.array([-off, off])
    return np.asarray(np.quantile(errors, (LOW, HIGH)))


def scales_of(errors: Array) -> Array:
    """The mean error of each of the seven days of a week."""
    cells = np.abs(errors).reshape(len(errors), -1, WEEK)
    is_known = np.isfinite(cells)
    found = np.where(is_known, cells, 0.0).sum(axis=(0, 1)) / np.maximum(
        is_known.sum(axis=(0, 1)), 1
    )
    return np.asarray(np.maximum(found, LEAST_SCALE * found.mean()) + 1e-12)


def errors_about(parts: Array, first: int) -> Array:
    """Those of the week ahead that begins there and of its neighbours, or of more where few are
    known; of what is further ahead than was ever tried, those of the last weeks that were."""
    tried = parts.shape[1]
    middle = min(first, tried - WEEK)
    for reach in range(WEEK, tried + WEEK, WEEK):
        some = parts[:, max(middle - reach, 0) : middle + WEEK + reach]
        known = some[np.isfinite(some)]
        if len(known) >= LEAST_ERRORS:
            return known
    known = parts[np.isfinite(parts)]
    return known if len(known) else np.zeros(1)


def spread(fit: Fit, weights: Array) -> float:
    """How far the sum of the days ahead, each by its weight, may be off in either direction."""
    tried = fit.errors.shape[1]
    weighed = np.zeros(tried)
    weighed[: len(weights)] = weights[:tried]
    wanted = float(weights.sum())
    if not wanted:
        return 0.0
    length, off = off_by(fit.errors, weighed)
    known = float(weighed[:length].sum())
    apart = float(np.sqrt((weights**2).sum())) * deviation(fit.errors)
    if known <= 0:
        return DEVIATE * SUMS_WIDENED * max(apart, deviation(fit.errors) * wanted)
    # What lies further ahead than sums could be tried is taken to be off by as much a day.
    return DEVIATE * SUMS_WIDENED * max(off * wanted / known, apart)


def off_by(errors: Array, weights: Array) -> tuple[int, float]:
    """The days ahead of which enough sums are known, and the deviation of those sums."""
    counts = np.isfinite(errors).sum(axis=0)
    enough = np.flatnonzero(counts >= min(LEAST_SUMS, counts.max()))
    length = int(enough[-1]) + 1
    is_whole = np.isfinite(errors[:, :length]).all(axis=1)
    sums = errors[is_whole, :length] @ weights[:length]
    return length, OF_MEAN * float(np.abs(sums).mean()) * (1 + 1 / (2 * len(sums)))


def deviation(errors: Array) -> float:
    """Of a single day."""
    known = errors[np.isfinite(errors)]
    return OF_MEAN * float(np.abs(known).mean()) if len(known) else 0.0
