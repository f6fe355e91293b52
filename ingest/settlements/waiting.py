"""Settlements that wait: put off for longer each time, given up with a reason, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from psycopg import Connection

from ingest import partitions

# What was given up is shown this long.
KEPT = timedelta(days=30)
# Twice as long each time, up to an hour: thousands that wait for nothing must not cost much.
_TRY_LATER = """
    UPDATE settlement SET
        tries = tries + 1,
        next_try_at = %(now)s + make_interval(secs => least(power(2, least(tries, 12)), 3600))
    WHERE event_key = ANY(%(keys)s)
"""
_GIVE_UP = """
    UPDATE settlement SET given_up_at = %(now)s, reason = %(reason)s, said = NULL,
        next_try_at = NULL
    WHERE event_key = ANY(%(keys)s)
"""
_FORGET = """
    DELETE FROM settlement
    WHERE day < %(first_kept)s OR given_up_at < %(given_up_before)s
"""


def try_later(connection: Connection, keys: Sequence[UUID], now: datetime) -> None:
    if keys:
        connection.execute(_TRY_LATER, {"now": now, "keys": list(keys)})


def give_up(connection: Connection, keys: Sequence[UUID], reason: str, now: datetime) -> None:
    if keys:
        connection.execute(_GIVE_UP, {"now": now, "keys": list(keys), "reason": reason})


def forget_old(connection: Connection, now: datetime) -> None:
    """Remove settlements of days that retention has dropped, and long given up ones."""
    kept = partitions.existing(connection)
    connection.execute(
        _FORGET, {"first_kept": min(kept, default=date.min), "given_up_before": now - KEPT}
    )
