"""What goes with the distance between two points: seasons, windows, and how much past is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Steps below this are judged by the hour, those up to half a day by the day.
FINE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Scale:
    """All lengths are in steps.

    `block`: the stretch that sizes are measured by, and `blocks` how many of them; `peak` and
    `peaks`: the same of the stretch whose worst point is remembered. `level`: what the level
    without a season is the median of. `memory`: what the level of a season is. `windows`: lengths
    over which points are judged together, shortest first. `needed`: known points before the first
    judgement; `new` and `young`: before so many, larger changes are let pass, and such as are none
    to what came just before. `calm`: ordinary points that end an episode. `brief`: the longest
    spike. `alarms_per_month`: how many of them chance may raise, unless told otherwise. `single`:
    a point is so short that few events make it lumpy. `within_days`: the steps make up days, by
    whose swings they are measured, so that chance need not be rarer than once in `seldom` days.
    """

    step: timedelta
    block: int
    blocks: int
    peak: int
    peaks: int
    level: int
    memory: int
    windows: tuple[int, ...]
    needed: int
    new: int
    young: int
    calm: int
    brief: int
    seasons: tuple[int, ...]
    alarms_per_month: float
    single: bool = False
    within_days: bool = False
    seldom: float = math.inf

    @property
    def days_per_peak(self) -> float:
        return self.peak * (self.step / DAY)


def scale_of(step: timedelta, seasons: Sequence[int] | None = None) -> Scale:
    """The lengths that suit a step. ValueError for one that is no length of time."""
    if step <= timedelta(0):
        raise ValueError("step: a positive length of time is needed")
    if step < FINE:
        scale = _fine(step)
    elif step <= DAY / 2:
        scale = _within_days(step)
    else:
        scale = _days(step)
    if seasons is None:
        return scale
    if any(season < 2 for season in seasons):
        raise ValueError("seasons: each is at least two steps long")
    return replace(scale, seasons=tuple(sorted(set(seasons))))


def _fine(step: timedelta) -> Scale:
    hour = max(2, round(HOUR / step))
    return Scale(
        step=step,
        block=hour,
        blocks=24,
        peak=hour,
        peaks=168,
        level=4 * hour,
        memory=24 * hour,
        windows=_spaced(1, 3, round(10 * MINUTE / step), round(30 * MINUTE / step)),
        needed=4 * hour,
        new=25 * hour,
        young=8 * 24 * hour,
        calm=5,
        brief=hour // 2,
        seasons=_whole(step, DAY, 7 * DAY),
        alarms_per_month=1.0,
        single=True,
    )


def _within_days(step: timedelta) -> Scale:
    day = max(2, round(DAY / step))
    hour = max(1, round(HOUR / step))
    return Scale(
        step=step,
        block=day,
        blocks=14,
        peak=max(1, 6 * hour),
        peaks=56,
        level=day,
        memory=7 * day,
        windows=_spaced(1, 3, hour, 6 * hour, day, 3 * day),
        needed=day,
        new=2 * day,
        young=8 * day,
        calm=max(3, hour),
        brief=max(3, 3 * hour),
        seasons=_whole(step, DAY, 7 * DAY),
        alarms_per_month=0.1,
        within_days=True,
        seldom=15.0,
    )


def _days(step: timedelta) -> Scale:
    return Scale(
        step=step,
        block=7,
        blocks=16,
        peak=7,
        peaks=16,
        level=28,
        memory=28,
        windows=(1, 3, 7, 14),
        needed=14,
        new=21,
        young=21,
        calm=1,
        brief=2,
        seasons=_whole(step, 7 * DAY),
        alarms_per_month=3.0,
    )


def _whole(step: timedelta, *lengths: timedelta) -> tuple[int, ...]:
    """Of natural seasons those that are a whole number of steps, two at least."""
    return tuple(length // step for length in lengths if not length % step and length // step >= 2)


def _spaced(*lengths: int) -> tuple[int, ...]:
    """Without those that hardly differ from the one before."""
    kept = [1]
    for length in sorted(lengths):
        if length >= 2 * kept[-1]:
            kept.append(length)
    return tuple(kept)
