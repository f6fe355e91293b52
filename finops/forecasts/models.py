"""What the days of the next weeks may come to, by one model each, from whole weeks of days.

Weeks are rows of seven days, oldest first; the last day of the last one is the day before the first
that is forecast. So a column is a day of the week, whichever the first is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# What is known, and how many weeks ahead → rows of weeks.
Model = Callable[["Known", int], Array]

WEEK = 7
SHAPE_WEEKS = 26
TREND_WEEKS = 16
YEAR_WEEKS = 52
# Weeks whose middle is the level, now and a year ago.
COMPARED = 8
# Of last year's course, what is expected to come again: as the power of its ratios.
AGAIN, AGAIN_OF_WHOLE = 0.85, 1.0
CALMED = (0.25, 0.5, 0.25)
# Of a trend, what is left of it each week.
DAMPING = 0.85
MOST_RATIO = 3.0
# Weeks that may make another level, those that they are compared with, and how different it is.
CHANGED_WEEKS = (2, 7)
BEFORE_WEEKS, LEAST_BEFORE = 10, 6
CHANGED, FAR = 1.5, 6.0
SLOW, SWIFT, PACE = 0.15, 0.4, 0.3
TINY = 1e-12


class Known:
    """The weeks before a forecast, and what several models ask of them."""

    def __init__(self, weeks: Array) -> None:
        self.weeks = weeks

    @cached_property
    def form(self) -> Array:
        return shape(self.weeks)

    @cached_property
    def levels(self) -> Array:
        return levels(self.weeks, self.form)

    def at(self, level: float | Array) -> Array:
        """The shape of a week on one level, or on those of several weeks."""
        return np.asarray(np.multiply.outer(np.atleast_1d(level), self.form))


def weekday_median(known: Known, ahead: int) -> Array:
    return np.asarray(np.median(known.weeks[-8:], axis=0))


def weekday_mean(known: Known, ahead: int) -> Array:
    return np.asarray(known.weeks[-8:].mean(axis=0))


def long_median(known: Known, ahead: int) -> Array:
    return np.asarray(np.median(known.weeks[-13:], axis=0))


def slow_level(known: Known, ahead: int) -> Array:
    """The shape of a week on a level that follows slowly."""
    return known.at(smoothed(known.levels, SLOW))


def swift_level(known: Known, ahead: int) -> Array:
    return known.at(smoothed(known.levels, SWIFT))


def trend(known: Known, ahead: int) -> Array:
    """A level that goes on to rise or fall as it did, less each week."""
    recent = known.levels[-TREND_WEEKS:]
    steps = np.cumsum(DAMPING ** np.arange(1, ahead + 1))
    return known.at(np.maximum(smoothed(recent, PACE) + slope(recent) * steps, 0.0))


def yearly(known: Known, ahead: int) -> Array:
    """The level goes on as it did a year ago."""
    return known.at(continued(known.levels, *course(known.levels, ahead, AGAIN)))


def last_year(known: Known, ahead: int) -> Array:
    """The same days 52 weeks ago, on the present level."""
    then = len(known.weeks) - YEAR_WEEKS
    return known.weeks[then : then + min(ahead, YEAR_WEEKS)] * growth(known.levels)


def as_the_whole(whole: Array, count: int) -> Model:
    """The level goes on as that of the whole, of which the series is a part, did a year ago. The
    last of the `count` weeks of the series is the last one of `whole`."""
    offset = len(whole) - count

    @cache
    def course_at(place: int, ahead: int) -> tuple[Array, Array]:
        return course(Known(whole[:place]).levels, ahead, AGAIN_OF_WHOLE)

    def model(known: Known, ahead: int) -> Array:
        return known.at(continued(known.levels, *course_at(offset + len(known.weeks), ahead)))

    return model


def share_of_whole(whole: Array, count: int) -> Model:
    """The same part of the whole as lately, by day of the week; the whole comes to the same days 52
    weeks ago, on its present level."""
    offset = len(whole) - count

    @cache
    def growth_at(place: int) -> float:
        return growth(Known(whole[:place]).levels)

    def model(known: Known, ahead: int) -> Array:
        place = offset + len(known.weeks)
        recent = np.maximum(whole[place - COMPARED : place], TINY)
        part = np.median(known.weeks[-COMPARED:] / recent, axis=0)
        then = place - YEAR_WEEKS
        return whole[then : then + min(ahead, YEAR_WEEKS)] * growth_at(place) * part

    return model


def changed_at(known: Array) -> int:
    """Since how many weeks the level is another one altogether, 0 where it is not: each of them
    half as much again as before or two thirds of it, and out of line with how weeks differed."""
    found = 0
    for weeks in range(*CHANGED_WEEKS):
        before, since = known[-weeks - BEFORE_WEEKS : -weeks], known[-weeks:]
        if len(before) < LEAST_BEFORE:
            break
        usual = np.median(before)
        apart = FAR * float(np.median(np.abs(before - usual)))
        is_more = since.min() > max(CHANGED * usual, usual + apart)
        is_less = since.max() < min(usual / CHANGED, usual - apart)
        found = weeks if is_more or is_less else found
    return found


def days_of(model: Model, known: Known, ahead: int) -> Array:
    """As many weeks of days as are asked for: a model that says fewer means them again."""
    return np.resize(model(known, ahead), ahead * WEEK)


# Each model with the weeks that it needs; the first one is what others are measured by.
ALWAYS: tuple[tuple[str, Model, int], ...] = (
    ("weekday median", weekday_median, 0),
    ("weekday mean", weekday_mean, 0),
    ("slow level", slow_level, 0),
    ("swift level", swift_level, 0),
    ("long median", long_median, 10),
    ("damped trend", trend, 12),
    ("last year's course", yearly, YEAR_WEEKS + COMPARED),
    ("last year's days", last_year, YEAR_WEEKS + COMPARED),
)


def candidates(count: int, whole: Array | None = None) -> dict[str, tuple[Model, int]]:
    """Name → model and the weeks that it needs, of those that `count` weeks are enough for."""
    found = {name: (model, least) for name, model, least in ALWAYS if least <= count}
    if whole is not None and len(whole) >= YEAR_WEEKS + COMPARED:
        least = max(COMPARED, YEAR_WEEKS + COMPARED - (len(whole) - count))
        if least <= count:
            found["last year's course of the whole"] = (as_the_whole(whole, count), least)
            found["part of the whole"] = (share_of_whole(whole, count), least)
    return found


def shape(weeks: Array, most: int = SHAPE_WEEKS) -> Array:
    """A day of the week as a part of the mean day: seven numbers whose mean is one."""
    recent = weeks[-most:]
    means = recent.mean(axis=1)
    used = means > TINY
    if not used.any():
        return np.ones(WEEK)
    form = np.median(recent[used] / means[used, None], axis=0)
    if form.sum() <= TINY:
        form = recent[used].mean(axis=0) / means[used].mean()
    return np.asarray(form * (WEEK / form.sum()))


def levels(weeks: Array, form: Array) -> Array:
    """The level of each week: the mean of its five middle days, without the shape of a week."""
    is_used = form > 0.05
    plain = weeks.mean(axis=1, keepdims=True)
    ratios = np.where(is_used, weeks / np.where(is_used, form, 1.0), plain)
    return np.asarray(np.sort(ratios, axis=1)[:, 1:-1].mean(axis=1))


def smoothed(known: Array, pace: float) -> float:
    weights = (1 - pace) ** np.arange(len(known) - 1, -1, -1.0)
    return float(known @ weights / weights.sum())


def slope(known: Array) -> float:
    """Theil's and Sen's: the middle one of the slopes between any two weeks."""
    first, second = np.triu_indices(len(known), 1)
    return float(np.median((known[second] - known[first]) / (second - first)))


def course(known: Array, ahead: int, again: float) -> tuple[Array, Array]:
    """How the level went a year ago, in the weeks that match the latest ones and in those that
    match the next ones, as ratios to the middle of the former."""
    then = len(known) - YEAR_WEEKS
    calm = np.convolve(np.pad(known, 1, mode="edge"), CALMED, mode="valid")
    matching = calm[then - COMPARED : then + min(ahead, YEAR_WEEKS)]
    base = np.median(matching[:COMPARED])
    if base <= TINY:
        return np.ones(COMPARED), np.ones(ahead)
    ratios = np.clip(matching / base, 1 / MOST_RATIO, MOST_RATIO) ** again
    return ratios[:COMPARED], np.resize(ratios[COMPARED:], ahead)


def continued(known: Array, past: Array, later: Array) -> Array:
    """The level of the last weeks without their course, on the course of the next ones."""
    return np.asarray(np.median(known[-len(past) :] / past) * later)


def growth(known: Array) -> float:
    """How many times last year's level the present one is."""
    then = len(known) - YEAR_WEEKS
    before = known[then - COMPARED : then]
    if np.median(before) <= TINY:
        return 1.0
    ratios = known[-COMPARED:] / np.maximum(before, TINY)
    return float(np.clip(np.median(ratios), 1 / MOST_RATIO, MOST_RATIO))
