"""The events that are measured: the demo's company made larger, with 100,000 users."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from multiprocessing import get_context
from pathlib import Path
from shutil import copyfileobj

import msgspec
import numpy as np

from bench.load import write_bodies
from finops.demo.events import DemoEvent, events_on, scale_of

DAYS = 30
SEED = 11
BODY_EVENTS = 500
# The demo has 4,209 users. Two of the same month differ in their events, and in users not at all:
# what grows with events can then be told from what grows with groups.
TWINS = 24

encode = msgspec.json.Encoder(decimal_format="number").encode


def day(at: date, anchor: date, scale: float, seed: int = SEED) -> list[DemoEvent]:
    """The events of one UTC day, mixed as they would come in."""
    midnight = datetime.combine(at + timedelta(days=1), time(), UTC)
    by_service = events_on(at, anchor=anchor, seed=seed, scale=scale, until=midnight)
    events = [event for events in by_service.values() for event in events]
    rng = np.random.default_rng((seed, at.toordinal()))
    twins = rng.integers(TWINS, size=len(events))
    return [
        msgspec.structs.replace(events[place], user=f"{events[place].user}-{twins[place]}")
        if events[place].user
        else events[place]
        for place in rng.permutation(len(events))
    ]


def write_day(path: Path, at: date, anchor: date, scale: float, seed: int) -> int:
    """Bodies of 500 events; how many events they hold."""
    events = day(at, anchor, scale, seed)
    parts = [events[start : start + BODY_EVENTS] for start in range(0, len(events), BODY_EVENTS)]
    write_bodies(path, ((len(part), encode(part)) for part in parts))
    return len(events)


def write_month(path: Path, count: int, until: datetime, seed: int = SEED) -> int:
    """About `count` events of the 30 UTC days before `until`, day by day; how many they are.

    Another seed gives other events of the same company. Each core makes days of its own.
    """
    last, scale = until.astimezone(UTC).date(), scale_of(count, DAYS)
    days = [last - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
    paths = [path.with_name(f"{path.name}-{at:%m%d}") for at in days]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        tasks = [
            pool.submit(write_day, each, at, last, scale, seed)
            for each, at in zip(paths, days, strict=True)
        ]
        written = sum(task.result() for task in tasks)
    with path.open("wb") as file:
        for each in paths:
            with each.open("rb") as part:
                copyfileobj(part, file)
            each.unlink()
    return written


def write_now(path: Path, count: int, size: int, label: str, now: datetime) -> int:
    """Bodies of `size` events of the last minute, with ids of their own."""
    some = day(now.astimezone(UTC).date() - timedelta(days=1), now.date(), 1.0)
    rng = random.Random(label)

    def bodies() -> Iterator[tuple[int, bytes]]:
        for number in range(0, count, size):
            part = [
                msgspec.structs.replace(
                    some[(number + place) % len(some)],
                    id=f"{label}-{number + place}",
                    timestamp=now - timedelta(seconds=rng.random() * 60),
                )
                for place in range(min(size, count - number))
            ]
            yield len(part), encode(part)

    write_bodies(path, bodies())
    return count
