"""What an anomaly is compared with, for whoever explains it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from finops.models import Anomaly
from finops.periods import Period, start_of_hour

WEEK = timedelta(days=7)


def periods(anomaly: Anomaly, zone: ZoneInfo) -> tuple[Period, Period]:
    """The hours that it touches, and the same hours a week before: as many weeks as it lasts."""
    start = start_of_hour(anomaly.started_at, zone)
    end = start_of_hour(anomaly.ended_at - timedelta(microseconds=1), zone) + timedelta(hours=1)
    end = max(end, start + timedelta(hours=1))
    back = WEEK * -(-(end - start) // WEEK)
    return Period(start, end), Period(start - back, end - back)
