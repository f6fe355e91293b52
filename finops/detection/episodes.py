"""Where anomalies begin and end, from what stands out and what is ordinary again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from finops.detection.rolling import Flags, Floats
from finops.detection.scales import DAY, Scale
from finops.detection.series import DRIFT, DROP, SHIFT, SPIKE
from finops.detection.surprises import Look, outstanding

# An episode goes on while its window is above this share of what opened it.
HOLD = 0.5
# It is held by the windows up to that which opened it, and the next longer one: so many more.
LONGER = 2
# Of a drift, the window's last third is above its first by this share of the window's mean.
GRADUAL = 0.6
# Of what was expected, in the days before the rhythm of a series is known.
RISE, FALL = 0.9, 0.9
LEAP = 0.5
LONG = 7


@dataclass(frozen=True, slots=True)
class Found:
    """An episode before it is put into words: indices, direction, and the look that showed it;
    `parts`, first and last of each stretch it is made of, and `worst`, the most surprising one."""

    first: int
    last: int
    is_open: bool
    kind: str
    direction: int
    surprise: float
    found: int
    look: Look
    worst: tuple[int, int]
    parts: tuple[tuple[int, int], ...]


def episodes(
    values: Floats,
    found_by: Sequence[Look],
    scale: Scale,
    since: int,
    directions: Sequence[int],
    floor: float,
    least_sums: Floats,
    excused: Flags,
    rest: int = 0,
) -> Iterator[Found]:
    """The episodes that are found at `since` or later, in order; none overlaps another.

    What opens within `rest` points of the last one that was out of order belongs to the same
    episode, in whichever direction: a way back that goes too far, or trouble that comes again.
    It stays open as long as something might still belong to it.
    """
    marks = {
        (direction, order): np.flatnonzero(_opens(look, direction, floor, least_sums, scale))
        for direction in directions
        for order, look in enumerate(found_by)
    }
    gathered: Found | None = None
    for part in _parts(values, found_by, scale, since, marks, excused):
        if gathered is None:
            gathered = part
        elif part.found <= gathered.last + rest:
            gathered = _joined(gathered, part)
        else:
            yield gathered
            gathered = part
    if gathered is not None:
        waits = rest > 0 and gathered.last + rest >= len(values)
        yield replace(gathered, is_open=gathered.is_open or waits)


def _joined(before: Found, part: Found) -> Found:
    """One episode of two: it is called by what it began as, and told by what was worst."""
    worst = part if part.surprise > before.surprise else before
    return replace(
        before,
        last=part.last,
        is_open=part.is_open,
        surprise=worst.surprise,
        worst=worst.worst,
        parts=before.parts + part.parts,
    )


def _parts(
    values: Floats,
    found_by: Sequence[Look],
    scale: Scale,
    since: int,
    marks: dict[tuple[int, int], np.ndarray],
    excused: Flags,
) -> Iterator[Found]:
    """Each stretch that is out of order in one direction, until it is calm."""
    start, behind = since, -1
    while True:
        opening = _next_opening(marks, found_by, start, behind)
        if opening is None:
            return
        at, direction, order = opening
        ends = np.flatnonzero(excused[at:])
        limit = at + int(ends[0]) if len(ends) else len(values)
        last, closed = _end(values, found_by, order, direction, at, limit, scale.calm)
        is_closed = closed is not None or limit < len(values)
        least = max(behind + 1, since)
        yield _describe(found_by, order, direction, at, last, not is_closed, least, scale)
        if not is_closed:
            return
        start = (closed if closed is not None else limit) + 1
        behind = start - 1


def _opens(look: Look, direction: int, floor: float, least_sums: Floats, scale: Scale) -> Flags:
    """Where a window shows an episode.

    Before the rhythm is known, what a night may bring is none: it takes twice as much, or next to
    nothing. In the first week, nor is what a weekend may bring: it takes a change, not its absence.
    """
    with np.errstate(invalid="ignore"):
        rise = look.excess * direction
        is_worth = rise * look.length > least_sums
        is_unheard = look.score * direction > look.unheard[direction]
        opens = outstanding(look, direction) & (rise > floor) & (is_worth | is_unheard)
        large = rise > (RISE if direction > 0 else FALL) * np.abs(look.expected)
        changed = look.leap * direction > LEAP * rise
        opens[: scale.new] &= large[: scale.new]
        opens[: scale.young] &= changed[: scale.young]
    return opens


def _next_opening(
    marks: dict[tuple[int, int], np.ndarray], found_by: Sequence[Look], start: int, behind: int
) -> tuple[int, int, int] | None:
    """The first point from `start` that a window shows which lies wholly after `behind`."""
    best: tuple[int, int, int] | None = None
    for (direction, order), places in marks.items():
        earliest = max(start, behind + found_by[order].length)
        index = int(np.searchsorted(places, earliest))
        if index < len(places) and (best is None or (places[index], order) < (best[0], best[2])):
            best = int(places[index]), direction, order
    return best


def _end(
    values: Floats,
    found_by: Sequence[Look],
    order: int,
    direction: int,
    at: int,
    limit: int,
    calm: int,
) -> tuple[int, int | None]:
    """The last point that is out of order, and the one at which the calm after it was long enough
    (None: not yet)."""
    active = np.zeros(limit - at, dtype=bool)
    active[0] = True
    for look in found_by[: order + LONGER]:
        hold = HOLD * float(look.limits[direction][at])
        with np.errstate(invalid="ignore"):
            active |= look.slow[at:limit] * direction >= hold
    places = np.flatnonzero(~np.isnan(values[at:limit]))
    runs = np.cumsum(active[places])
    quiet = np.flatnonzero(runs[calm:] == runs[:-calm]) if len(runs) > calm else np.array([])
    closed = int(places[int(quiet[0]) + calm]) if len(quiet) else None
    until = len(active) if closed is None else closed + 1
    last = at + int(np.flatnonzero(active[:until])[-1])
    last = _trimmed(found_by[0], float(found_by[order].excess[at]), direction, at, last)
    return last, None if closed is None else at + closed


def _trimmed(alone: Look, opening: float, direction: int, at: int, last: int) -> int:
    """Long windows stay high after what they saw has ended: back to the last point that was, going
    by the excess at the opening."""
    with np.errstate(invalid="ignore"):
        high = np.flatnonzero(alone.excess[at : last + 1] * direction >= HOLD * abs(opening))
    return at + int(high[-1]) if len(high) else at


def _describe(
    found_by: Sequence[Look],
    order: int,
    direction: int,
    at: int,
    last: int,
    is_open: bool,
    least: int,
    scale: Scale,
) -> Found:
    look = found_by[order]
    alone = found_by[0].excess * direction
    first = _onset(alone, max(at - look.length + 1, least), at)
    surprise = max(
        shown.surprise(point, direction, scale.days_per_peak)
        for shown in found_by[: order + 1]
        for point in range(at, min(last, at + scale.brief) + 1)
    )
    kind = _kind(alone, first, at, last, direction, look, scale)
    whole = first, last
    return Found(first, last, is_open, kind, direction, surprise, at, look, whole, (whole,))


def _onset(rises: Floats, earliest: int, at: int) -> int:
    """From where on the sum over half the mean rise is largest: where it seems to have begun."""
    window = np.nan_to_num(rises[earliest : at + 1])
    sums = np.cumsum((window - 0.5 * window.mean())[::-1])[::-1]
    return earliest + int(np.argmax(sums))


def _kind(
    rises: Floats, first: int, at: int, last: int, direction: int, look: Look, scale: Scale
) -> str:
    if (
        look.length * scale.step >= DAY
        and look.length >= LONG
        and _gradual(rises[max(at - look.length + 1, 0) : at + 1])
    ):
        return DRIFT
    if direction < 0:
        return DROP
    return SPIKE if last - first < scale.brief else SHIFT


def _gradual(window: Floats) -> bool:
    """Whether a slope explains the window, and better than one step does."""
    known = window[~np.isnan(window)]
    third = len(known) // 3
    if not third or known[-third:].mean() - known[:third].mean() <= GRADUAL * known.mean():
        return False
    places = np.arange(len(known), dtype=np.float64)
    centered = places - places.mean()
    slope = float(centered @ known) / float(centered @ centered)
    off_slope = float(((known - known.mean() - slope * centered) ** 2).sum())
    counts, sums = places[:-1] + 1, np.cumsum(known)
    steps = sums[:-1] ** 2 / counts + (sums[-1] - sums[:-1]) ** 2 / (len(known) - counts)
    return off_slope < float(known @ known) - float(steps.max())
