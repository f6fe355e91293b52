"""Whether figures can be trusted at this moment: database, worker, roll-up lag, zone, checks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection

from finops import name_hashing
from finops.rollup_checks import differing_days
from finops.rollups import ZoneChanged, refuse_other_zone

# The folding task looks every second.
WORKER_SILENT = timedelta(seconds=30)
LAG_LIMIT = timedelta(seconds=60)
RECENT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    is_ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How far the rollups are behind. `folded_at` is None before the worker ever looked."""

    folded_at: datetime | None
    oldest_pending: datetime | None
    pending_events: int

    def lag(self, now: datetime) -> timedelta:
        return max(now - self.oldest_pending, timedelta()) if self.oldest_pending else timedelta()


def read_pipeline(teams: Collection[str] | None = None) -> Pipeline:
    """`pending_events` are those of keys of these teams (None: of all)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                (SELECT folded_at FROM rollup_state),
                min(batch.committed_at),
                coalesce(
                    sum(batch.accepted) FILTER (
                        WHERE %(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[])
                    ),
                    0
                )
            FROM ingest_batch AS batch
            LEFT JOIN ingest_key AS key ON key.id = batch.key_id
            WHERE batch.folded_at IS NULL
            """,
            {"teams": None if teams is None else list(teams)},
        )
        folded_at, oldest_pending, pending_events = cursor.fetchall()[0]
    return Pipeline(folded_at, oldest_pending, int(pending_events))


def readiness(now: datetime, zone: ZoneInfo) -> list[Check]:
    """Every check, the failing ones saying what to do."""
    try:
        return list(checks(now, zone))
    except DatabaseError as error:
        return [Check("database", False, str(error).strip() or "the database is away")]


def checks(now: datetime, zone: ZoneInfo) -> Iterator[Check]:
    pipeline = read_pipeline()
    yield Check("database", True, "answers")
    looked = pipeline.folded_at
    yield Check(
        "worker",
        looked is not None and now - looked < WORKER_SILENT,
        f"last folded at {looked.isoformat()}" if looked else "has never folded; start the worker",
    )
    yield Check(
        "rollups",
        pipeline.lag(now) < LAG_LIMIT,
        # How many events wait is in /metrics: anybody may ask here.
        f"{pipeline.lag(now).total_seconds():.0f} s behind",
    )
    yield zone_check(zone)
    yield user_names_check()
    wrong = ", ".join(str(day) for day in differing_days())
    yield Check(
        "rollup_check",
        not wrong,
        f"differs from the events on {wrong}; rebuild_rollups" if wrong else "agrees with events",
    )


def zone_check(zone: ZoneInfo) -> Check:
    try:
        with connection.cursor() as cursor:
            refuse_other_zone(cursor, zone)
    except ZoneChanged as error:
        return Check("time_zone", False, str(error))
    return Check("time_zone", True, zone.key)


def user_names_check() -> Check:
    try:
        name_hashing.refuse_wrong_key()
    except name_hashing.WrongKey as error:
        return Check("user_names", False, str(error))
    return Check("user_names", True, "the key of hashes is the right one, if there are any")


def recent_events(now: datetime) -> dict[str, int]:
    """Events accepted in the last five minutes, by source. Uses ingest_batch_committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, sum(accepted) FROM ingest_batch WHERE committed_at > %s GROUP BY 1",
            [now - RECENT],
        )
        return {source: int(accepted) for source, accepted in cursor.fetchall()}


def unpriced_requests() -> int:
    """Requests without a known price in the days that rollups hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(unpriced_requests), 0) FROM rollup_day")
        return int(cursor.fetchall()[0][0])
