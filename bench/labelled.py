"""Public series with labelled anomalies, on a grid of equal steps: NAB and Microsoft's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """Whether a part of the episode overlaps the event: what lies between its parts does not."""
    return any(
        first <= event[1] + TOLERANCE and last >= event[0] - TOLERANCE
        for first, last in episode.parts
    )


def point(place: int) -> Episode:
    """A mark of one point by some other method."""
    return Episode(place, place, False, "spike", 1, 0.0, "", place, ((place, place),))


@dataclass
class Tally:
    """Sums over series: events and those found, false alarms, weeks, points by label and mark."""

    events: int = 0
    found: int = 0
    false: int = 0
    weeks: float = 0.0
    both: int = 0
    marked: int = 0
    labelled: int = 0
    told: int = 0
    whole: int = 0
    whole_both: int = 0

    def add(self, item: Labelled, episodes: Sequence[Episode]) -> None:
        events = item.events()
        self.events += len(events)
        self.found += sum(any(sees(e, event) for e in episodes) for event in events)
        self.false += sum(not any(sees(e, event) for event in events) for e in episodes)
        self.weeks += item.weeks
        self.told += sum(any(sees(point(e.found), event) for e in episodes) for event in events)
        marks, whole = (np.zeros(len(item.labels), dtype=bool) for _ in range(2))
        for episode in episodes:
            whole[episode.first : episode.last + 1] = True
            for first, last in episode.parts:
                marks[first : last + 1] = True
        self.both += int((marks & item.labels).sum())
        self.marked += int(marks.sum())
        self.whole_both += int((whole & item.labels).sum())
        self.whole += int(whole.sum())
        self.labelled += int(item.labels.sum())

    def __str__(self) -> str:
        precision, recall = self.both / max(self.marked, 1), self.both / max(self.labelled, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        whole = 2 * self.whole_both / max(self.whole + self.labelled, 1)
        return (
            f"events {self.found}/{self.events} ({self.found / max(self.events, 1):.1%}, told of "
            f"{self.told / max(self.events, 1):.1%}), "
            f"{self.false} false in {self.weeks:.0f} series-weeks "
            f"({self.false / max(self.weeks, 1e-9):.2f} a week), point-wise F1 {f1:.3f} "
            f"(precision {precision:.2f}, recall {recall:.2f}; whole {whole:.3f})"
        )


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
