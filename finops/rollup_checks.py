"""Whether rollups still say what the events say; a difference is an alarm, never silence."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from finops.models import RollupCheck
from finops.periods import local_day, start_of_day
from finops.rollups import EventsDropped, refuse_dropped
from finops.sql import statement

log = logging.getLogger(__name__)


def check_day(day: date, zone: ZoneInfo) -> RollupCheck | None:
    """Compare every grain of the day with its folded events and keep the outcome.

    None where the day's events are dropped already.
    """
    parameters: dict[str, Any] = {
        "day": day,
        "start": start_of_day(day, zone),
        "end": start_of_day(day + timedelta(days=1), zone),
        "zone": zone.key,
    }
    with connection.cursor() as cursor:
        try:
            refuse_dropped(cursor, parameters)
        except EventsDropped:
            return None
        cursor.execute(statement("check_day"), parameters)
        events, *rollups = cursor.fetchall()
    wrong = [row for row in rollups if row[1:8] != events[1:8] or row[8]]
    if wrong:
        source, requests, cost = wrong[0][:3]
        log.error(
            "rollups of %s differ from its events: %s have %s requests and %s, events %s and %s. "
            "Run `manage.py rebuild_rollups --start %s --end %s`.",
            *(day, source, requests, cost, *events[1:3]),
            *(day, day + timedelta(days=1)),
        )
    rollup = wrong[0] if wrong else rollups[0]
    return RollupCheck.objects.create(
        day=day,
        event_requests=events[1],
        rollup_requests=rollup[1],
        event_cost=events[2],
        rollup_cost=rollup[2],
        matches=not wrong,
    )


def check_recent(now: datetime, zone: ZoneInfo, days: int = 7) -> list[RollupCheck]:
    """Check the days before today, and again those whose last check found a difference."""
    today = local_day(now, zone)
    recent = {today - timedelta(days=back) for back in range(1, days + 1)}
    checks = (check_day(day, zone) for day in sorted(recent.union(differing_days())))
    return [check for check in checks if check]


def differing_days() -> list[date]:
    """The days whose last check found a difference."""
    latest = RollupCheck.objects.order_by("day", "-checked_at", "-pk").distinct("day")
    return [check.day for check in latest if not check.matches]
