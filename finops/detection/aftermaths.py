"""What follows an incident is judged by what was before it.

Expectations learn from all they see, a runaway too; what is ordinary again then looks like a fall.
So what departs the other way after an incident is looked at once more as if that had not been, and
what does not stand out then was none. Where too little is known of what was before, nothing is said
until enough is. An incident that has become the usual level has taught what is to be expected.

Nor is an incident held against what was learned of it while it lasted: what is expected within it,
and after it where it is over, is that of before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from finops.detection.baselines import Baseline
from finops.detection.episodes import Found
from finops.detection.rolling import Flags, Floats
from finops.detection.scales import Scale
from finops.detection.series import Incident

# By so many points after its end it is told whether an incident is over or the new level: more of
# them would have taught that level already.
AFTER = 6
# What is so short a part of what a level is learned of teaches none.
TEACHES = 1 / 8
# It is the new level where what came after is so much of its way beside what was before.
LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """What is found in a series, and what was expected of it, with points left out."""

    found: tuple[Found, ...]
    base: Baseline
    without: Flags


@dataclass(frozen=True, slots=True)
class Told:
    """An episode with what it is held against, which is the expectation of `points`; `found` is
    None where nothing stands out."""

    found: Found | None
    base: Baseline
    points: slice


def reconsidered(
    values: Floats,
    sight: Sight,
    incidents: Sequence[Incident],
    scale: Scale,
    again: Callable[[Flags], Sight],
    expected: Callable[[Flags], Baseline],
) -> Iterator[Told]:
    """The episodes of a series, each held against what was before it and before the incident that
    it comes after.

    `incidents` are those that are known of otherwise; `again` judges with points left out, and
    `expected` says what is then to be expected.
    """
    kept = list(incidents)
    for at, each in enumerate(sight.found):
        end = sight.found[at + 1].first if at + 1 < len(sight.found) else len(values)
        before = [one for one in kept if is_before(one, each, scale)]
        other = (other_sight(values, before, each, again) if before else None) or sight
        found = each if other is sight else clipped(other, each)
        if found is None:
            yield Told(None, other.base, slice(each.first, each.last + 1))
            continue
        incident = Incident(found.first, found.last, found.direction)
        kept.append(incident)
        base, is_over = other.base, False
        if found.last - found.first + 1 >= TEACHES * scale.level:
            base = expected(other.without | stretch(len(values), found.first, found.last + 1))
            is_over = not found.is_open and has_returned(values, base, incident, end)
        points = slice(found.first, end if is_over else found.last + 1)
        yield Told(found, base, points)


def is_before(incident: Incident, each: Found, scale: Scale) -> bool:
    """Whether it went the other way, and so lately that a level was learned of it."""
    reach = max(scale.level, scale.memory)
    return (
        incident.direction == -each.direction
        and incident.first < each.first <= incident.last + reach + 1
    )


def other_sight(
    values: Floats,
    before: Sequence[Incident],
    each: Found,
    again: Callable[[Flags], Sight],
) -> Sight | None:
    """As if those that are over had not been; None where all of them are the level now."""
    sight = again(left_out(values, before, each))
    over = [one for one in before if has_returned(values, sight.base, one, each.first)]
    if not over:
        return None
    return sight if len(over) == len(before) else again(left_out(values, over, each))


def left_out(values: Floats, incidents: Sequence[Incident], each: Found) -> Flags:
    flags = np.zeros(len(values), dtype=bool)
    for one in incidents:
        flags |= stretch(len(values), max(one.first, 0), min(one.last + 1, each.first))
    return flags


def stretch(length: int, first: int, end: int) -> Flags:
    flags = np.zeros(length, dtype=bool)
    flags[first:end] = True
    return flags


def has_returned(values: Floats, base: Baseline, incident: Incident, end: int) -> bool:
    """Whether what came after it, up to `end`, is nearer to what was before, as far as that can be
    told."""
    off = values - base.expected
    during = off[max(incident.first, 0) : min(incident.last + 1, end)]
    after = off[incident.last + 1 : min(incident.last + 1 + AFTER, end)]
    during, after = during[~np.isnan(during)], after[~np.isnan(after)]
    if not during.size or not after.size:
        return True
    return bool(abs(after.mean()) <= LEVEL * abs(during.mean()))


def clipped(sight: Sight, each: Found) -> Found | None:
    """What stands out of the other expectation in the time of `each`, not known before that was."""
    for found in sight.found:
        is_same = found.direction == each.direction and found.first <= each.last
        if is_same and found.last >= each.first:
            first, at = max(found.first, each.first), max(found.found, each.found)
            last = max(found.last, at)
            whole = first, last
            return replace(found, first=first, found=at, last=last, worst=whole, parts=(whole,))
    return None
