"""Random draws of traffic, a whole day of one feature at a time. Everything follows from `rng`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finops.demo import figures

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY_SECONDS = 86_400
TEN_MINUTES = 600


def arrivals(rng: np.random.Generator, hours: tuple[float, ...], count: int) -> Floats:
    """`count` seconds of a day, ascending: the hours' rhythm with ServeGen's noise between tens of
    minutes."""
    weights = np.repeat(hours, 6)
    shape = 1 / figures.TEN_MINUTE_CV**2
    weights = weights * rng.gamma(shape, 1 / shape, len(weights))
    slots = rng.choice(len(weights), count, p=weights / weights.sum())
    return np.sort(slots * TEN_MINUTES + rng.random(count) * TEN_MINUTES)


def ranks(rng: np.random.Generator, size: int, exponent: float, count: int) -> Integers:
    """`count` numbers below `size`, small ones more often: rank k with weight (k + 1)^-exponent."""
    cumulative = np.cumsum(np.arange(1, size + 1, dtype=float) ** -exponent)
    found: Integers = np.searchsorted(cumulative, rng.random(count) * cumulative[-1])
    return found


def draw(rng: np.random.Generator, quantiles: tuple[float, ...], count: int) -> Floats:
    """Values whose quantiles at figures.LEVELS are the given ones, log-linear in between."""
    return np.expm1(np.interp(rng.random(count), figures.LEVELS, np.log1p(quantiles)))


def draw_shares(rng: np.random.Generator, quantiles: tuple[float, ...], count: int) -> Floats:
    return np.interp(rng.random(count), figures.LEVELS, quantiles)


def growing(values: Floats, sessions: Integers) -> Floats:
    """The same values, in ascending order inside each session: context grows turn by turn."""
    grown = np.empty_like(values)
    grown[np.argsort(sessions, kind="stable")] = values[np.lexsort((values, sessions))]
    return grown


def between(rng: np.random.Generator, bounds: tuple[float, float], count: int) -> Floats:
    return rng.uniform(*bounds, count)


def noise(rng: np.random.Generator, count: int) -> Floats:
    """Factors around one, spread like Claude Code's request times around their regression."""
    return np.exp(figures.LATENCY_LOG_SD * rng.standard_normal(count))
