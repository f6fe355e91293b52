"""The score of the Numenta Anomaly Benchmark, written from its published definition.

Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms – the Numenta Anomaly
Benchmark" (ICMLA 2015). A detection within a labelled window earns up to 1, more the earlier; only
the best of a window counts. One outside costs the profile's weight, less just after a window. A
window without any costs its weight. The first 15 % of a file (750 rows at most) do not count. One
threshold over all files is chosen that scores best; 0 is the detector that says nothing, 100 one
that marks the first row of every window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

PROBATION, MOST_ROWS = 0.15, 5000
STEEPNESS, FAR = 5.0, 3.0


@dataclass(frozen=True)
class Profile:
    hit: float
    missed: float
    false: float


PROFILES = {
    "standard": Profile(1.0, 1.0, 0.11),
    "reward_low_FP_rate": Profile(1.0, 1.0, 0.22),
    "reward_low_FN_rate": Profile(1.0, 2.0, 0.11),
}


@dataclass(frozen=True)
class Marked:
    """A file: its rows, labelled windows (first and last row), what was detected (row, score)."""

    rows: int
    windows: Sequence[tuple[int, int]]
    detections: Sequence[tuple[int, float]]


def sigmoid(position: float) -> float:
    return -1.0 if position > FAR else 2 / (1 + math.exp(STEEPNESS * position)) - 1


def worth(row: int, windows: Sequence[tuple[int, int]]) -> tuple[int | None, float]:
    """The window that a detection hits, if any, and what it earns or costs, before weights."""
    before = None
    for index, (first, last) in enumerate(windows):
        if first <= row <= last:
            return index, sigmoid(-(last - row + 1) / (last - first + 1)) / sigmoid(-1.0)
        if last < row:
            before = first, last
    if before is None:
        return None, -1.0
    return None, sigmoid((row - before[1]) / max(before[1] - before[0], 1))


def gains(files: Sequence[Marked], profile: Profile) -> Iterator[tuple[float, float]]:
    """By falling score: the score, and by how much a threshold just there changes the sum."""
    events = []
    for number, file in enumerate(files):
        probation = math.floor(PROBATION * min(file.rows, MOST_ROWS))
        for row, score in file.detections:
            if row >= probation:
                events.append((score, number, *worth(row, file.windows)))
    best: dict[tuple[int, int], float] = {}
    for score, number, window, value in sorted(events, key=lambda event: -event[0]):
        if window is None:
            yield score, profile.false * value
            continue
        earned = profile.hit * value
        before = best.get((number, window), -profile.missed)
        best[number, window] = max(earned, before)
        yield score, best[number, window] - before


def nab_score(files: Sequence[Marked], profile: Profile) -> tuple[float, float]:
    """The normalized score at the best threshold, and that threshold (infinite: say nothing)."""
    windows = sum(len(file.windows) for file in files)
    total, best, threshold = 0.0, 0.0, math.inf
    steps = [*gains(files, profile), (-math.inf, 0.0)]
    for (score, gain), (following, _) in pairwise(steps):
        total += gain
        if following < score and total > best:
            best, threshold = total, score
    return 100 * best / (windows * (profile.hit + profile.missed)), threshold
