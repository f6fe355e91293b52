"""Judges a series: what was to be expected, and where it went out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finops.detection.aftermaths import Sight, Told, reconsidered
from finops.detection.baselines import Baseline, baseline
from finops.detection.episodes import episodes
from finops.detection.reasons import reason, span
from finops.detection.rolling import Flags, Floats
from finops.detection.scales import DAY, Scale, scale_of
from finops.detection.series import Episode, Expectation, Incident, Judgement, Series
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
    incidents: Sequence[Incident] | None = None,
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
    never gathered). `incidents`: what is known of them by others, perhaps nothing: then what goes
    the other way after an incident is judged as if that had not been, and an incident's own
    expectation learns nothing of it (see aftermaths). Not with `gathered`. ValueError for a step
    or season that is none.
    """
    scale = scale_of(series.step, seasons)
    asked = _Asked(
        since=since,
        directions=(direction,) if direction else (1, -1),
        floor=floor,
        every_days=MONTH / (alarms_per_month or scale.alarms_per_month),
        rest=REST // scale.step if gathered and scale.step < DAY else 0,
        incidents=None if gathered else incidents,
    )
    # Numbers that are too large or too small to be told apart make NaN: nothing is said of them.
    with np.errstate(all="ignore"):
        return _judged(series, scale, known, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """`every_days`: how seldom chance may raise an alarm; `rest`: points of calm that gathered
    episodes may have between them."""

    since: int
    directions: tuple[int, ...]
    floor: float
    every_days: float
    rest: int
    incidents: Sequence[Incident] | None


def _judged(series: Series, scale: Scale, known: Sequence[range], asked: _Asked) -> Judgement:
    values = _array(series.values)
    count = len(values)
    since = min(max(asked.since, 0), count)
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
    told, base = _told(lived, excused[begin:], scale, max(since, ready) - begin, asked, begin)
    found = [
        Episode(
            first=item.first + begin,
            last=item.last + begin,
            is_open=item.is_open,
            kind=item.kind,
            direction=item.direction,
            surprise=round(item.surprise, 3),
            reason=reason(item, lived, each.base, scale, start),
            found=item.found + begin,
            parts=tuple((first + begin, last + begin) for first, last in item.parts),
        )
        for each in told
        if (item := each.found)
    ]
    return Judgement(_expectation(lived, base, scale, begin, since, ready), found, "")


def _told(
    lived: Floats, excused: Flags, scale: Scale, since: int, asked: _Asked, begin: int
) -> tuple[list[Told], Baseline]:
    """The episodes with what each is held against, and what is expected of all points."""

    def again(without: Flags) -> Sight:
        return _sight(lived, excused, without, scale, since, asked)

    def expected(without: Flags) -> Baseline:
        return baseline(np.where(without, np.nan, lived), scale)

    sight = again(np.zeros(len(lived), dtype=bool))
    if asked.incidents is None:
        return [Told(each, sight.base, slice(0, 0)) for each in sight.found], sight.base
    incidents = [
        Incident(each.first - begin, each.last - begin, each.direction) for each in asked.incidents
    ]
    told = list(reconsidered(lived, sight, incidents, scale, again, expected))
    base = sight.base
    for each in told:
        base = base.within(each.base, each.points)
    return told, base


def _sight(
    lived: Floats, excused: Flags, without: Flags, scale: Scale, since: int, asked: _Asked
) -> Sight:
    values = np.where(without, np.nan, lived)
    base = baseline(values, scale)
    found = episodes(
        values,
        looks(values, base, scale, min(asked.every_days, scale.seldom)),
        scale,
        since,
        asked.directions,
        asked.floor,
        least_sums(values, base, scale, asked.every_days),
        excused | without,
        asked.rest,
    )
    return Sight(tuple(found), base, without)


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
