"""Which values went past a limit on attribution: counted per dimension and team, with examples.

Saved by the configuration's thread, so that a restart forgets nothing and pages can tell.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from ingest.examples import printable

EXAMPLES = 20
KEPT = timedelta(days=30)


@dataclass(slots=True)
class Overflowed:
    """How often, and the first few of the values with how often each."""

    times: int = 0
    values: Counter[str] = field(default_factory=Counter)


class Overflows:
    """Added to by writers, saved by one thread."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Overflowed] = {}
        self._lock = threading.Lock()

    def add(self, dimension: str, team: str, value: str = "", times: int = 1) -> None:
        """Without a value where values are people's names or whole combinations."""
        with self._lock:
            noted = self._waiting.setdefault((dimension, team), Overflowed())
            noted.times += times
            shown = printable(value)
            if shown and (shown in noted.values or len(noted.values) < EXAMPLES):
                noted.values[shown] += times

    def save(self, connection: Connection, now: datetime) -> None:
        """Add what waits to what is stored. Raises psycopg.Error, and then it is lost."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        with connection.transaction():
            # In one order, so that two processes wait for each other in one direction.
            for (dimension, team), noted in sorted(waiting.items()):
                self._save(connection, dimension, team, noted, now)
            connection.execute("DELETE FROM cardinality_overflow WHERE last_at < %s", [now - KEPT])

    def _save(
        self, connection: Connection, dimension: str, team: str, noted: Overflowed, now: datetime
    ) -> None:
        named = {"dimension": dimension, "team": team, "now": now}
        row = connection.execute(_UPSERT, {**named, "times": noted.times}).fetchone()
        assert row is not None
        stored = row[0] if isinstance(row[0], dict) else msgspec.json.decode(row[0])
        values = dict((Counter(stored) + noted.values).most_common(EXAMPLES))
        connection.execute(_SET_EXAMPLES, {**named, "examples": Jsonb(values)})


_UPSERT = """
    INSERT INTO cardinality_overflow (dimension, team, first_at, last_at, times, examples)
    VALUES (%(dimension)s, %(team)s, %(now)s, %(now)s, %(times)s, '{}')
    ON CONFLICT (dimension, team) DO UPDATE SET
        last_at = excluded.last_at, times = cardinality_overflow.times + excluded.times
    RETURNING examples
"""
_SET_EXAMPLES = """
    UPDATE cardinality_overflow SET examples = %(examples)s
    WHERE dimension = %(dimension)s AND team = %(team)s
"""
