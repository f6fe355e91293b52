"""What an anomaly is compared with, for whoever explains it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from finops.compared_periods import weeks_before
from finops.models import Anomaly
from finops.periods import Period, start_of_hour

# What lasts less is compared to the minute: an hour that it is a small part of says little.
SHORT = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def periods(anomaly: Anomaly, zone: ZoneInfo) -> tuple[Period, Period]:
    """Its minutes, of a long one the hours that it touches; and the same time of the week as few
    weeks before as can be."""
    start, end = anomaly.started_at, anomaly.ended_at
    if end - start < SHORT:
        start = start.replace(second=0, microsecond=0)
        period = Period(start, max(end, start + MINUTE))
    else:
        start = start_of_hour(start, zone)
        end = start_of_hour(end - timedelta(microseconds=1), zone) + timedelta(hours=1)
        period = Period(start, end)
    return period, weeks_before(period, zone)
