"""Which hand-entered lines of the ledger may hold for the same request, and which of them wins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time
from typing import NamedTuple

from finops.pricing.lines import PriceLine
from finops.pricing.resolution import ANY, rank

# Any one of a set of characters is read as any character: rather a warning too many.
CHARACTER_SET = re.compile(r"\[[^]]*]")


class Overlap(NamedTuple):
    """`other` may hold for requests of a line, from `starts` (None: always) until `ends`."""

    other: PriceLine
    starts: datetime | None
    ends: datetime | None
    other_wins: bool


def overlaps(line: PriceLine, others: Iterable[PriceLine]) -> list[Overlap]:
    """The lines of the same kind that may hold for requests which `line` may hold for."""
    found = []
    for other in others:
        if other.id == line.id or other.kind != line.kind or not _same_requests(line, other):
            continue
        starts = max((at for at in (line.effective_from, other.effective_from) if at), default=None)
        ends = min((at for at in (line.effective_to, other.effective_to) if at), default=None)
        if not (starts and ends and starts >= ends):
            found.append(Overlap(other, starts, ends, rank(other) > rank(line)))
    return found


def _same_requests(line: PriceLine, other: PriceLine) -> bool:
    """More input than one bound may be more than the other too, so those never keep apart."""
    return (
        line.cache == other.cache
        and (
            line.service_tier == other.service_tier or "" in {line.service_tier, other.service_tier}
        )
        and globs_meet(line.provider, other.provider)
        and globs_meet(line.model, other.model)
        and globs_meet(line.fleet, other.fleet)
        and _windows_meet(_window(line), _window(other))
    )


def globs_meet(one: str, other: str) -> bool:
    """Whether there is a name that both patterns match."""
    if one in ANY or other in ANY:
        return True
    a, b = (CHARACTER_SET.sub("?", glob.lower()) for glob in (one, other))
    # ends[j]: whether what is left of a, from i on, and of b, from j on, have a name in common.
    ends = [not b[j:].strip("*") for j in range(len(b) + 1)]
    for i in reversed(range(len(a))):
        shorter, ends = ends, [False] * (len(b) + 1)
        for j in reversed(range(len(b) + 1)):
            if a[i] == "*":
                ends[j] = shorter[j] or (j < len(b) and ends[j + 1])
            elif j == len(b):
                ends[j] = False
            elif b[j] == "*":
                ends[j] = shorter[j] or ends[j + 1]
            else:
                ends[j] = (a[i] == b[j] or "?" in a[i] + b[j]) and shorter[j + 1]
    return ends[0]


def _window(line: PriceLine) -> tuple[time, time] | None:
    return (line.daily_from, line.daily_to) if line.daily_from and line.daily_to else None


def _windows_meet(one: tuple[time, time] | None, other: tuple[time, time] | None) -> bool:
    """Two spans of the day, either of which may wrap around midnight, or the whole day."""
    if one is None or other is None:
        return True
    return _within(one[0], other) or _within(other[0], one)


def _within(at: time, window: tuple[time, time]) -> bool:
    start, end = window
    return start <= at < end if start < end else at >= start or at < end
