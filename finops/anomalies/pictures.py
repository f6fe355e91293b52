"""The steps around an episode with what was expected of each, as they were when it was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from finops.anomalies.scales import Scale
from finops.detection import Episode, Expectation
from finops.models import Anomaly

BEFORE = {"minute": 90, "hour": 72, "day": 28}
AFTER = {"minute": 30, "hour": 24, "day": 14}
MOST_STEPS = 400
DIGITS = 12

Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Picture:
    """`first` and `last` are the episode's steps, as indices; the first may be before what is
    held of a long one."""

    scale: str
    starts: Sequence[datetime]
    actual: Values
    expected: Values
    low: Values
    high: Values
    first: int
    last: int


def taken(
    starts: Sequence[datetime],
    scale: Scale,
    values: Sequence[float | None],
    episode: Episode,
    expectation: Expectation,
) -> dict[str, Any]:
    """As JSON holds it."""
    end = min(episode.last + 1 + AFTER[scale.name], len(values))
    begin = max(episode.first - BEFORE[scale.name], end - MOST_STEPS, 0)
    shift = len(values) - len(expectation.expected)
    part = slice(max(begin - shift, 0), end - shift)
    missing: Values = [None] * max(shift - begin, 0)

    def column(held: Sequence[float | None]) -> Values:
        return [*missing, *(rounded(each) for each in held[part])][: end - begin]

    return {
        "scale": scale.name,
        "starts": [int(each.timestamp()) for each in starts[begin:end]],
        "actual": [rounded(each) for each in values[begin:end]],
        "expected": column(expectation.expected),
        "low": column(expectation.low),
        "high": column(expectation.high),
        "first": max(episode.first - begin, 0),
        "last": episode.last - begin,
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def picture_of(anomaly: Anomaly) -> Picture | None:
    held = anomaly.picture
    if not held:
        return None
    return Picture(
        held["scale"],
        [datetime.fromtimestamp(each, UTC) for each in held["starts"]],
        held["actual"],
        held["expected"],
        held["low"],
        held["high"],
        held["first"],
        held["last"],
    )
