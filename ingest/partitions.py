"""Day partitions of usage_event and its aliases: made ahead, dropped by retention."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, timedelta

import psycopg
from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable, ObjectNotInPrerequisiteState

from ingest.decisions import DROPPED_BEFORE

log = logging.getLogger(__name__)

DAYS_AHEAD = 3
# Of this database, and of nothing else that takes advisory locks here.
_LOCK = 0x6661_7274_6869_6E67
_EVENTS, _ALIASES = "usage_event", "event_alias"
# How long a drop waits for readers of the day, while those who come after wait behind it.
_PATIENCE = "500ms"
# What statements over events choose by; the day too: all rows of a partition share it, and without
# its statistics the planner expects one in 200 of them. Partitions grow all day and are analyzed
# again and again, and looking at every column of 30,000 rows each time would take a tenth of what
# ingest takes.
_PLANNED_BY = ("day", "started_at", "batch_id", "attribution_id", "user_id", "effective_cost")
_STATISTICS_TARGET = 20


def existing(connection: Connection) -> set[date]:
    """The UTC days that have partitions."""
    return _attached(connection, _EVENTS) & _attached(connection, _ALIASES)


def _attached(connection: Connection, table: str) -> set[date]:
    rows = connection.execute(
        """
        SELECT child.relname
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = %s::regclass
        """,
        [table],
    )
    return {_day(name) for (name,) in rows}


def make(connection: Connection, days: Iterable[date]) -> None:
    """Make the partitions of these days where they are missing, in a transaction of its own.

    Made beside the table and attached, which unlike CREATE TABLE … PARTITION OF lets inserts into
    other days go on.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        wanted = set(days)
        for table in (_EVENTS, _ALIASES):
            for day in sorted(wanted - _attached(connection, table)):
                _make(connection, table, day)


def _make(connection: Connection, table: str, day: date) -> None:
    names = {
        "table": sql.Identifier(table),
        "partition": sql.Identifier(_name(table, day)),
        "start": sql.Literal(day.isoformat()),
        "end": sql.Literal((day + timedelta(days=1)).isoformat()),
    }
    for statement in (_CREATE, _ATTACH, _ATTACHED):
        connection.execute(sql.SQL(statement).format(**names))
    if table == _EVENTS:
        _limit_statistics(connection, names["partition"])


_CREATE = """
    CREATE TABLE {partition} (
        LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE,
        CONSTRAINT day_of_partition CHECK (day >= {start} AND day < {end})
    )
"""
_ATTACH = "ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})"
_ATTACHED = "ALTER TABLE {partition} DROP CONSTRAINT day_of_partition"


def _limit_statistics(connection: Connection, partition: sql.Composable) -> None:
    columns = connection.execute(
        """
        SELECT attname FROM pg_attribute
        WHERE attrelid = 'usage_event'::regclass AND attnum > 0 AND NOT attisdropped
        """
    ).fetchall()
    targets = sql.SQL(", ").join(
        sql.SQL("ALTER COLUMN {} SET STATISTICS {}").format(
            sql.Identifier(name), _STATISTICS_TARGET if name in _PLANNED_BY else 0
        )
        for (name,) in columns
    )
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(partition, targets))


def make_ahead(connection: Connection, today: date) -> None:
    """The partitions of yesterday, today and the days to come."""
    make(connection, (today + timedelta(days=offset) for offset in range(-1, DAYS_AHEAD + 1)))


def maintain(conninfo: str, today: date, retention_days: int) -> list[date]:
    """Make the partitions ahead; returns the days that are expired and to be dropped."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        make_ahead(connection, today)
        return expired(connection, today, retention_days)


def expired(connection: Connection, today: date, retention_days: int) -> list[date]:
    """The days before the retention that have a partition. From now on no event of them is taken.

    Days stay from the first on that holds an event which is not folded into the rollups yet.
    """
    oldest = today - timedelta(days=retention_days)
    unfolded = _first_unfolded(connection)
    if unfolded is not None and unfolded < oldest:
        log.warning("Events of %s are kept past their retention: some are not folded yet", unfolded)
        oldest = unfolded
    # An interrupted run may have left partitions detached and not yet dropped.
    days = {
        day
        for table in (_EVENTS, _ALIASES)
        for day in _attached(connection, table) | _detached(connection, table)
        if day < oldest
    }
    if days:
        connection.execute(_SAY_DROPPED, [DROPPED_BEFORE, str(max(days) + timedelta(days=1))])
    return sorted(days)


def drop(connection: Connection, day: date) -> bool:
    """Drop the partitions of an expired day; False where somebody is still reading them.

    Detached first and concurrently, so that neither inserts nor readers wait; needs a connection
    in autocommit. Whoever comes to read it waits behind a lock that is waited for, so that is given
    up soon; what was begun is finished the next time. Rollups stay.
    """
    connection.execute("SELECT set_config('lock_timeout', %s, false)", [_PATIENCE])
    try:
        for table in (_ALIASES, _EVENTS):
            if day in _attached(connection, table):
                _detach(connection, table, day)
            partition = sql.Identifier(_name(table, day))
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(partition))
    except LockNotAvailable:
        return False
    finally:
        connection.execute("RESET lock_timeout")
    return True


_SAY_DROPPED = """
    INSERT INTO setting (name, value, changed_at) VALUES (%s, to_jsonb(%s::text), now())
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at
    WHERE (setting.value #>> '{}') < (excluded.value #>> '{}')
"""


def _first_unfolded(connection: Connection) -> date | None:
    """The first UTC day with an event that waits to be folded, if there is any."""
    rows = connection.execute(
        """
        SELECT (min(first_started_at) AT TIME ZONE 'UTC')::date
        FROM ingest_batch
        WHERE folded_at IS NULL
        """
    )
    day: date | None = rows.fetchall()[0][0]
    return day


def _detach(connection: Connection, table: str, day: date) -> None:
    statement = "ALTER TABLE {} DETACH PARTITION {} "
    names = sql.Identifier(table), sql.Identifier(_name(table, day))
    try:
        connection.execute(sql.SQL(statement + "CONCURRENTLY").format(*names))
    except ObjectNotInPrerequisiteState:  # an earlier run was interrupted within it
        connection.execute(sql.SQL(statement + "FINALIZE").format(*names))


def _detached(connection: Connection, table: str) -> set[date]:
    rows = connection.execute(
        """
        SELECT relname FROM pg_class
        WHERE relkind = 'r' AND NOT relispartition
          AND relnamespace = current_schema()::regnamespace
          AND relname ~ ('^' || %s || '_[0-9]{4}_[0-9]{2}_[0-9]{2}$')
        """,
        [table],
    )
    return {_day(name) for (name,) in rows}


def _day(name: str) -> date:
    return date.fromisoformat(name[-10:].replace("_", "-"))


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y_%m_%d}"
