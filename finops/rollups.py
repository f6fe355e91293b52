"""Rollups: committed batches folded into sums, each exactly once; rebuilds.py makes them again.

Whoever writes rollups holds one advisory lock until the end of the transaction, so that folds,
re-rating and rebuilds come one after the other, from however many workers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from finops import day_histograms, reporting_currency, user_spans
from finops.sql import statement

log = logging.getLogger(__name__)

FOLD_LOCK = 0x666F6C64  # "fold"
# Bounds the memory and the length of one transaction; larger chunks update fewer rows per event.
CHUNK_EVENTS = 150_000
CHUNK_BATCHES = 5_000
# Under a load of so many a chunk, a fold waits for a larger one: most of its work is done once for
# each row of a rollup, however many events add to it.
LARGE_EVENTS = 20_000
PATIENCE = timedelta(seconds=2)
# What tells of usage so recent is folded before what is older, such as a month that is loaded.
LIVE = timedelta(hours=1)
# Without it PostgreSQL sorts and hashes a chunk's 150,000 groups on disk.
WORK_MEM = "SET LOCAL work_mem = '128MB'"
FOLD = ("sum_hours", "fold_hour", "fold_day", "fold_user_day", "key_minutes", "fold_minute")
# Of team, feature and model, for which minutes are kept by themselves; what is more is one.
MINUTE_KEYS = 600
# Longer than what is folded into them (fold_minute.sql).
MINUTES_KEPT = timedelta(hours=50)
SETTLE = ("settle_users", "settle_day_users")
# A day settles when nothing was added to it for so long; then its users are totalled.
QUIET = timedelta(seconds=20)
# Folding waits while a day settles, some seconds of a large one under load.
SETTLE_DAYS = 1


class ZoneChanged(RuntimeError):
    """The rollups hold the hours and days of another zone than the reporting zone."""

    def __init__(self, held: str, wanted: str) -> None:
        super().__init__(
            f"The rollups are in {held}, the reporting time zone is {wanted}. "
            "Run `manage.py rebuild_rollups` to fold every event anew in that zone, "
            f"or set FARTHING_TIME_ZONE={held}."
        )


@dataclass(frozen=True, slots=True)
class FoldReport:
    """What one call folded; `busy` where another worker was folding at that moment."""

    batches: int = 0
    events: int = 0
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    batches: list[int]
    events: int
    first: datetime
    last: datetime
    waited: timedelta  # since the first of them was committed, by the database's clock

    @property
    def may_wait(self) -> bool:
        return LARGE_EVENTS <= self.events < CHUNK_EVENTS and self.waited < PATIENCE


def fold_waiting(now: datetime, zone: ZoneInfo) -> FoldReport:
    """What is called every second: fold what waits, rarely and much at once under a high load.

    Raises ZoneChanged.
    """
    batches = events = 0
    while True:
        report = fold_chunk(now, zone, is_patient=True)
        batches, events = batches + report.batches, events + report.events
        if report.events < CHUNK_EVENTS:
            return FoldReport(batches, events, report.busy)


def fold_chunk(now: datetime, zone: ZoneInfo, *, is_patient: bool = False) -> FoldReport:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [FOLD_LOCK])
        if not one(cursor)[0]:
            return FoldReport(busy=True)
        touch_state(cursor, now, zone)
        claim = claim_batches(cursor, now)
        if not claim.batches or (is_patient and claim.may_wait):
            return FoldReport()
        gathered = 0
        if claim.events:
            prepare(cursor)
            parameters: dict[str, Any] = {
                "zone": zone.key,
                "batches": claim.batches,
                "first_day": claim.first.astimezone(UTC).date(),
                "last_day": claim.last.astimezone(UTC).date(),
            }
            cursor.execute(statement("gather_batches"), parameters)
            gathered = cursor.rowcount
            add_gathered(cursor, zone)
            cursor.execute(statement("unsettle_days"), {"now": now})
        cursor.execute(
            "UPDATE ingest_batch SET folded_at = %s WHERE id = ANY(%s)", [now, claim.batches]
        )
    if gathered != claim.events:
        message = "Batches %d to %d brought %d events, but %d were there to be folded."
        log.error(message, claim.batches[0], claim.batches[-1], claim.events, gathered)
    return FoldReport(len(claim.batches), gathered)


def claim_batches(cursor: CursorWrapper, now: datetime) -> Claim:
    """Batches that are not folded, live ones first; the advisory lock makes them ours."""
    cursor.execute(
        statement("claim_batches"),
        {"live_since": now - LIVE, "events": CHUNK_EVENTS, "batches": CHUNK_BATCHES},
    )
    rows = cursor.fetchall()
    return Claim(
        batches=[row[0] for row in rows],
        events=sum(row[1] for row in rows),
        first=min((row[2] for row in rows if row[2]), default=datetime.max.replace(tzinfo=UTC)),
        last=max((row[3] for row in rows if row[3]), default=datetime.min.replace(tzinfo=UTC)),
        waited=max((row[4] for row in rows), default=timedelta(0)),
    )


def settle(now: datetime, quiet: timedelta = QUIET) -> list[date]:
    """Total the users of days that have been quiet, of some days at a time, and shorten their
    histograms; the days settled.

    Totals of days, weeks and months answer who used most without reading every user's
    attributions, and cost a fold nothing while a day is still growing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [FOLD_LOCK])
        if not one(cursor)[0]:
            return []
        cursor.execute(
            "SELECT day FROM rollup_unsettled WHERE touched_at <= %s ORDER BY day LIMIT %s",
            [now - quiet, SETTLE_DAYS],
        )
        days = [row[0] for row in cursor.fetchall()]
        if days:
            cursor.execute(WORK_MEM)
            for name in SETTLE:
                cursor.execute(statement(name), {"days": days})
            user_spans.settle(cursor, days)
            day_histograms.compact(cursor, days)
            cursor.execute("DELETE FROM rollup_unsettled WHERE day = ANY(%s)", [days])
    return days


def held_zone(cursor: CursorWrapper) -> str | None:
    cursor.execute("SELECT zone FROM rollup_state")
    row = cursor.fetchone()
    return row[0] if row else None


def zone_differs(zone: ZoneInfo) -> bool:
    """Raises CurrencyChanged."""
    reporting_currency.refuse_other(connection)
    with connection.cursor() as cursor:
        return held_zone(cursor) not in {None, zone.key}


def refuse_other_zone(cursor: CursorWrapper, zone: ZoneInfo) -> None:
    """Raises ZoneChanged, and before that CurrencyChanged: no rebuild helps there."""
    cursor.execute("SELECT zone, currency FROM rollup_state")
    if (row := cursor.fetchone()) is None:
        return
    held, currency = row
    reporting_currency.refuse_unless(currency)
    if held != zone.key:
        raise ZoneChanged(held, zone.key)


def touch_state(cursor: CursorWrapper, now: datetime, zone: ZoneInfo) -> None:
    """Say that the folding task is alive; the first time, that the rollups are in this zone and in
    this currency."""
    refuse_other_zone(cursor, zone)
    cursor.execute(
        """
        INSERT INTO rollup_state (zone, currency, folded_at)
        VALUES (%(zone)s, %(currency)s, %(now)s)
        ON CONFLICT (id) DO UPDATE SET folded_at = excluded.folded_at
        """,
        {"zone": zone.key, "currency": settings.CURRENCY, "now": now},
    )


def prepare(cursor: CursorWrapper) -> None:
    cursor.execute(WORK_MEM)
    cursor.execute(statement("fold_tables"))


def add_gathered(cursor: CursorWrapper, zone: ZoneInfo) -> None:
    """Add what fresh_event holds to every grain that a fold writes."""
    for name in FOLD:
        cursor.execute(statement(name), {"zone": zone.key, "keys": MINUTE_KEYS})


def forget_minutes(now: datetime) -> None:
    """Remove minutes that nothing reads any more."""
    with connection.cursor() as cursor:
        cursor.execute(statement("prune_minutes"), {"before": now - MINUTES_KEPT})


def one(cursor: CursorWrapper) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None
    return row
