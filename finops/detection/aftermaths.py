"""What follows an incident is judged by what was before it.

Expectations learn from all they see, a runaway too; what is ordinary again then looks like a fall.
So what departs the other way after an incident is looked at once more as if that had not been, and
what does not stand out then was none. Where too little is known of what was before, nothing is said
until enough is. An incident that has become the usual level has taught what is to be expected.
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
# It is the new level where what came after is so much of its way beside what was before.
LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """What is found in a series, and what was expected of it."""

    found: tuple[Found, ...]
    base: Baseline


@dataclass(frozen=True, slots=True)
class Told:
    """An episode with what it is held against. `was` is where it was found at first: there and
    until its end the expectation is this one; `found` is None where nothing stands out."""

    found: Found | None
    base: Baseline
    was: tuple[int, int]


def reconsidered(
    values: Floats,
    sight: Sight,
    incidents: Sequence[Incident],
    scale: Scale,
    again: Callable[[Flags], Sight],
) -> Iterator[Told]:
    """The episodes of a series, each after an incident held against what was before that.

    `incidents` are those that are known of otherwise; `again` judges with points left out.
    """
    kept = list(incidents)
    for each in sight.found:
        was = each.first, each.last
        before = [one for one in kept if is_before(one, each, scale)]
        other = other_sight(values, before, each, again) if before else None
        if other is None:
            kept.append(Incident(each.first, each.last, each.direction))
            yield Told(each, sight.base, was)
            continue
        found = clipped(other, each)
        if found:
            kept.append(Incident(found.first, found.last, found.direction))
        yield Told(found, other.base, was)


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
    over = [one for one in before if has_returned(values, sight.base, one, each)]
    if not over:
        return None
    return sight if len(over) == len(before) else again(left_out(values, over, each))


def left_out(values: Floats, incidents: Sequence[Incident], each: Found) -> Flags:
    flags = np.zeros(len(values), dtype=bool)
    for one in incidents:
        flags[max(one.first, 0) : min(one.last + 1, each.first)] = True
    return flags


def has_returned(values: Floats, base: Baseline, incident: Incident, each: Found) -> bool:
    """Whether what came after it is nearer to what was before, as far as that can be told."""
    off = values - base.expected
    during = off[max(incident.first, 0) : min(incident.last + 1, each.first)]
    after = off[incident.last + 1 : min(incident.last + 1 + AFTER, each.first)]
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
