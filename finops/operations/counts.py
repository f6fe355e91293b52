"""What operations are measured by: the days and events they have before them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection

from finops.periods import local_day


def newest_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM ingest_batch")
        [(newest,)] = cursor.fetchall()
    return int(newest)


def unfolded_events(up_to: int | None = None) -> int:
    """Of all batches, or of those up to this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(accepted), 0) FROM ingest_batch WHERE folded_at IS NULL"
            " AND (%(up_to)s::bigint IS NULL OR id <= %(up_to)s)",
            {"up_to": up_to},
        )
        [(events,)] = cursor.fetchall()
    return int(events)


def events_of(day: date) -> int:
    """That are kept of a UTC day."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM usage_event WHERE day = %s", [day])
        [(events,)] = cursor.fetchall()
    return int(events)


def last_event_at() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(started_at) FROM usage_event")
        [(last,)] = cursor.fetchall()
    found: datetime | None = last
    return found


def requests_of(day: date) -> int:
    """That the rollups of the day count."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(requests), 0) FROM rollup_day WHERE day = %s", [day])
        [(requests,)] = cursor.fetchall()
    return int(requests)


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> int:
    """Days of the zone that [start, end) touches."""
    if start >= end:
        return 0
    first, after = local_day(start, zone), end.astimezone(zone)
    whole = (after.date() - first).days
    is_midnight = local_day(end, zone) != local_day(end - end.resolution, zone)
    return whole if is_midnight else whole + 1
