"""How full the door is: what a process notes of itself each minute, for pages and metrics.

Saved by the configuration's thread every few seconds, a row for each process and minute; the last
hour is kept. While the database is away nothing is saved, and the page says that it does not know.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

KEPT = timedelta(hours=1)
SAVE_SECONDS = 5.0
_KEYS = 200


class Levels(msgspec.Struct, frozen=True):
    """Of this moment. Shares are of the bounds beside them."""

    queued_events: int
    most_queued_events: int
    held_bytes: int
    most_held_bytes: int
    waiting_bodies: int
    writers: int
    away: int  # writers without a connection
    busy_seconds: float  # of all writers together, since the start
    commits: list[float]  # seconds of each since the last look
    keys: dict[int, float]  # the used share of the limits of keys, of the fullest


class Minute(msgspec.Struct):
    """The largest within a minute, and counts of it."""

    queue: float = 0.0
    memory: float = 0.0
    busy: float = 0.0
    away: float = 0.0
    waiting_bodies: int = 0
    answers: dict[str, int] = {}  # status → requests, of those that refuse
    requests: int = 0
    commit_p95: float = 0.0  # seconds
    keys: dict[str, float] = {}
    latest: dict[str, float] = {}  # of the last look alone, for what is so now


class Saturation:
    """Told by the event loop, saved by one thread."""

    def __init__(self, levels: Callable[[], Levels]) -> None:
        self._levels = levels
        self._process = f"{socket.gethostname()}-{os.getpid()}"[:100]
        self._answers: Counter[int] = Counter()
        self._minute: datetime | None = None
        self._of_minute = Minute()
        self._busy = (time.monotonic(), 0.0)
        self._saved = 0.0
        self._lock = threading.Lock()

    def answered(self, status: int) -> None:
        self._answers[status] += 1

    def save(self, connection: Connection, now: datetime) -> None:
        """Raises psycopg.Error, and then the next time saves it."""
        moment = time.monotonic()
        if moment - self._saved < SAVE_SECONDS:
            return
        self._saved = moment
        minute = now.replace(second=0, microsecond=0)
        with self._lock:
            if minute != self._minute:
                self._minute, self._of_minute = minute, Minute(answers={}, keys={}, latest={})
            self._note(self._of_minute, moment)
        values = Jsonb(msgspec.to_builtins(self._of_minute))
        with connection.transaction():
            given = {"process": self._process, "minute": minute, "now": now, "values": values}
            connection.execute(_UPSERT, given)
            connection.execute("DELETE FROM ingest_saturation WHERE minute < %s", [now - KEPT])

    def _note(self, of: Minute, moment: float) -> None:
        levels = self._levels()
        since, busy = self._busy
        self._busy = (moment, levels.busy_seconds)
        share = (levels.busy_seconds - busy) / max(moment - since, 0.001) / levels.writers
        of.latest = {
            "queue": levels.queued_events / levels.most_queued_events,
            "memory": levels.held_bytes / levels.most_held_bytes,
            "busy": min(share, 1.0),
            "away": levels.away / levels.writers,
            "waiting_bodies": levels.waiting_bodies,
        }
        of.queue = max(of.queue, of.latest["queue"])
        of.memory = max(of.memory, of.latest["memory"])
        of.busy = max(of.busy, of.latest["busy"])
        of.away = max(of.away, of.latest["away"])
        of.waiting_bodies = max(of.waiting_bodies, levels.waiting_bodies)
        for key, used in levels.keys.items():
            of.keys[str(key)] = max(of.keys.get(str(key), 0.0), round(used, 3))
        answers, self._answers = self._answers, Counter()
        for status, count in answers.items():
            of.requests += count
            if status in (408, 413, 429, 503):
                of.answers[str(status)] = of.answers.get(str(status), 0) + count
        if commits := sorted(levels.commits):
            of.commit_p95 = max(of.commit_p95, commits[int(len(commits) * 0.95)])


def fullest(used: dict[int, float]) -> dict[int, float]:
    """The keys nearest to their limits; of many, since a reader sees only those of their teams."""
    spent = [each for each in used.items() if each[1] > 0]
    return dict(sorted(spent, key=lambda each: -each[1])[:_KEYS])


_UPSERT = """
    INSERT INTO ingest_saturation (process, minute, noted_at, "values")
    VALUES (%(process)s, %(minute)s, %(now)s, %(values)s)
    ON CONFLICT (process, minute) DO UPDATE SET
        noted_at = excluded.noted_at, "values" = excluded."values"
"""
