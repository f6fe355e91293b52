"""What an anomaly is compared with, for whoever explains it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from finops.compared_periods import weeks_before
from finops.models import Anomaly
from finops.periods import Period, start_of_hour


def periods(anomaly: Anomaly, zone: ZoneInfo) -> tuple[Period, Period]:
    """From the hour in which it began to its end so far, and the same time of the week as few weeks
    before as can be: of an hour that is not over as much as has been judged."""
    start = start_of_hour(anomaly.started_at, zone)
    period = Period(start, max(anomaly.ended_at, start + timedelta(minutes=1)))
    return period, weeks_before(period, zone)
