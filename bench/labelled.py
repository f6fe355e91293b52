"""Public series with labelled anomalies, on a grid of equal steps: NAB and Microsoft's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from finops.detection import Episode, Series

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NAB = DATA / "nab" / "nab_dev.parquet"
MICROSOFT = DATA / "ms_cloud_monitoring" / "dev.parquet"
# Labels that are so few points apart are one event, and an episode so near to it has seen it.
TOLERANCE = 3
# Where most of a grid would be gaps, rows are taken as they come.
MOST_GRID = 3


@dataclass(frozen=True)
class Labelled:
    """A series, the rows of its source by grid point, and its labels by grid point."""

    domain: str
    name: str
    series: Series
    rows: np.ndarray
    labels: np.ndarray

    @property
    def weeks(self) -> float:
        return len(self.series.values) * self.series.step.total_seconds() / (7 * 86400)

    def events(self) -> list[tuple[int, int]]:
        """First and last point of each run of labels."""
        places = np.flatnonzero(self.labels)
        if not len(places):
            return []
        cuts = np.flatnonzero(np.diff(places) > TOLERANCE)
        firsts = places[np.concatenate([[0], cuts + 1])]
        lasts = places[np.concatenate([cuts, [len(places) - 1]])]
        return [(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def sees(episode: Episode, event: tuple[int, int]) -> bool:
    return episode.first <= event[1] + TOLERANCE and episode.last >= event[0] - TOLERANCE


def point(place: int) -> Episode:
    """A mark of one point by some other method."""
    return Episode(place, place, False, "spike", 1, 0.0, "", place)


def nab() -> Iterator[Labelled]:
    for name, rows in pd.read_parquet(NAB).groupby("series", observed=True, sort=True):
        yield _labelled(str(name).split("/")[0], str(name), rows, "in_window")


def microsoft() -> Iterator[Labelled]:
    frame = pd.read_parquet(MICROSOFT)
    for (domain, name), rows in frame.groupby(["domain", "series"], observed=True, sort=True):
        yield _labelled(str(domain), str(name), rows, "label")


def _labelled(domain: str, name: str, rows: pd.DataFrame, label: str) -> Labelled:
    rows = rows.sort_values("timestamp", kind="stable")
    seconds = rows.timestamp.dt.tz_localize(None).to_numpy("datetime64[s]").astype(np.int64)
    steps = np.diff(seconds)
    step = int(np.median(steps[steps > 0]))
    places = np.round((seconds - seconds[0]) / step).astype(np.int64)
    if places[-1] + 1 > MOST_GRID * len(rows):
        places = np.arange(len(rows))
    values = np.full(int(places[-1]) + 1, np.nan)
    labels = np.zeros(len(values), dtype=bool)
    values[places] = rows.value.to_numpy(dtype=float)
    marks = rows[label].to_numpy().astype(bool)
    np.logical_or.at(labels, places, marks)
    for row in np.flatnonzero(marks[1:] & marks[:-1]):  # a gap within an event belongs to it
        labels[places[row] : places[row + 1]] = True
    series = Series(
        datetime.fromtimestamp(int(seconds[0]), UTC),
        pd.Timedelta(seconds=step).to_pytimedelta(),
        [None if np.isnan(value) else float(value) for value in values],
    )
    return Labelled(domain, name, series, places, labels)
