"""What the ingest process notices for people to read: examples of what it refused.

Noted in memory beside the requests, saved by the configuration's thread in a transaction of its
own. Bounded in every direction, and lost without harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from psycopg import Connection

from ingest.examples import Example, Sample, example_of

log = logging.getLogger(__name__)

WAITING = 100
# One example of a key and a reason in so many seconds; a client that fails, fails all the time.
EVERY_SECONDS = 5.0
KNOWN_PAIRS = 2_000
KEPT_PER_KEY_AND_REASON = 20
KEPT = timedelta(days=7)


class Noted(msgspec.Struct, frozen=True):
    key_id: int
    received_at: datetime
    format: str
    client: str
    example: Example


class Notebook:
    """Used by the event loop and saved by one thread."""

    def __init__(self) -> None:
        self._waiting: deque[Noted] = deque(maxlen=WAITING)
        self._noted_at: dict[tuple[int, str], float] = {}
        self._lock = threading.Lock()

    def refused(
        self,
        key_id: int,
        received_at: datetime,
        format: str,
        client: str,
        samples: Iterable[Sample],
    ) -> None:
        """Note one example per reason, unless one of this key and reason was noted just now."""
        moment = time.monotonic()
        for sample in samples:
            if self._is_due((key_id, sample.rejection.reason), moment):
                try:
                    example = example_of(sample)
                except Exception:
                    # An example is for people to look at; no event may be lost for the want of it.
                    log.exception("An event that was refused cannot be shown.")
                    continue
                with self._lock:
                    self._waiting.append(Noted(key_id, received_at, format, client, example))

    def _is_due(self, pair: tuple[int, str], moment: float) -> bool:
        if moment - self._noted_at.get(pair, -EVERY_SECONDS) < EVERY_SECONDS:
            return False
        if len(self._noted_at) >= KNOWN_PAIRS:
            self._noted_at.clear()
        self._noted_at[pair] = moment
        return True

    def save(self, connection: Connection, now: datetime) -> None:
        """Store what waits and forget what is old. Raises psycopg.Error, and then it is lost."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque(maxlen=WAITING)
        if not waiting:
            return
        examples = [noted.example for noted in waiting]
        with connection.transaction():
            connection.execute(
                _INSERT,
                {
                    "key_id": [noted.key_id for noted in waiting],
                    "received_at": [noted.received_at for noted in waiting],
                    "format": [noted.format for noted in waiting],
                    "client": [noted.client for noted in waiting],
                    "reason": [example.reason for example in examples],
                    "field": [example.field for example in examples],
                    "id_prefix": [example.id_prefix for example in examples],
                    "shape": [msgspec.json.encode(example.shape).decode() for example in examples],
                },
            )
            connection.execute(_FORGET, {"kept": KEPT_PER_KEY_AND_REASON, "before": now - KEPT})


_INSERT = """
    INSERT INTO rejected_example (
        key_id, received_at, format, client, reason, field, id_prefix, shape
    )
    SELECT noted.key_id, noted.received_at, noted.format, noted.client, noted.reason, noted.field,
           noted.id_prefix, noted.shape::jsonb
    FROM unnest(
        %(key_id)s::integer[], %(received_at)s::timestamptz[], %(format)s::text[],
        %(client)s::text[], %(reason)s::text[], %(field)s::text[], %(id_prefix)s::text[],
        %(shape)s::text[]
    ) AS noted (key_id, received_at, format, client, reason, field, id_prefix, shape)
"""
_FORGET = """
    DELETE FROM rejected_example
    WHERE received_at < %(before)s OR id IN (
        SELECT id
        FROM (
            SELECT id, row_number() OVER (PARTITION BY key_id, reason ORDER BY id DESC) AS place
            FROM rejected_example
        ) AS ranked
        WHERE place > %(kept)s
    )
"""
