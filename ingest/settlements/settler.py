"""The thread that applies settlements, within a second or two of when their event is folded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg

from ingest.attribution import Register
from ingest.metrics import Metrics
from ingest.rating import RateCard
from ingest.settlements import applying, waiting

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
FORGET_SECONDS = 3600.0
PAUSE_SECONDS = 5.0
# Prices are loaded in the first seconds of a start: until then, waiting for them is no news.
STARTING_SECONDS = 30.0
CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    # As the writers are called: whoever waits for what ingest has taken waits for this too.
    "application_name": "farthing ingest",
    "options": "-c statement_timeout=25s -c timezone=UTC",
}
_WAITING = "SELECT count(*) FROM settlement WHERE next_try_at IS NOT NULL"


class Settler:
    """Start it and close it; a round that is under way is finished first."""

    def __init__(
        self,
        dsn: str,
        register: Register,
        card: Callable[[], RateCard | None],
        activated_tags: Callable[[], frozenset[str]],
        metrics: Metrics,
    ) -> None:
        self._dsn = dsn
        self._register = register
        self._card = card
        self._activated_tags = activated_tags
        self._metrics = metrics
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        started = time.monotonic()
        while not self._stopped.is_set():
            try:
                with psycopg.connect(self._dsn, **CONNECTION) as connection:
                    self._register.load(connection)
                    self._serve(connection)
            except LookupError as error:  # no prices yet, or a day that is just being dropped
                is_starting = time.monotonic() - started < STARTING_SECONDS
                level = logging.DEBUG if is_starting else logging.INFO
                log.log(level, "Settlements wait: %s", error)
            except psycopg.Error as error:
                log.warning("Settlements wait: %s", str(error).strip())
            except Exception:
                log.exception("Settlements are not applied; this is tried again.")
            self._stopped.wait(PAUSE_SECONDS)

    def _serve(self, connection: psycopg.Connection) -> None:
        forgotten = -FORGET_SECONDS
        pause = SETTLE_SECONDS
        while not self._stopped.wait(pause):
            now = datetime.now(UTC)
            if time.monotonic() - forgotten > FORGET_SECONDS:
                forgotten = time.monotonic()
                waiting.forget_old(connection, now)
            done = applying.apply_due(
                connection, self._register, self._card(), self._activated_tags(), now
            )
            self._metrics.settlements.labels("applied").inc(done.applied)
            self._metrics.settlements.labels("given_up").inc(done.given_up)
            pause = 0.0 if done.is_full else SETTLE_SECONDS
            [[count]] = connection.execute(_WAITING).fetchall()
            self._metrics.waiting_settlements.set(count)
