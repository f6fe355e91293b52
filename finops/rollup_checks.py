"""Whether rollups still say what the events say; a difference is an alarm, never silence.

Every night: the last days, the days that have changed since they were last compared (late events,
ratings, rebuilds), those that differ, and a share of all the others, so that within a month each
day whose events are kept has been compared.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from finops.models import RollupCheck
from finops.periods import local_day, start_of_day
from finops.rebuilds import EventsDropped, refuse_dropped
from finops.rollups import one
from finops.sql import statement

log = logging.getLogger(__name__)

RECENT_DAYS = 7
# In so many nights every day is compared once.
CYCLE_NIGHTS = 30
# After a rebuild of everything a night has enough to do with so many changed days.
CHANGED_DAYS = 31


def check_day(day: date, zone: ZoneInfo) -> RollupCheck | None:
    """Compare every grain of the day with its folded events and keep the outcome.

    None where the day's events are dropped already.
    """
    changed_by = last_change(day)
    check = compare(day, zone)
    with connection.cursor() as cursor:
        cursor.execute(statement("keep_mark"), {"day": day, "changed_by": changed_by})
    return check


def last_change(day: date) -> str | None:
    """The transaction that has changed the day since its last check; None if none has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT changed_by::text FROM rollup_unchecked WHERE day = %s", [day])
        row = cursor.fetchone()
    return row[0] if row else None


def compare(day: date, zone: ZoneInfo) -> RollupCheck | None:
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


def check_nightly(now: datetime, zone: ZoneInfo) -> list[RollupCheck]:
    """What is due in one night, of the days before today."""
    today = local_day(now, zone)
    due = {today - timedelta(days=back) for back in range(1, RECENT_DAYS + 1)}
    due |= {check.day for check in differing_checks()[:CHANGED_DAYS]}
    due |= set(changed_days(today))
    checks = list(check_days(sorted(due), zone))
    others = kept_days(today, zone) - due
    share = math.ceil(len(others) / CYCLE_NIGHTS)
    # Days that are dropped in part cannot be compared and take nobody's turn.
    checks += islice(check_days(longest_unchecked(others), zone), share)
    return checks


def check_days(days: Iterable[date], zone: ZoneInfo) -> Iterator[RollupCheck]:
    return (check for day in days if (check := check_day(day, zone)))


def changed_days(today: date) -> list[date]:
    """Days before today that have changed since their last check, as many as a night can take."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day FROM rollup_unchecked WHERE day < %s ORDER BY day LIMIT %s",
            [today, CHANGED_DAYS],
        )
        return [day for (day,) in cursor.fetchall()]


def kept_days(today: date, zone: ZoneInfo) -> set[date]:
    """The days before today whose events are kept, at least in part."""
    with connection.cursor() as cursor:
        cursor.execute(statement("first_kept"))
        first = one(cursor)[0]
    if first is None:
        return set()
    first_day = local_day(first, zone)
    return {first_day + timedelta(days=ahead) for ahead in range((today - first_day).days)}


def longest_unchecked(days: Iterable[date]) -> list[date]:
    checked_at: dict[date, datetime] = dict(
        RollupCheck.objects.values_list("day").annotate(Max("checked_at"))
    )
    never = [day for day in days if day not in checked_at]
    once = [day for day in days if day in checked_at]
    return sorted(never) + sorted(once, key=lambda day: (checked_at[day], day))


def differing_checks() -> list[RollupCheck]:
    """The last checks of days that differ, the oldest check first."""
    latest = RollupCheck.objects.order_by("day", "-checked_at", "-pk").distinct("day")
    wrong = [check for check in latest if not check.matches]
    return sorted(wrong, key=lambda check: (check.checked_at, check.day))


def differing_days() -> list[date]:
    """The days whose last check found a difference."""
    return sorted(check.day for check in differing_checks())
