"""Which models a series is forecast by, chosen by how they did on its own past.

At a dozen moments of the past (origins) each model is given the days before and asked for those
after. The forecast is the mean of the few whose errors were the least; the errors of that mean at
the same origins are what intervals are made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

import numpy as np

from finops.forecasts import feasts
from finops.forecasts.models import (
    WEEK,
    Array,
    Known,
    Model,
    candidates,
    changed_at,
    days_of,
)

LEAST_WEEKS = 8
# What is known at the least at an origin, in weeks.
LEAST_KNOWN = 4
# Weeks before the end at which origins lie, as far as the history goes.
ORIGINS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 36)
# Of so many weeks ahead models are judged, and at most so many are tried, for intervals.
JUDGED_DAYS = 8 * WEEK
TRIED_WEEKS = 18
# A model that could be tried at fewer origins is not chosen.
LEAST_ORIGINS = 3
BEST = 2
# After so many weeks another level is gone by alone.
BELIEVED_WEEKS = 4
# Horizons in weeks are rounded up to these, so that a choice is kept for the whole day.
HORIZONS = (5, 8, 18, 54)
KEPT = 4096
YEAR_DAYS = 365
Values = Sequence[float | None] | Array


@dataclass(frozen=True, slots=True)
class Fit:
    """`path` are the days ahead, and `errors` what came to more (actual − forecast) by the same
    models at each of `origins` (days known there), day by day, NaN where that is not known yet.
    `scores` are the errors of the models that were tried, the best first, and `score` that of the
    chosen ones together: mean error of a day as a part of the mean day. Where the level is another
    one since a few weeks, `changed` is how many: the path leans on those."""

    models: tuple[str, ...]
    path: Array
    errors: Array
    actual: Array
    origins: tuple[int, ...]
    scores: tuple[tuple[str, float], ...]
    score: float
    changed: int = 0


def fit(values: Values, days: int, first: date | None = None, whole: Values | None = None) -> Fit:
    """Forecast so many days from those that are known one by one, oldest first (None or NaN: not
    known). Raises ValueError where those are less than eight weeks.

    `first` is the day of the first value: with it feasts are looked for. `whole` are the days of
    what the series is a part of, up to the same last one: how that went a year ago is a hint.
    """
    known = np.array(values, dtype=float)
    if len(known) < LEAST_WEEKS * WEEK:
        raise ValueError(f"It takes {LEAST_WEEKS * WEEK} days to choose a model.")
    weeks = next((each for each in HORIZONS if each * WEEK >= days), -(-days // WEEK))
    begin = first if first is not None and len(known) >= YEAR_DAYS else None
    hint = b"" if whole is None else np.array(whole, dtype=float).tobytes()
    found = _fit(known.tobytes(), weeks, begin, hint)
    return replace(found, path=found.path[:days])


@lru_cache(maxsize=KEPT)
def _fit(values: bytes, ahead: int, first: date | None, hint: bytes) -> Fit:
    """Each process keeps what it has fitted: of days before today, which change once a day, and
    when something comes late."""
    days = filled(np.frombuffer(values))
    weeks = whole_weeks(days)
    whole = whole_weeks(filled(np.frombuffer(hint))) if hint else None
    models = candidates(len(weeks), whole)
    cuts = [len(weeks) - each for each in ORIGINS if len(weeks) - each >= LEAST_KNOWN]
    tried_weeks = min(ahead, TRIED_WEEKS)
    actual = np.array([following(weeks, cut, tried_weeks) for cut in cuts])
    before = [Known(weeks[:cut]) for cut in cuts]
    trials = {name: trial(*each, before, tried_weeks) for name, each in models.items()}
    scores = judged(trials, actual)
    chosen = tuple(scores)[:BEST]
    now = Known(weeks)
    path = np.mean([days_of(models[name][0], now, ahead) for name in chosen], axis=0)
    if first is not None:
        path = path * feasts.effects(days, first, len(path))
    errors = actual - mean_of([trials[name] for name in chosen])
    score = relative(errors[:, :JUDGED_DAYS], actual[:, :JUDGED_DAYS])
    path, changed = after_change(path, now)
    return Fit(
        models=chosen,
        path=np.maximum(path, 0.0),
        errors=errors,
        actual=actual,
        origins=tuple(len(days) - (len(weeks) - cut) * WEEK for cut in cuts),
        scores=tuple(scores.items()),
        score=score,
        changed=changed,
    )


def after_change(path: Array, known: Known) -> tuple[Array, int]:
    """The path, and since how many weeks the level is another one. It may be a passing one: the
    more weeks it has lasted, the more it is believed."""
    weeks = changed_at(known.levels)
    if not weeks:
        return path, 0
    trust = min(weeks / BELIEVED_WEEKS, 1.0)
    since = np.resize(known.at(known.levels[-weeks:].mean()), len(path))
    return trust * since + (1 - trust) * path, weeks


def filled(days: Array) -> Array:
    """What is not known is taken to be the middle of the eight same days of the week before, or of
    those after where nothing is known before."""
    found = days.copy()
    for place in np.flatnonzero(~np.isfinite(days)):
        before = found[place % WEEK : place : WEEK][-8:]
        before = before[np.isfinite(before)]
        like = before if len(before) else days[place % WEEK :: WEEK]
        like = like[np.isfinite(like)]
        found[place] = np.median(like) if len(like) else 0.0
    return found


def whole_weeks(days: Array) -> Array:
    count = len(days) // WEEK
    return days[len(days) - count * WEEK :].reshape(count, WEEK)


def following(weeks: Array, cut: int, ahead: int) -> Array:
    """The days after an origin, as far as they are known."""
    found = np.full(ahead * WEEK, np.nan)
    known = weeks[cut : cut + ahead].ravel()
    found[: len(known)] = known
    return found


def trial(model: Model, least: int, before: Sequence[Known], ahead: int) -> Array:
    """What the model says at each origin; nothing where too little is known there."""
    unknown = np.full(ahead * WEEK, np.nan)
    return np.array(
        [days_of(model, known, ahead) if len(known.weeks) >= least else unknown for known in before]
    )


def judged(trials: Mapping[str, Array], actual: Array) -> dict[str, float]:
    """Model → its error, the best first. Each is compared with the first one at the origins where
    both were tried, and so is not the better for having been tried in calm times only."""
    reference, *_ = trials
    limits = np.s_[:, :JUDGED_DAYS]
    basis = np.abs(actual - trials[reference])[limits]
    score = relative(basis, actual[limits])
    found = {}
    for name, tried in trials.items():
        errors = np.abs(actual - tried)[limits]
        is_known = np.isfinite(errors)
        if is_known.any(axis=1).sum() >= LEAST_ORIGINS:
            of_basis = basis[is_known].sum()
            found[name] = score * errors[is_known].sum() / of_basis if of_basis else 0.0
    return dict(sorted(found.items(), key=lambda each: each[1]))


def relative(errors: Array, actual: Array) -> float:
    is_known = np.isfinite(errors)
    used = np.abs(actual[is_known]).sum()
    return float(np.abs(errors[is_known]).sum() / used) if used else 0.0


def mean_of(paths: Sequence[Array]) -> Array:
    """Of those that say something, cell by cell."""
    stacked = np.array(paths)
    said = np.isfinite(stacked)
    return np.asarray(np.where(said, stacked, 0.0).sum(axis=0) / np.maximum(said.sum(axis=0), 1))
