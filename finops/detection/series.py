"""What is judged and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SPIKE, SHIFT, DRIFT, DROP = "spike", "shift", "drift", "drop"


@dataclass(frozen=True, slots=True)
class Series:
    """Equal steps of time, oldest first.

    `start` is the first point's first instant (UTC), `step` the distance of two points: days are
    those of the reporting zone, given as consecutive points. A value is None where nothing is known
    (a gap) and 0 where nothing was used.
    """

    start: datetime
    step: timedelta
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Expectation:
    """For each judged point, `since` first: what was to be expected by the points before it alone,
    and the range of what would have been ordinary. None where history does not suffice."""

    expected: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Episode:
    """One anomaly of a series; `first`, `last` and `found` are indices into its values.

    `first` is where it seems to have begun, `found` the point at which it became known
    (first ≤ found ≤ last), `last` the last point that was still out of order. Of an episode that
    is open, later points may move `last`, turn a spike into a shift and make it more surprising,
    and `reason` follows; `first`, `found` and `direction` never change, and of one that is closed
    nothing does.

    `parts` are the stretches that were out of order, first and last point of each: one, `first` to
    `last`, unless episodes were asked for gathered; then it was calm between them, `kind` and
    `direction` are those of the first, and `reason` tells of the worst.

    `surprise` is the logarithm (base 10) of the days that lie between two such events by chance, to
    go by the series' own past: 2 means once in a hundred days. At least 0, at most 12.
    """

    first: int
    last: int
    is_open: bool
    kind: str  # "spike", "shift", "drift" or "drop"
    direction: int  # +1: more than expected; -1: less
    surprise: float
    reason: str
    found: int
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """A stretch that is known to have been out of order, first to last point, and which way."""

    first: int
    last: int
    direction: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of a series; `note` says why nothing could be judged, if so."""

    expectation: Expectation
    episodes: Sequence[Episode]
    note: str
