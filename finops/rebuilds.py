"""Rollups made again from the events, never of days whose events are gone: they would be lost.

What the events of a day say more than its rollups is found out in the view of one moment, while
folding goes on; then it is added, as a fold adds, under the one lock of whoever writes rollups. So
folding waits for what differs, not for all that has to be read, and nobody sees half a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from finops.locks import Lock, try_hold
from finops.models import BooksMonth
from finops.periods import local_day, start_of_day
from finops.rollups import FOLD_LOCK, held_zone, one, prepare, refuse_other_zone
from finops.sql import statement

COMPARE = ("sum_hours", "compare_sums", "compare_user_days")
MEND: tuple[tuple[str, dict[str, Any]], ...] = (
    ("sums_to_mend", {"is_day": False}),
    ("fold_hour", {}),
    ("sums_to_mend", {"is_day": True}),
    ("fold_day", {}),
    ("users_to_mend", {}),
    ("fold_user_day", {}),
    ("tidy_mended", {}),
    ("mark_rebuilt", {}),
)


class EventsDropped(RuntimeError):
    """A rebuild would lose usage whose events the retention has dropped already."""

    def __init__(self, day: date) -> None:
        self.day = day
        super().__init__(
            f"The events of {day} are dropped: their rollups cannot be made again and are kept. "
            "Choose a later start."
        )


class EventsMissing(EventsDropped):
    """The rollups count more than there is, of a day that the retention has not dropped."""

    def __init__(self, day: date) -> None:
        self.day = day
        RuntimeError.__init__(
            self,
            f"The rollups of {day} count more requests than there are events, and nothing of that "
            "day is past its retention. If its events were deleted, the rollups are all that is "
            "left of them: choose another day. If nobody deleted any, the rollups are wrong: "
            f"`manage.py rebuild_rollups --start {day} --end {day + timedelta(days=1)} "
            "--trust-events` makes them say what the events say.",
        )


class InUse(RuntimeError):
    """Something else changes events or rollups at this moment."""

    def __init__(self) -> None:
        super().__init__(
            "Something else changes stored events or their figures at this moment; nothing was "
            "changed. Try again in a minute."
        )


class ZoneKept(RuntimeError):
    """The rollups cannot be made anew in another zone: they hold usage whose events are gone."""

    def __init__(self, held: str, wanted: str, first: date, dropped: date) -> None:
        super().__init__(
            f"The rollups stay in {held}; nothing was changed. They hold usage since {first}, and "
            f"its events up to {dropped} are dropped, past their retention: without "
            f"them that usage cannot be counted by the days of {wanted}. "
            f"Set FARTHING_TIME_ZONE={held} and start again. For figures in {wanted}, start an "
            "empty installation in that zone and load the usage you still have the source of."
        )


class BooksKept(ZoneKept):
    """Months are closed by the days of the zone that is held: in another one they would come to
    something else, and what was billed would be taken back."""

    def __init__(self, held: str, wanted: str) -> None:
        RuntimeError.__init__(
            self,
            f"The rollups stay in {held}; nothing was changed. Months are closed by its days, and "
            f"by those of {wanted} they would not be what was billed. "
            f"Set FARTHING_TIME_ZONE={held} and start again. For figures in {wanted}, start an "
            "empty installation in that zone.",
        )


def rebuild_day(
    day: date, zone: ZoneInfo, record: Callable[[], None], *, trust_events: bool = False
) -> None:
    """Make the rollups of one day again, from folded events; `record` is called in the transaction
    that changes them.

    The caller holds Lock.RERATING: two differences at once would both be added. Raises ZoneChanged,
    EventsDropped where the retention has dropped events that the rollups still count, and, unless
    the events are trusted, EventsMissing where there are fewer than that for another reason.
    """
    start, end = start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
    span = whole_days(start, end, zone)
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _compare(cursor, span, zone, trust_events=trust_events)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FOLD_LOCK])
        _mend(cursor, span, zone)
        record()


def _compare(
    cursor: CursorWrapper, span: dict[str, Any], zone: ZoneInfo, *, trust_events: bool
) -> None:
    """Fill difference and difference_user_day."""
    refuse_other_zone(cursor, zone)
    refuse_lost(cursor, span, trust_events=trust_events)
    prepare(cursor)
    cursor.execute(statement("difference_tables"))
    cursor.execute(statement("gather_days"), span)
    for name in COMPARE:
        cursor.execute(statement(name), span)


def _mend(cursor: CursorWrapper, span: dict[str, Any], zone: ZoneInfo) -> None:
    """Add the differences, under the lock on folding: what was folded meanwhile is in neither side
    of them, so they hold whatever it was."""
    refuse_other_zone(cursor, zone)
    prepare(cursor)
    for name, particulars in MEND:
        cursor.execute(statement(name), span | particulars)


def whole_days(start: datetime, end: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The days that [start, end) touches, as the SQL over days takes them."""
    first_day = local_day(start, zone)
    end_day = local_day(end - timedelta(microseconds=1), zone) + timedelta(days=1)
    return {
        "zone": zone.key,
        "start": start_of_day(first_day, zone),
        "end": start_of_day(end_day, zone),
        "first_day": first_day,
        "end_day": end_day,
    }


def forget_all(now: datetime, zone: ZoneInfo) -> None:
    """Empty the rollups and let every batch be folded anew, in `zone`. Raises ZoneKept, InUse."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not try_hold(Lock.RERATING):
            raise InUse
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FOLD_LOCK])
        held = ZoneInfo(held_zone(cursor) or zone.key)
        if held.key != zone.key and BooksMonth.objects.filter(version__gt=0).exists():
            raise BooksKept(held.key, zone.key)
        if span := held_span():
            days = whole_days(*span, held)
            try:
                refuse_lost(cursor, days)
            except EventsDropped as dropped:
                raise ZoneKept(held.key, zone.key, days["first_day"], dropped.day) from None
        cursor.execute(
            statement("forget_all"), {"zone": zone.key, "currency": settings.CURRENCY, "now": now}
        )


def held_span() -> tuple[datetime, datetime] | None:
    """From the first to the last hour that the rollups hold, None while they hold nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(hour), max(hour) + interval '1 hour' FROM rollup_hour")
        start, end = one(cursor)
    return (start, end) if start else None


def refuse_lost(cursor: CursorWrapper, span: dict[str, Any], *, trust_events: bool = False) -> None:
    """Refuse to forget days of which the rollups count more requests than there are events."""
    refuse_dropped(cursor, span)
    cursor.execute(statement("missing_events"), span)
    day = one(cursor)[0]
    if day is None:
        return
    cursor.execute(statement("first_kept"))
    kept = one(cursor)[0]
    if kept is None or start_of_day(day, ZoneInfo(span["zone"])) < kept:
        raise EventsDropped(day)
    if not trust_events:
        raise EventsMissing(day)


def refuse_dropped(cursor: CursorWrapper, span: dict[str, Any]) -> None:
    cursor.execute(statement("dropped_day"), span)
    day = one(cursor)[0]
    if day is not None:
        raise EventsDropped(day)
