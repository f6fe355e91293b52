"""How many calls budgets refused and slowed, and when last: for pages and alerts to tell.

Counted in memory beside the answers, added by the configuration's thread to what other processes
counted. Of every budget, value and period there is one row, kept for a week after the period.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from ingest.enforcement.decisions import ALLOW, BLOCK, Verdict
from ingest.enforcement.terms import Terms

KEEP_TALLIES = (Path(__file__).parent.parent / "sql" / "keep_tallies.sql").read_text()
KEPT = timedelta(days=7)
# A rolling budget has no periods: it is counted by days of UTC, which are kept for so long.
ROLLING_KEPT = timedelta(days=31)
DAY = timedelta(days=1)
# Places that wait to be saved; calls of others are counted as their budget's. As are those of
# values that no event could have.
MOST = 5_000
LONGEST = 200

# A budget, a value and the beginning of a period.
Counted = tuple[int, str, datetime]


@dataclass(slots=True)
class Tally:
    """`ends` is when the period does."""

    ends: datetime
    refused: int = 0
    slowed: int = 0
    refused_at: datetime | None = None
    slowed_at: datetime | None = None


class Tallies:
    """Added to by the event loop, saved by one thread."""

    def __init__(self) -> None:
        self._waiting: dict[Counted, Tally] = {}
        self._lock = threading.Lock()

    def note(self, verdicts: Iterable[Verdict], at: float) -> None:
        """Each budget counts what it said itself."""
        for verdict in verdicts:
            if verdict.decision != ALLOW:
                self._note(verdict, datetime.fromtimestamp(at, UTC))

    def _note(self, verdict: Verdict, moment: datetime) -> None:
        value = verdict.place.value
        starts, ends = period_of(verdict.terms, moment)
        with self._lock:
            counted = verdict.terms.budget, value, starts
            if counted not in self._waiting and (
                len(self._waiting) >= MOST or len(value) > LONGEST
            ):
                counted = verdict.terms.budget, "", starts
            tally = self._waiting.setdefault(counted, Tally(ends))
            if verdict.decision == BLOCK:
                tally.refused += 1
                tally.refused_at = moment
            else:
                tally.slowed += 1
                tally.slowed_at = moment

    def save(self, connection: psycopg.Connection, now: datetime) -> None:
        """Add what waits to what is stored, and forget what is old. Raises psycopg.Error, and then
        it waits for the next time."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            with connection.transaction():
                connection.execute(KEEP_TALLIES, _columns(waiting))
                connection.execute(
                    "DELETE FROM enforcement_tally WHERE period_end < %s", [now - KEPT]
                )
        except psycopg.Error:
            self._put_back(waiting)
            raise

    def _put_back(self, waiting: Mapping[Counted, Tally]) -> None:
        with self._lock:
            for counted, before in waiting.items():
                if (since := self._waiting.get(counted)) is None:
                    self._waiting[counted] = before
                    continue
                since.refused += before.refused
                since.slowed += before.slowed
                since.refused_at = since.refused_at or before.refused_at
                since.slowed_at = since.slowed_at or before.slowed_at


def period_of(terms: Terms, at: datetime) -> tuple[datetime, datetime]:
    """The period that a call at this moment counts in. That after the known one is taken to be as
    long."""
    if terms.ends is None:
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return day, day + ROLLING_KEPT + DAY
    starts = terms.period(at)
    length = terms.ends - terms.starts
    return starts, terms.ends if starts == terms.starts else terms.ends + length


def _columns(waiting: Mapping[Counted, Tally]) -> dict[str, list[object]]:
    # In one order, so that two processes wait for each other in one direction.
    rows = sorted(waiting.items(), key=lambda each: each[0])
    return {
        "budgets": [budget for (budget, _, _), _ in rows],
        "values": [value for (_, value, _), _ in rows],
        "starts": [starts for (_, _, starts), _ in rows],
        "ends": [tally.ends for _, tally in rows],
        "refused": [tally.refused for _, tally in rows],
        "slowed": [tally.slowed for _, tally in rows],
        "refused_at": [tally.refused_at for _, tally in rows],
        "slowed_at": [tally.slowed_at for _, tally in rows],
    }
