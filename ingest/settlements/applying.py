"""Settlements applied: a reversal of the figures in force, and the settled row in their place.

One round at a time, from however many processes, and never while events are rated again or a name
is erased from them: a reversal must be the negative of what it reverses, whatever becomes of that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import Connection

from ingest.attribution import Register
from ingest.rating import RateCard
from ingest.settlements import chains, waiting
from ingest.settlements.chains import Due, Original, Root
from ingest.settlements.figures import attribution_of, is_as_before, settled

log = logging.getLogger(__name__)

_SQL = Path(__file__).parent.parent / "sql"
INSERT_SETTLED = (_SQL / "insert_settled.sql").read_text()
INSERT_REVERSALS = (_SQL / "insert_reversals.sql").read_text()
SETTLE = (_SQL / "settle.sql").read_text()
# Held by whoever changes stored events or depends on what they hold: see finops/locks.py.
STORED_EVENTS_LOCK = 0x_FA27_0002
ROUND = 500
# A settlement that came before its event waits this long for it.
WAIT = timedelta(days=7)
# What a settlement itself may be to blame for, unlike a database that is away or a dropped day.
_ITS_OWN_FAULT = (psycopg.DataError, psycopg.IntegrityError, ArithmeticError, ValueError)
_OUT_OF_FORCE = """
    UPDATE settlement SET in_force = false
    FROM unnest(%(original_key)s::uuid[], %(day)s::date[]) AS changed (original_key, day)
    WHERE settlement.in_force
        AND settlement.original_key = changed.original_key AND settlement.day = changed.day
        AND settlement.event_key <> ALL(%(kept)s)
"""
_TAKEN = "SELECT event_key, day FROM usage_event WHERE event_key = ANY(%s) AND day = ANY(%s)"
_BATCH = """
    INSERT INTO ingest_batch (
        key_id, source, format, received_at, committed_at, accepted, duplicates, reversals,
        first_started_at, last_started_at
    )
    VALUES (%s, %s, %s, %s, clock_timestamp(), %s, 0, %s, %s, %s)
    RETURNING id
"""


@dataclass(slots=True)
class Applied:
    """What a round did, in numbers of settlements."""

    applied: int = 0
    given_up: int = 0
    waiting: int = 0

    @property
    def is_full(self) -> bool:
        """Whether more may be due already."""
        return self.applied + self.given_up + self.waiting >= ROUND

    def add(self, other: Applied) -> None:
        self.applied += other.applied
        self.given_up += other.given_up
        self.waiting += other.waiting


@dataclass(slots=True)
class _Chain:
    """One event while its settlements are worked through: the row whose figures count."""

    original: Original
    head: UUID
    made_at: datetime | None
    settled: list[tuple[Due, dict[str, Any]]] = field(default_factory=list)
    reversed: list[tuple[UUID, Due]] = field(default_factory=list)  # by which settlement

    def add(self, due: Due, row: dict[str, Any]) -> None:
        self.settled.append((due, row))
        if self.made_at is None or due.made_at >= self.made_at:
            self.reversed.append((self.head, due))
            self.head, self.made_at = due.key, due.made_at
        else:  # it comes late: the one in force says more recent figures
            self.reversed.append((due.key, due))


def apply_due(
    connection: Connection,
    register: Register,
    card: RateCard | None,
    activated_tags: frozenset[str],
    now: datetime,
) -> Applied:
    """Apply those settlements whose time has come and whose event is there, and put off the others.

    `connection` is in autocommit. Raises psycopg.Error, and then the round is done again. One that
    cannot be applied at all is given up, so that it never stops the others.
    """
    if not chains.due(connection, now, 1):
        return Applied()

    def work(through: Sequence[Due]) -> Applied:
        return _round(connection, register, card, activated_tags, through, now)

    with _alone(connection):
        due = chains.due(connection, now, ROUND)
        try:
            return work(due)
        except _ITS_OWN_FAULT as error:
            log.warning("Settlements are applied one by one: %s", str(error).strip())
        found = Applied()
        for each in due:
            try:
                done = work([each])
            except _ITS_OWN_FAULT as error:
                log.warning("Settlement %s is given up: %s", each.key, str(error).strip())
                waiting.give_up(connection, [each.key], "cannot_be_stored", now)
                done = Applied(given_up=1)
            found.add(done)
        return found


def _round(
    connection: Connection,
    register: Register,
    card: RateCard | None,
    activated_tags: frozenset[str],
    due: Sequence[Due],
    now: datetime,
) -> Applied:
    roots = chains.roots(connection, due, now - WAIT)
    originals = chains.originals(connection, roots.values())
    ready = {
        each.key: original
        for each in due
        if (original := originals.get(roots.get(each.key, _NOWHERE))) and original.is_folded
    }
    rows = _rows(connection, register, card, activated_tags, due, ready)
    with connection.transaction():
        return _write(connection, due, ready, rows, now)


_NOWHERE: Root = (UUID(int=0), date.min)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", [STORED_EVENTS_LOCK])
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [STORED_EVENTS_LOCK])


def _rows(
    connection: Connection,
    register: Register,
    card: RateCard | None,
    activated_tags: frozenset[str],
    due: Sequence[Due],
    ready: dict[UUID, Original],
) -> dict[UUID, dict[str, Any]]:
    """The settled rows by settlement; attributions and users that are new get their numbers."""
    attributions = {
        each.key: attribution_of(ready[each.key], each.said, activated_tags)
        for each in due
        if each.key in ready
    }
    changed = {
        key: attribution
        for key, attribution in attributions.items()
        if not is_as_before(ready[key], attribution)
    }
    users = {each.said.user for each in due if each.key in ready and each.said.user}
    numbers, user_ids = register.intern(connection, changed.values(), users)
    rows = {}
    for each in due:
        if each.key not in ready:
            continue
        original, attribution = ready[each.key], attributions[each.key]
        rows[each.key] = {
            **settled(original, each.said, attribution, card),
            "event_key": each.key,
            "attribution_id": numbers.get(changed.get(each.key, attribution))
            if each.key in changed
            else original.attribution_id,
            "user_id": user_ids[each.said.user] if each.said.user else original.user_id,
        }
    return rows


def _write(
    connection: Connection,
    due: Sequence[Due],
    ready: dict[UUID, Original],
    rows: dict[UUID, dict[str, Any]],
    now: datetime,
) -> Applied:
    days = list({row["day"] for row in rows.values()})
    found_rows = connection.execute(_TAKEN, [list(rows), days]).fetchall()
    taken = {key for key, day in found_rows if rows[key]["day"] == day}
    by_root: dict[Root, _Chain] = {}
    for each in due:
        if each.key in ready and each.key not in taken:
            original = ready[each.key]
            root = (original.event_key, original.day)
            head = original.in_force or original.event_key
            chain = by_root.setdefault(root, _Chain(original, head, original.made_at))
            chain.add(each, rows[each.key])
    lost = [each for each in due if each.key not in ready]
    hopeless = [each.key for each in lost if each.received_at < now - WAIT]
    applied = _adjust(connection, list(by_root.values()), now) if by_root else 0
    later = [each.key for each in lost if each.key not in hopeless]
    waiting.give_up(connection, list(taken), "id_is_taken", now)
    waiting.give_up(connection, hopeless, "no_such_event", now)
    waiting.try_later(connection, later, now)
    return Applied(applied, len(taken) + len(hopeless), len(later))


def _adjust(connection: Connection, changed: Sequence[_Chain], now: datetime) -> int:
    """Write what these chains have come to; returns how many settlements that took."""
    batches: dict[tuple[int, str, str], list[tuple[Due, Original]]] = {}
    for chain in changed:
        for due, _ in chain.settled:
            name = (due.key_id, due.source, due.format)
            batches.setdefault(name, []).append((due, chain.original))
    batch_of: dict[UUID, int] = {}
    for name, of in batches.items():
        received_at = max(due.received_at for due, _ in of)
        times = [original.started_at for _, original in of]
        [[batch]] = connection.execute(
            _BATCH, [*name, received_at, len(of), len(of), min(times), max(times)]
        ).fetchall()
        batch_of |= {due.key: batch for due, _ in of}
    rows = [
        {**row, "batch_id": batch_of[due.key]} for chain in changed for due, row in chain.settled
    ]
    connection.execute(INSERT_SETTLED, {"rows": msgspec.json.encode(rows).decode()})
    reversals = [(chain, key, due) for chain in changed for key, due in chain.reversed]
    cursor = connection.execute(
        INSERT_REVERSALS,
        {
            "reversed": [key for _, key, _ in reversals],
            "day": [chain.original.day for chain, _, _ in reversals],
            "event_key": [reversal_key(key) for _, key, _ in reversals],
            "batch_id": [batch_of[due.key] for _, _, due in reversals],
        },
    )
    if cursor.rowcount != len(rows):  # retention has dropped the day meanwhile
        raise LookupError(f"{len(rows)} settlements made {cursor.rowcount} reversals.")
    _say_applied(connection, changed, now)
    return len(rows)


def _say_applied(connection: Connection, changed: Sequence[_Chain], now: datetime) -> None:
    applied = [(chain, due) for chain in changed for due, _ in chain.settled]
    connection.execute(
        _OUT_OF_FORCE,
        {
            "original_key": [chain.original.event_key for chain in changed],
            "day": [chain.original.day for chain in changed],
            "kept": [chain.head for chain in changed],
        },
    )
    connection.execute(
        SETTLE,
        {
            "now": now,
            "event_key": [due.key for _, due in applied],
            "original_key": [chain.original.event_key for chain, _ in applied],
            "day": [chain.original.day for chain, _ in applied],
            "in_force": [chain.head == due.key for chain, due in applied],
        },
    )


def reversal_key(key: UUID) -> UUID:
    """The key of the reversal of the event of this key: that there is one such row at most is what
    the primary key sees to."""
    return UUID(bytes=blake2b(b"reversal\0" + key.bytes, digest_size=16).digest())
