"""The events that are measured: the demo's company made larger, its users as many times more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec
import numpy as np

from bench.load import write_bodies
from finops.demo.events import DemoEvent, events_on, scale_of

DAYS = 30
SEED = 11
BODY_EVENTS = 500

encode = msgspec.json.Encoder(decimal_format="number").encode


def month(count: int, until: datetime) -> Iterator[list[DemoEvent]]:
    """About `count` events of the 30 UTC days before `until`, a list per day, mixed as they would
    come in."""
    last = until.astimezone(UTC).date()
    scale = scale_of(count, DAYS)
    for ago in range(DAYS, 0, -1):
        yield day(last - timedelta(days=ago), last, scale)


def day(at: date, anchor: date, scale: float) -> list[DemoEvent]:
    midnight = datetime.combine(at + timedelta(days=1), time(), UTC)
    by_service = events_on(at, anchor=anchor, seed=SEED, scale=scale, until=midnight)
    events = [event for events in by_service.values() for event in events]
    rng = np.random.default_rng((SEED, at.toordinal()))
    # A company three times as large has three users where the demo has one.
    twins = rng.integers(max(round(scale), 1), size=len(events))
    return [
        msgspec.structs.replace(events[place], user=f"{events[place].user}-{twins[place]}")
        if events[place].user
        else events[place]
        for place in rng.permutation(len(events))
    ]


def write_month(path: Path, count: int, until: datetime) -> int:
    """Bodies of 500 events; how many events they hold."""
    written = 0

    def bodies() -> Iterator[tuple[int, bytes]]:
        nonlocal written
        for events in month(count, until):
            for start in range(0, len(events), BODY_EVENTS):
                part = events[start : start + BODY_EVENTS]
                written += len(part)
                yield len(part), encode(part)

    write_bodies(path, bodies())
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
