"""The last two days by the minute, in the memory of a worker: each turn reads what is new.

Costs are whole numbers of a millionth of a millionth, so that sums of them are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper

from finops.anomalies.measures import MOST_UNPRICED, Metric, Step
from finops.anomalies.scales import MINUTE
from finops.anomalies.series import Key
from finops.sql import statement

LENGTH = int(MINUTE.history / MINUTE.step)
# What comes later than this is seen by the next whole reading.
LATE = 15
WHOLE_EVERY = 10
# What is read at once: rows become numbers of an array before the next are read.
PORTION = timedelta(hours=4)
UNIT = Decimal(10) ** 12
ROWS = {Metric.REQUESTS: 0, Metric.ERRORS: 1, Metric.COST: 2}
SUMS = 4  # the last one is requests without a price
LABELS = ("team", "feature", "model")
LEADING = 24 * 60  # minutes by whose cost the largest are found
Columns = Sequence[int]


@dataclass(slots=True)
class Minutes:
    """`values` are requests, errors, cost and unpriced requests × key × minute; the last minute
    ends at `end`, in minutes since 1970."""

    end: int | None = None
    whole_at: int = 0
    places: dict[int, int] = field(default_factory=dict)  # key → its place in values
    labels: dict[int, tuple[str, ...]] = field(default_factory=dict)
    values: np.ndarray[tuple[int, int, int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros((SUMS, 0, LENGTH), dtype=np.int64)
    )

    def refresh(self, cursor: CursorWrapper, end: datetime) -> None:
        """Be up to the minute that ends at `end`."""
        last = int(end.timestamp()) // 60
        moved = LENGTH if self.end is None else last - self.end
        if not 0 <= moved < LENGTH or last >= self.whole_at:
            self.values, self.places = np.zeros((SUMS, 0, LENGTH), dtype=np.int64), {}
            self.whole_at, unread = last + WHOLE_EVERY, LENGTH
        else:
            unread = min(moved + LATE, LENGTH)
            self.values[:, :, : LENGTH - moved] = self.values[:, :, moved:].copy()
            self.values[:, :, LENGTH - unread :] = 0
        self.end = last
        start = end - timedelta(minutes=unread)
        while start < end:
            until = min(start + PORTION, end)
            cursor.execute(statement("read_minutes"), {"start": start, "end": until})
            self._take(cursor.fetchall())
            start = until
        cursor.execute(statement("minute_labels"))
        self.labels = {key: tuple(names) for key, *names in cursor.fetchall()}

    def _take(self, rows: Sequence[Sequence[int]]) -> None:
        if not rows:
            return
        assert self.end is not None
        table = np.array(rows, dtype=np.int64)
        keys = [int(key) for key in np.unique(table[:, 1])]
        fresh = [key for key in keys if key not in self.places]
        if fresh:
            room = np.zeros((SUMS, len(fresh), LENGTH), dtype=np.int64)
            self.places |= {key: len(self.places) + at for at, key in enumerate(fresh)}
            self.values = np.concatenate([self.values, room], axis=1)
        order = np.array([self.places[key] for key in keys])
        at = order[np.searchsorted(np.array(keys), table[:, 1])]
        minute = table[:, 0] - (self.end - LENGTH)
        for row in range(SUMS):
            self.values[row, at, minute] = table[:, 2 + row]

    def groups(self, dimensions: Sequence[str]) -> dict[Key, list[int]]:
        """Each group of these dimensions with the places of its keys."""
        if not dimensions:
            return {Key(): list(self.places.values())}
        chosen = [LABELS.index(name) for name in dimensions]
        found: dict[Key, list[int]] = {}
        for key, place in self.places.items():
            names = self.labels.get(key)
            if names:
                group = Key.grouped(dimensions, [names[at] for at in chosen])
                found.setdefault(group, []).append(place)
        return found

    def cost_of(self, places: Columns) -> float:
        """Of the last day, in UNIT."""
        return float(self.values[2, list(places), -LEADING:].sum(dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Evenly(Sequence[datetime]):
    """So many minutes from `start` on, none of them made before it is asked for."""

    start: datetime
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self.length))]
        return self.start + MINUTE.step * range(self.length)[at]


@dataclass(frozen=True, slots=True)
class MinuteSeries:
    """One series of Minutes, from the first minute that anything was used in."""

    key: Key
    start: datetime
    sums: np.ndarray[tuple[int, int], np.dtype[np.int64]]

    def __len__(self) -> int:
        return int(self.sums.shape[1])

    def starts(self) -> Sequence[datetime]:
        return Evenly(self.start, len(self))

    def values(self, metric: Metric) -> list[float | None]:
        sums: list[int] = self.sums[ROWS[metric]].tolist()
        if metric != Metric.COST:
            return [float(each) for each in sums]
        requests, unpriced = self.sums[ROWS[Metric.REQUESTS]], self.sums[-1]
        unknown = (unpriced > requests * float(MOST_UNPRICED)).tolist()
        unit = float(UNIT)
        return [
            None if is_unknown else each / unit
            for each, is_unknown in zip(sums, unknown, strict=True)
        ]

    def steps(self, first: int, last: int) -> list[Step]:
        return [
            Step(requests, unpriced, errors, cost=Decimal(cost) / UNIT)
            for requests, errors, cost, unpriced in self.sums[:, first : last + 1].T.tolist()
        ]


def series_of(held: Minutes, key: Key, places: Columns, end: datetime) -> MinuteSeries:
    sums = held.values[:, list(places), :].sum(axis=1)
    used = np.flatnonzero(sums.any(axis=0))
    first = int(used[0]) if used.size else LENGTH
    return MinuteSeries(key, end - timedelta(minutes=LENGTH - first), sums[:, first:])


def used_labels() -> list[dict[str, str]]:
    """The combinations of team, feature and model that requests have had."""
    with connection.cursor() as cursor:
        cursor.execute(statement("used_labels"))
        return [dict(zip(LABELS, row, strict=True)) for row in cursor.fetchall()]
