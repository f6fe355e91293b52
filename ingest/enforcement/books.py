"""What enforcement reads and writes in the database, over one connection that one thread has.

The tables are made by finops: `enforcement_state` (one row: how fresh figures are),
`enforcement_plan` (terms of budgets), `enforcement_standing` (what is spent), `reservation` and
`reservation_hold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from ingest.enforcement.centers import NOBODY, Owned, read_owners
from ingest.enforcement.decisions import EXACT, Position, fits
from ingest.enforcement.portions import in_portions
from ingest.enforcement.reservations import Hold, Release, Reservation, Settlement
from ingest.enforcement.terms import Place, Standing, Terms

_SQL = Path(__file__).parent.parent / "sql"
INSERT_RESERVATIONS = (_SQL / "insert_reservations.sql").read_text()
BUDGET_POSITIONS = (_SQL / "budget_positions.sql").read_text()
SETTLE_RESERVATIONS = (_SQL / "settle_reservations.sql").read_text()
RELEASE_RESERVATIONS = (_SQL / "release_reservations.sql").read_text()
RESERVED = (_SQL / "reserved.sql").read_text()
_LOCKS = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) WITH ORDINALITY AS k (key, n)"
_STATE = "SELECT version, as_of FROM enforcement_state"
_PLANS_STATE = "SELECT coalesce(max(version), 0), count(*) FROM enforcement_plan"
_PLANS = "SELECT terms FROM enforcement_plan"
_STANDINGS = """
    SELECT budget_id, value, period_start, spent, amount FROM enforcement_standing
    WHERE version > %s
"""
_CALLS = "SELECT key_id, count(*) FROM reservation WHERE expires_at > %s GROUP BY key_id"
CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "application_name": "farthing enforcement",
    # A reservation that a crash of the database takes is of the last moment, and expires anyway.
    # Whoever changes whole tables goes first, before anybody has to be ended for a deadlock.
    "options": (
        "-c statement_timeout=5s -c lock_timeout=500ms -c timezone=UTC -c synchronous_commit=off"
    ),
}

Work = Reservation | Settlement | Release


@dataclass(slots=True)
class Figures:
    """What was read last. `standings` are of the periods in which they were spent; those of the
    reading before, where it lacks no more than what `changed`. `calls` are those for which
    something is held, by key."""

    version: int = -1
    as_of: datetime | None = None
    plans: tuple[Terms, ...] = ()
    standings: dict[Place, Standing] = field(default_factory=dict)
    changed: dict[Place, Standing] = field(default_factory=dict)
    reserved: dict[tuple[Place, datetime], Decimal] = field(default_factory=dict)
    owned: Owned = NOBODY
    plans_state: tuple[int, int] = (0, 0)
    calls: Mapping[int, int] = field(default_factory=dict)

    def complete(self) -> None:
        """In the event loop, which reads them: to copy a hundred thousand standings would hold
        everybody up."""
        self.standings.update(self.changed)
        self.changed = {}


def connected(dsn: str) -> psycopg.Connection:
    return psycopg.connect(dsn, **CONNECTION)


class Reading(NamedTuple):
    """Begun: from here on the connection sees everything as it was at this moment."""

    state: tuple[int, datetime] | None  # None: nothing was ever enforced


def begin_reading(connection: psycopg.Connection) -> Reading:
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    return Reading(connection.execute(_STATE).fetchone())


def read(
    connection: psycopg.Connection, reading: Reading, before: Figures, now: datetime
) -> Figures:
    """Everything at the moment at which the reading began. What has not changed since `before` is
    not read again."""
    if reading.state is None:
        connection.execute("COMMIT")
        return Figures()
    version, as_of = reading.state
    plans_state, plans, standings = before.plans_state, before.plans, before.standings
    changed: dict[Place, Standing] = {}
    if version != before.version:
        [found] = connection.execute(_PLANS_STATE).fetchall()
        since, is_other = before.version, found != before.plans_state
        if is_other:
            plans = tuple(map(_terms, connection.execute(_PLANS)))
            plans_state, since = found, -1
        changed = {
            Place(budget, value): Standing(period, spent, amount)
            for budget, value, period, spent, amount in in_portions(
                connection.execute(_STANDINGS, [since], binary=True)
            )
        }
        if is_other:
            standings, changed = changed, {}
    reserved = {
        (Place(budget, value), period): amount
        for budget, value, period, amount in in_portions(
            connection.execute(RESERVED, {"now": now}, binary=True)
        )
    }
    owned = read_owners(connection, before.owned, plans, now)
    calls: dict[int, int] = dict(connection.execute(_CALLS, [now]).fetchall())
    connection.execute("COMMIT")
    return Figures(version, as_of, plans, standings, changed, reserved, owned, plans_state, calls)


def _terms(row: tuple[Any, ...]) -> Terms:
    return msgspec.convert(row[0], Terms)


class Held(NamedTuple):
    """Whether a reservation fitted and is held, and where its limited budgets stood before it."""

    is_held: bool
    positions: Mapping[Place, Position]


def work(connection: psycopg.Connection, works: Sequence[Work], now: datetime) -> list[Held | bool]:
    """Do all of these in one transaction. Of a settlement or release says whether there was
    something to settle or release. Raises psycopg.Error."""
    reservations = [each for each in works if isinstance(each, Reservation)]
    limited = [each for each in reservations if _limited(each)]
    with connection.transaction():
        held: dict[UUID, Held] = {}
        _insert(connection, [each for each in reservations if not _limited(each)])
        if limited:
            held = _hold_within_limits(connection, limited, now)
        settled = _settle(connection, [each for each in works if isinstance(each, Settlement)])
        released = _release(connection, [each for each in works if isinstance(each, Release)])
    done = settled | released
    return [
        held.get(each.id, Held(True, {})) if isinstance(each, Reservation) else each.id in done
        for each in works
    ]


def _limited(reservation: Reservation) -> list[Hold]:
    return [hold for hold in reservation.holds if hold.limit is not None]


def _hold_within_limits(
    connection: psycopg.Connection, asked: Sequence[Reservation], now: datetime
) -> dict[UUID, Held]:
    """Hold those that fit, one after another. Places without a limit are neither locked nor added
    up, as much may be held of them."""
    holds = {(hold.place, hold.period) for each in asked for hold in _limited(each)}
    # In one order, so that two processes wait for each other in one direction.
    connection.execute(_LOCKS, [_array(sorted({_lock(place) for place, _ in holds}))])
    positions = _positions(connection, list(holds), now)
    said = {}
    for each in asked:
        stood = {hold.place: positions[hold.place, hold.period] for hold in _limited(each)}
        is_held = all(
            hold.limit is None or fits(hold.limit, stood[hold.place], hold.amount)
            for hold in each.holds
        )
        said[each.id] = Held(is_held, stood)
        if is_held:
            for hold in _limited(each):
                spent, reserved = stood[hold.place]
                more = EXACT.add(reserved, hold.amount)
                positions[hold.place, hold.period] = Position(spent, more)
    _insert(connection, [each for each in asked if said[each.id].is_held])
    return said


def _positions(
    connection: psycopg.Connection, asked: Sequence[tuple[Place, datetime]], now: datetime
) -> dict[tuple[Place, datetime], Position]:
    given = {
        "budgets": _array(place.budget for place, _ in asked),
        "values": [place.value for place, _ in asked],
        "periods": _array(period for _, period in asked),
        "now": now,
    }
    rows = connection.execute(BUDGET_POSITIONS, given, binary=True)
    return {
        (Place(budget, value), period): Position(spent, reserved)
        for budget, value, period, spent, reserved in rows
    }


def _insert(connection: psycopg.Connection, reservations: Sequence[Reservation]) -> None:
    if not reservations:
        return
    holds = [(each, hold) for each in reservations for hold in each.holds]
    connection.execute(
        INSERT_RESERVATIONS,
        {
            "ids": _array(each.id for each in reservations),
            "key_ids": _array(each.key_id for each in reservations),
            "sources": [each.source for each in reservations],
            "event_keys": _array(each.event_key for each in reservations),
            "created": _array(each.created_at for each in reservations),
            "expire": _array(each.expires_at for each in reservations),
            "hold_ids": _array(each.id for each, _ in holds),
            "budgets": _array(hold.place.budget for _, hold in holds),
            "values": [hold.place.value for _, hold in holds],
            "periods": _array(hold.period for _, hold in holds),
            "amounts": _array(hold.amount for _, hold in holds),
            "hold_expire": _array(each.expires_at for each, _ in holds),
        },
    )


def _settle(connection: psycopg.Connection, settlements: Sequence[Settlement]) -> set[UUID]:
    if not settlements:
        return set()
    given = {
        "ids": _array(each.id for each in settlements),
        "sources": [each.source for each in settlements],
        "moments": _array(each.at for each in settlements),
        "until": _array(each.until for each in settlements),
        "event_keys": _array(each.event_key for each in settlements),
        "alias_keys": _array(each.alias_key for each in settlements),
        "costs": _array(each.cost for each in settlements),
    }
    return {id for (id,) in connection.execute(SETTLE_RESERVATIONS, given)}


def _release(connection: psycopg.Connection, releases: Sequence[Release]) -> set[UUID]:
    if not releases:
        return set()
    given = {
        "ids": _array(each.id for each in releases),
        "sources": [each.source for each in releases],
        "moments": _array(each.at for each in releases),
    }
    return {id for (id,) in connection.execute(RELEASE_RESERVATIONS, given)}


def _array(values: Iterable[object]) -> str:
    """As PostgreSQL writes an array of what needs no quotes; in half the time that psycopg takes
    for a list."""
    return f"{{{','.join('NULL' if each is None else str(each) for each in values)}}}"


def _lock(place: Place) -> int:
    """The number by which processes agree who changes what is reserved of this place."""
    name = f"{place.budget}\0{place.value}".encode()
    return int.from_bytes(
        blake2b(name, digest_size=8, person=b"reservation").digest(), "big", signed=True
    )
