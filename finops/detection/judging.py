"""Judges a series: what was to be expected, and where it went out of order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finops.detection.baselines import Baseline, baseline
from finops.detection.episodes import episodes
from finops.detection.reasons import reason, span
from finops.detection.rolling import Floats
from finops.detection.scales import DAY, Scale, scale_of
from finops.detection.series import Episode, Expectation, Judgement, Series
from finops.detection.surprises import deviation, looks
from finops.detection.swings import least_sums

MONTH = 30.0
# So long it is calm before what is gathered ends.
REST = DAY
# The range of the ordinary, in deviations of a point.
RANGE = 3.0


def judge(
    series: Series,
    *,
    since: int = 0,
    seasons: Sequence[int] | None = None,
    known: Sequence[range] = (),
    direction: int = 0,
    floor: float = 0.0,
    alarms_per_month: float | None = None,
    gathered: bool = False,
) -> Judgement:
    """What is to be said of the points of `series` from index `since` on.

    What comes before `since` is history only, and of each point only those before it are: the same
    call with more points says the same of the earlier ones (see Episode for one that is open). An
    episode that began before `since` is not found again, so judge from before its `first`.

    `seasons`: lengths in steps; by default a day and a week, as far as the step allows. `known`:
    ranges of indices that are excused, neither anomalous nor learned from. `direction`: +1 or −1
    for rises or falls only. `floor`: differences not above it, in the series' unit, are no
    episodes. `alarms_per_month`: how many false alarms chance may raise, by default as suits the
    step. `gathered`: one episode for all that is out of order until a whole day was calm (days are
    never gathered). ValueError for a step or season that is none.
    """
    scale = scale_of(series.step, seasons)
    # Numbers that are too large or too small to be told apart make NaN: nothing is said of them.
    with np.errstate(all="ignore"):
        return _judged(series, scale, since, known, direction, floor, alarms_per_month, gathered)


def _judged(
    series: Series,
    scale: Scale,
    since: int,
    known: Sequence[range],
    direction: int,
    floor: float,
    alarms_per_month: float | None,
    gathered: bool,
) -> Judgement:
    values = _array(series.values)
    count = len(values)
    since = min(max(since, 0), count)
    excused = np.zeros(count, dtype=bool)
    for span_ in known:
        excused[max(span_.start, 0) : max(span_.stop, 0)] = True
    values[excused] = np.nan
    begin = _begin(values)
    ready = _ready(values, begin, scale)
    if ready is None:
        nothing = [None] * (count - since)
        note = _note(values, begin, scale)
        return Judgement(Expectation(nothing, nothing, nothing), [], note)
    lived, start = values[begin:], series.start + begin * series.step
    base = baseline(lived, scale)
    every_days = MONTH / (alarms_per_month or scale.alarms_per_month)
    found = [
        Episode(
            first=item.first + begin,
            last=item.last + begin,
            is_open=item.is_open,
            kind=item.kind,
            direction=item.direction,
            surprise=round(item.surprise, 3),
            reason=reason(item, lived, base, scale, start),
            found=item.found + begin,
            parts=tuple((first + begin, last + begin) for first, last in item.parts),
        )
        for item in episodes(
            lived,
            looks(lived, base, scale, min(every_days, scale.seldom)),
            scale,
            max(since, ready) - begin,
            [direction] if direction else [1, -1],
            floor,
            least_sums(lived, base, scale, every_days),
            excused[begin:],
            REST // scale.step if gathered and scale.step < DAY else 0,
        )
    ]
    return Judgement(_expectation(lived, base, scale, begin, since, ready), found, "")


def _array(values: Sequence[float | None]) -> Floats:
    found = np.array(values, dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def _begin(values: Floats) -> int:
    """Where the series begins: nothing was used before."""
    used = np.flatnonzero(~np.isnan(values) & (values != 0))
    return int(used[0]) if len(used) else len(values)


def _ready(values: Floats, begin: int, scale: Scale) -> int | None:
    """The first point with enough known ones before it, of a series that has begun."""
    counts = np.cumsum(~np.isnan(values[begin:]))
    ready = begin + int(np.searchsorted(counts, scale.needed)) + 1
    return ready if ready < len(values) else None


def _note(values: Floats, begin: int, scale: Scale) -> str:
    if not len(values):
        return "No points yet: nothing to judge."
    if np.isnan(values).all():
        return "Nothing is known of this series yet."
    if begin == len(values):
        return "Nothing was used yet: there is nothing to compare with."
    known = int(np.count_nonzero(~np.isnan(values[begin:])))
    return (
        f"Brand new: {span(known, scale.step)} of history, more than "
        f"{span(scale.needed, scale.step)} are needed."
    )


def _expectation(
    values: Floats, base: Baseline, scale: Scale, begin: int, since: int, ready: int
) -> Expectation:
    room = RANGE * deviation(values, base, scale)
    low = np.fmin(base.low, base.expected) - room
    high = np.fmax(base.high, base.expected) + room
    never_below = np.fmin.accumulate(np.concatenate([[np.inf], values[:-1]])) >= 0
    low = np.where(never_below, np.maximum(low, 0.0), low)
    columns = []
    for column in (base.expected, low, high):
        whole = np.concatenate([np.full(begin, np.nan), column])
        whole[:ready] = np.nan
        columns.append(_or_none(whole[since:]))
    return Expectation(*columns)


def _or_none(column: Floats) -> list[float | None]:
    found: list[float | None] = column.tolist()
    for place in np.flatnonzero(np.isnan(column)).tolist():
        found[place] = None
    return found
