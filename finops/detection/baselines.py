"""What is to be expected of each point, by the points before it.

Several plain forecasts run side by side: the median of late, of the same phase of each season, and
the season's shape at the present level. Each counts by how well it has done lately, so a series
without a weekly rhythm is not judged by one, and medians forgive what happened in less than half
of what they look at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from finops.detection.rolling import (
    Flags,
    Floats,
    block_quantiles,
    lagged,
    later,
    row_medians,
    so_far,
    typical,
    window_means,
)
from finops.detection.scales import HOUR, Scale

# Of a level, at most that many points are looked at, spread evenly.
SAMPLES = 36
# Of a season, that many are looked at.
REPEATS = 7
# The better forecast counts by this power of the ratio of the errors.
SHARPNESS = 4.0
# What a season has known of old counts as ordinary where it differs from the present expectation
# by more than so many of its own errors: the return from a shift is no news.
APART = 2.0
# A season is one if its errors are below this share of the level's.
RHYTHM = 0.7
# What is as near as this to the same time of day is as good as the same.
NEAR = timedelta(minutes=15)
LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Baseline:
    """`expected` by point; `low` and `high`, the ends of what else was ordinary (it lies between);
    `size`, how large the series usually is, absolutely; `source`, which forecast weighs most: an
    index into `names`, each LEVEL or the season's length in steps; `rhythms`, where a season, by
    its length, tells clearly more than the level does; `wild`, how far off it usually is, by
    `size`."""

    expected: Floats
    low: Floats
    high: Floats
    size: Floats
    source: np.ndarray
    names: tuple[str | int, ...]
    rhythms: dict[int, Flags]
    wild: Floats

    def within(self, other: Baseline, points: slice) -> Baseline:
        """This one, but for some points, of which the other says what was expected, if it can."""
        if other is self:
            return self
        columns = {name: getattr(self, name).copy() for name in ("expected", "low", "high")}
        for name, column in columns.items():
            others = getattr(other, name)[points]
            column[points] = np.where(np.isnan(others), column[points], others)
        return replace(self, **columns)


def baseline(values: Floats, scale: Scale) -> Baseline:
    """The expectation of every point of `values`."""
    size = _size(values, scale)
    names: list[str | int] = [LEVEL]
    forecasts = [_level(values, scale)]
    for season in scale.seasons:
        if season < len(values):
            names += [season, season]
            forecasts += [
                _phase(values, season, scale),
                _shape(values, season, scale),
            ]
    errors = [_errors(values, forecast, scale, size) for forecast in forecasts]
    weights = _weights(forecasts, [error[0] for error in errors])
    guesses = np.where(np.isnan(forecasts), 0.0, forecasts)
    total = weights.sum(axis=0)
    expected = np.where(total > 0, (weights * guesses).sum(axis=0) / np.maximum(total, 1e-300), 0)
    expected = np.where(total > 0, expected, np.nan)
    low, high = expected, expected
    rhythms = {}
    for season in scale.seasons:
        if season < len(values):
            at_best = np.fmin.reduce(
                [error[1] for name, error in zip(names, errors, strict=True) if name == season]
            )
            rhythms[season] = at_best < RHYTHM * errors[0][1]
        if season == scale.seasons[-1] and 3 * season < len(values):
            remembered = _phase(values, season, scale, 3)
            _, at_best = _errors(values, remembered, scale, size)
            known = rhythms[season] & (np.abs(remembered - expected) > APART * at_best)
            low = np.where(known, np.fmin(low, remembered), low)
            high = np.where(known, np.fmax(high, remembered), high)
    off = typical(np.abs(values - expected), scale.peak, scale.peaks)
    wild = np.clip(np.nan_to_num(off / size, posinf=2.0), 0.0, 2.0)
    return Baseline(expected, low, high, size, weights.argmax(axis=0), tuple(names), rhythms, wild)


def moved_by_an_hour(values: Floats, base: Baseline, scale: Scale) -> tuple[Floats, Floats]:
    """`low` and `high` where a season may come an hour earlier or later (daylight saving)."""
    hour = HOUR // scale.step if not HOUR % scale.step else 0
    low, high = base.low, base.high
    if not 1 <= hour <= 12:
        return low, high
    for season, rhythm in base.rhythms.items():
        middle = row_medians(lagged(values, _repeats(season)))
        for moved in (-hour, hour):
            beside = row_medians(lagged(values, _repeats(season) + moved))
            change = np.where(rhythm & ~np.isnan(beside - middle), beside - middle, 0.0)
            low, high = np.fmin(low, base.low + change), np.fmax(high, base.high + change)
    return low, high


def _size(values: Floats, scale: Scale) -> Floats:
    """How large the series is: the median of its blocks, but not nothing where it is mostly so."""
    means = window_means(np.abs(values), scale.block)
    middle, upper, _ = block_quantiles(means, scale.block, scale.blocks, 1, (0.5, 0.9))
    size = np.fmax(middle, 0.25 * upper)
    return np.where(size > 0, size, so_far(np.abs(values)))


def _spread(length: int) -> np.ndarray:
    """Lags over the last `length` points, all of them or an even sample."""
    return np.unique(np.linspace(1, length, min(length, SAMPLES)).round().astype(np.int64))


def _level(values: Floats, scale: Scale) -> Floats:
    return row_medians(lagged(values, _spread(scale.level)), min(3, scale.level))


def _repeats(season: int) -> np.ndarray:
    """Lags of the same phase of the seasons before."""
    return season * np.arange(1, REPEATS + 1, dtype=np.int64)


def _phase(values: Floats, season: int, scale: Scale, least: int = 1) -> Floats:
    """The median of this phase of earlier seasons, of so many at least."""
    lags = _repeats(season)
    around = np.unique(
        [round(share * NEAR / scale.step) for share in (-1, -0.6, -0.3, 0, 0.3, 0.6, 1)]
    )
    rows = lagged(values, (lags[:, None] + around[None, :]).ravel())
    return row_medians(rows, 1 if least == 1 else (least - 1) * len(around) + 1)


def _shape(values: Floats, season: int, scale: Scale) -> Floats:
    """This phase's usual share of a season's mean, times the level of late."""
    before = later(window_means(values, season, 0.75), 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.where(before > 0, values / before, np.nan)
        lags = _repeats(season)
        profile = row_medians(lagged(share, lags))
        leveled = np.where(profile > 0.05, values / profile, np.nan)
        level = row_medians(lagged(leveled, _spread(max(season, scale.memory))), 5)
        return np.where(profile >= 0, profile * level, np.nan)


def _errors(values: Floats, forecast: Floats, scale: Scale, size: Floats) -> tuple[Floats, Floats]:
    """How far off it usually was: of late, and in the best quarter of what is remembered."""
    off = np.abs(values - forecast)
    means = window_means(off, scale.block)
    middle, best, _ = block_quantiles(means, scale.block, scale.blocks, 1, (0.5, 0.25))
    recent = block_quantiles(means, scale.block, max(3, scale.blocks // 4), 1, (0.5,))[0]
    return np.fmax(recent, 0.5 * middle) + 1e-3 * size, best + 1e-2 * size


def _weights(forecasts: list[Floats], errors: list[Floats]) -> Floats:
    """Larger for the better, 0 where one is not known; the first stands in where no error is."""
    rows, off = np.array(forecasts), np.array(errors)
    known = ~np.isnan(rows) & ~np.isnan(off)
    best = np.min(np.where(known, off, np.inf), axis=0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(known & (off > 0), best / off, 0.0)
    ratio = np.where(known & (off <= 0), 1.0, ratio)
    weights = ratio**SHARPNESS
    alone = ~known.any(axis=0) & ~np.isnan(rows[0])
    weights[0] = np.where(alone, 1.0, weights[0])
    found: Floats = np.asarray(weights, dtype=np.float64)
    return found
