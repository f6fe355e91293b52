"""The parts in which a period is rated again: a day of the reporting zone at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from finops.periods import local_day, start_of_day


@dataclass(frozen=True, slots=True)
class Span:
    """Part of one day of the reporting zone."""

    start: datetime
    end: datetime

    def parameters(self, *, only_unpriced: bool) -> dict[str, datetime | date | bool]:
        return {
            "start": self.start,
            "end": self.end,
            "first_day": self.start.astimezone(UTC).date(),
            "last_day": (self.end - timedelta(microseconds=1)).astimezone(UTC).date(),
            "only_unpriced": only_unpriced,
        }


def days_with_events(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Span]:
    """The days of [start, end) from the first event to the last; some between may be empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(started_at), max(started_at) FROM usage_event")
        first, last = cursor.fetchone()
    if first is None:
        return
    start, end = max(start, first), min(end, last + timedelta(microseconds=1))
    while start < end:
        midnight = start_of_day(local_day(start, zone) + timedelta(days=1), zone)
        yield Span(start, min(midnight, end))
        start = midnight
