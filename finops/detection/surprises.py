"""How far out of order each point is, and how seldom that is so.

Points are judged alone and together, over windows of several lengths: a spike shows alone, a small
shift only in the mean of a day. Each window's mean is held against the baseline and against what
came just before it, each in units of its own usual noise, and only what stands out of both counts:
a level that has been odd for long is no news, nor is the way back from it.

How high is high is asked of the series itself: the worst of each block (an hour, a day, a week) of
its past gives a distribution of the worst, whose upper end is drawn out (as Gumbel's) to the height
that chance reaches as seldom as false alarms may come. Quantiles are used throughout, so
an incident of the past does not blind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from finops.detection.baselines import Baseline, moved_by_an_hour
from finops.detection.rolling import (
    Flags,
    Floats,
    block_quantiles,
    later,
    so_far,
    typical,
    window_means,
    window_peaks,
)
from finops.detection.scales import DAY, Scale

# No difference below this share of what is expected is a surprise by itself: it is the least noise.
LEAST_NOISE = 0.06
# The mean of absolute values of normal noise, in its deviations.
MEAN_TO_DEVIATION = 1.2533
# A window is compared with so many times its length before it, and at least that many points.
BEFORE, LEAST_BEFORE = 6, 12
# Reduced variates of Gumbel's distribution at the two quantiles that are measured.
MIDDLE, UPPER = 0.3, 0.6
AT_MIDDLE, AT_UPPER = (-math.log(-math.log(level)) for level in (MIDDLE, UPPER))
# What is thought of the worst of a block before any was seen, and how many blocks that is worth.
PRIOR_PEAK, PRIOR_SPREAD, PRIOR_WORTH = 3.0, 2.0, 4.0
LEAST_SPREAD = 0.1
# A series that is off by more than this share of its size is wild: the rarer alarms are to be, the
# more room it is given, from one alarm a week on.
TAME, WILD, WEEKLY = 0.25, 2.0, 7.0
# Of the blocks between two false alarms, so many may have been worse than what is no alarm.
EDGE, MOST_EDGE = 8.0, 0.95
# Their upper end is drawn out straight in a power of the score: 1 suits the exponential end that
# single points have, 2 would suit normal noise; means of so many points are on the way there.
POWER, FULL_POWER = 1.5, 10
# What is so many times as far out as anything remembered, and as its limit, is unheard of: however
# little it is worth. Not before so many days can be remembered.
RECORD, FAR, RECORD_DAYS = 2.5, 2.5, 7.0
# Falls cost nothing: they have to be so much clearer.
FALLS = 1.2
MOST_SURPRISE = 12.0
# Of a series this share of whose points is 0, each event counts as a chance of its own.
SPARSE = 0.2
# Both directions and several windows look at the same series.
LOOKS = 4.0
CLIP = 1e6
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Look:
    """Windows of one length: their means' `excess` over the baseline (in the series' unit),
    `score` (deviations, signed) and the `limits` of it by direction, how high a score must be; from
    `unheard` on it is one however little it is worth."""

    length: int
    power: float
    points_per_day: float
    expected: Floats
    excess: Floats
    leap: Floats
    slow: Floats
    score: Floats
    limits: dict[int, Floats]
    unheard: dict[int, Floats]
    slopes: dict[int, Floats]
    middles: dict[int, Floats]

    def surprise(self, at: int, direction: int, days_per_peak: float) -> float:
        """log10 of the days between two such scores by chance."""
        score = float(self.score[at]) * direction
        middle, slope = float(self.middles[direction][at]), float(self.slopes[direction][at])
        if not score > 0 or not middle > 0:
            return 0.0
        variate = AT_MIDDLE + (math.pow(score, self.power) - middle) / slope
        by_its_past = variate / math.log(10) + math.log10(days_per_peak / LOOKS)
        share = max(NORMAL.cdf(-score), 1e-300) * LOOKS * self.points_per_day
        return min(max(min(by_its_past, -math.log10(share)), 0.0), MOST_SURPRISE)


def looks(values: Floats, base: Baseline, scale: Scale, every_days: float) -> list[Look]:
    """A look for each window of the scale. `every_days`: how seldom chance may raise an alarm."""
    unit = _unit(base)
    low, high = moved_by_an_hour(values, base, scale)
    near = np.clip(_outside(values, low, high) / unit, -CLIP, CLIP)
    quantum = _quantum(values, scale)
    rate = np.fmax(np.abs(base.expected), base.size)
    found = []
    for length in scale.windows:
        if 2 * length > len(values):
            break
        least = _least_noise(base, rate, quantum, length, unit)
        found.append(_look(values, base, near, least, length, scale, every_days))
    return found


def deviation(values: Floats, base: Baseline, scale: Scale) -> Floats:
    """The usual distance of a single point from what was expected, in the series' unit."""
    unit = _unit(base)
    off = np.clip((values - base.expected) / unit, -CLIP, CLIP)
    rate = np.fmax(np.abs(base.expected), base.size)
    least = _least_noise(base, rate, _quantum(values, scale), 1, unit)
    return _noise(off, 1, scale, least) * unit


def _look(
    values: Floats,
    base: Baseline,
    residual: Floats,
    least: Floats,
    length: int,
    scale: Scale,
    every_days: float,
) -> Look:
    means = window_means(residual, length, 0.5)
    slow = means / _noise(means, length, scale, least)
    span = max(LEAST_BEFORE, BEFORE * length)
    jump = means - later(window_means(residual, span), length)
    fast = jump / _noise(jump, length, scale, least)
    fast = np.where(np.isnan(fast), slow, fast)
    score = np.where(np.sign(slow) == np.sign(fast), np.sign(slow), 0.0)
    score = score * np.fmin(np.abs(slow), np.abs(fast))
    score = np.where(np.isnan(values), np.nan, score)
    score[: max(2 * length - 1, scale.needed)] = np.nan
    limits, unheard, slopes, middles = {}, {}, {}, {}
    variate = math.log(max(every_days * LOOKS / scale.days_per_peak, 2.0))
    power = _power(length, scale)
    wild = 0.0 if scale.single else WILD
    room = 1 + wild * max(0.0, math.log10(every_days / WEEKLY)) * np.maximum(base.wild - TAME, 0)
    edge_level = min(1 - EDGE * scale.days_per_peak / every_days, MOST_EDGE)
    points_per_day = DAY / scale.step
    least_limit = NORMAL.inv_cdf(1 - 1 / max(every_days * LOOKS * points_per_day, 10.0))
    for direction in (1, -1):
        middle, slope, edge, record = _worst(score * direction, length, scale, edge_level)
        by_its_past = (middle + slope * (variate - AT_MIDDLE)) ** (1 / power)
        limits[direction] = np.fmax(by_its_past, least_limit) * (1 if direction > 0 else FALLS)
        limits[direction] = np.fmax(limits[direction], edge) * room
        unheard[direction] = np.fmax(RECORD * record, FAR * limits[direction])
        slopes[direction], middles[direction] = slope, middle
    excess = window_means(values - base.expected, length, 0.5)
    expected = window_means(base.expected, length, 0.5)
    leap = window_means(values, length, 0.5) - later(window_means(values, span), length)
    return Look(
        length,
        power,
        points_per_day,
        expected,
        excess,
        leap,
        slow,
        score,
        limits,
        unheard,
        slopes,
        middles,
    )


def _unit(base: Baseline) -> Floats:
    """Noise grows with the level, slower than the level itself: between counts and prices."""
    return np.sqrt((np.abs(base.expected) + 0.2 * base.size) * base.size)


def _outside(values: Floats, low: Floats, high: Floats) -> Floats:
    """By how much a value is above `high` or below `low`; 0 between them."""
    return values - np.clip(values, low, high)


def _quantum(values: Floats, scale: Scale) -> Floats:
    """What one event comes to in a series that is often 0; else 0."""
    zero = np.where(np.isnan(values), np.nan, values == 0)
    share = typical(zero, scale.block, scale.blocks)
    some = np.where(values == 0, np.nan, np.abs(values))
    sizes = window_means(some, scale.block, 0.0)
    usual = block_quantiles(sizes, scale.block, scale.blocks, 1, (0.5,))[0]
    usual = np.where(np.isnan(usual), so_far(some), usual)
    return np.where(share > SPARSE, np.nan_to_num(usual), 0.0)


def _least_noise(
    base: Baseline, rate: Floats, quantum: Floats, length: int, unit: Floats
) -> Floats:
    """The least deviation of a window's mean, in units: never exact, and events come by chance."""
    chance = np.sqrt(quantum * rate / length + (quantum / length) ** 2)
    level = LEAST_NOISE * np.fmax(np.abs(base.expected), 0.3 * base.size)
    return np.fmax(level, chance) / unit


def _noise(means: Floats, length: int, scale: Scale, least: Floats) -> Floats:
    """The usual deviation of what came before each window, from whole blocks of it."""
    usual = typical(np.abs(means), scale.peak, scale.peaks, lag=length)
    return np.fmax(MEAN_TO_DEVIATION * usual, least)


def _power(length: int, scale: Scale) -> float:
    if not scale.single:
        return POWER
    return 1 + (POWER - 1) * min(1.0, math.log(length) / math.log(FULL_POWER))


def _worst(
    score: Floats, length: int, scale: Scale, edge_level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Of the worst of a block: the median, by how much it grows with the reduced variate, what few
    of them exceed, and the worst of all (infinite while few days are known).

    Few blocks are helped out by what is usual of noise; windows as long as blocks are not
    independent and count for less.
    """
    rises = np.where(np.isnan(score), np.nan, np.maximum(score, 0.0))
    worst = window_peaks(rises, scale.peak)
    levels = (MIDDLE, UPPER, max(edge_level, MIDDLE), 1.0)
    middle, upper, edge, record, count = block_quantiles(
        worst, scale.peak, scale.peaks, length, levels
    )
    edge = np.nan_to_num(edge)
    record = np.where(count * scale.days_per_peak >= RECORD_DAYS, record, np.inf)
    count = count * min(1.0, scale.peak / length)
    share = count / (count + PRIOR_WORTH)
    middle, upper = (
        np.fmax(np.nan_to_num(level), 1.0) ** _power(length, scale) for level in (middle, upper)
    )
    spread = share * (upper - middle) + (1 - share) * PRIOR_SPREAD
    middle = share * middle + (1 - share) * PRIOR_PEAK
    return middle, np.fmax(spread, LEAST_SPREAD * middle) / (AT_UPPER - AT_MIDDLE), edge, record


def outstanding(look: Look, direction: int) -> Flags:
    """Where a window's score reaches its limit."""
    with np.errstate(invalid="ignore"):
        found: Flags = look.score * direction >= look.limits[direction]
    return found
