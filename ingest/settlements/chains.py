"""What settlements are about: an event, and the settlement of it whose figures count until now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import class_row

from ingest.corrections import Said
from ingest.facts import MAX_AHEAD

_SQL = Path(__file__).parent.parent / "sql"
DUE = (_SQL / "due_settlements.sql").read_text()
SETTLED_BEFORE = (_SQL / "settled_before.sql").read_text()
SETTLEABLE = (_SQL / "settleable_events.sql").read_text()
ORIGINALS = (_SQL / "settled_originals.sql").read_text()
ONE_DAY = timedelta(days=1)
WIDE_TRIES = 4

Root = tuple[UUID, date]  # an event by its key and UTC day


class Due(NamedTuple):
    """One settlement that waits."""

    key: UUID
    corrects: UUID
    key_id: int
    source: str
    format: str
    received_at: datetime
    made_at: datetime
    tries: int
    said: Said

    @property
    def newest(self) -> datetime:
        """No event that began later can be what it is about; clocks differ a little."""
        return self.made_at + MAX_AHEAD

    @property
    def is_searched_widely(self) -> bool:
        """Whether every day is to be searched: that takes a look at each, so it is rare."""
        return self.tries % WIDE_TRIES == 0


@dataclass(frozen=True, slots=True)
class Original:
    """One row of settled_originals.sql."""

    event_key: UUID
    day: date
    started_at: datetime
    attribution_id: int
    user_id: int
    price_id: int | None
    contract_price_id: int | None
    fixing_id: int | None
    tokens: list[int]
    latency_ms: float | None
    ttft_ms: float | None
    quality: float | None
    normalised: bool
    gpu_seconds: Decimal | None
    reported_cost: Decimal | None
    session: str | None
    prompt_hash: str | None
    stages_ms: dict[str, float] | None
    tags: dict[str, str] | None
    dimensions: list[str]
    dimension_tags: dict[str, str]
    in_force: UUID | None
    made_at: datetime | None
    is_folded: bool


def due(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """Settlements to try now, those never tried before others; in the order they were made in."""
    rows = connection.execute(DUE, {"now": now, "limit": limit}).fetchall()
    return [Due._make([*row, msgspec.convert(said, Said, strict=False)]) for *row, said in rows]


def originals(connection: Connection, roots: Iterable[Root]) -> dict[Root, Original]:
    wanted = set(roots)
    parameters = {"keys": [key for key, _ in wanted], "days": [day for _, day in wanted]}
    with connection.cursor(row_factory=class_row(Original)) as cursor:
        rows = cursor.execute(ORIGINALS, parameters).fetchall()
    return {(row.event_key, row.day): row for row in rows if (row.event_key, row.day) in wanted}


def roots(
    connection: Connection, waiting: Sequence[Due], hopeless_before: datetime
) -> dict[UUID, Root]:
    """Settlement → the event that it is about, of those whose event is there and folded.

    A settlement may name another one, and is about the same event then. Of several events with
    the id that it names, on several days, it is about the last one that began before it was made.
    What was received before `hopeless_before` is looked for everywhere, for the last time.
    """
    named = [each.corrects for each in waiting]
    rows = connection.execute(SETTLED_BEFORE, {"keys": named}).fetchall()
    settled: dict[UUID, Root | None] = {key: root and (root, day) for key, root, day in rows}
    found = {each.key: root for each in waiting if (root := settled.get(each.corrects))}
    about_events = [each for each in waiting if each.corrects not in settled]
    days = {each.newest.astimezone(UTC).date() for each in about_events}
    lately = days | {day - ONE_DAY for day in days}
    found |= _latest(connection, about_events, sorted(lately))
    missing = [
        each
        for each in about_events
        if each.key not in found and (each.is_searched_widely or each.received_at < hopeless_before)
    ]
    return found | _latest(connection, missing, None)


def _latest(
    connection: Connection, waiting: Sequence[Due], days: list[date] | None
) -> dict[UUID, Root]:
    if not waiting:
        return {}
    parameters: dict[str, Any] = {"keys": [each.corrects for each in waiting], "days": days}
    held: dict[UUID, list[tuple[datetime, date]]] = {}
    for key, day, started_at in connection.execute(SETTLEABLE, parameters):
        held.setdefault(key, []).append((started_at, day))
    return {
        each.key: (each.corrects, max(before)[1])
        for each in waiting
        if (before := [at for at in held.get(each.corrects, ()) if at[0] <= each.newest])
    }
