"""What an anomaly is compared with, for whoever explains it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from finops.compared_periods import weeks_before
from finops.models import Anomaly
from finops.periods import Period, start_of_hour


def periods(anomaly: Anomaly, zone: ZoneInfo) -> tuple[Period, Period]:
    """The hours that it touches, and the same hours of the week as few weeks before as can be."""
    start = start_of_hour(anomaly.started_at, zone)
    end = start_of_hour(anomaly.ended_at - timedelta(microseconds=1), zone) + timedelta(hours=1)
    end = max(end, start + timedelta(hours=1))
    period = Period(start, end)
    return period, weeks_before(period, zone)
