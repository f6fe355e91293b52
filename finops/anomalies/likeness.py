"""What is learned of false alarms: a series is left alone with what is like one.

Like it is what departs in the same direction by no more than a quarter more, in percent and in how
seldom chance brings it. That holds for half a year, and for this series and metric alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from finops.anomalies.severities import percent
from finops.models import Anomaly

REMEMBERED = timedelta(days=183)
BEYOND = Decimal("1.25")


def false_alarm_like(anomaly: Anomaly, now: datetime) -> Anomaly | None:
    """The false alarm that this one is like; None where it is news, or has a verdict of its own."""
    if anomaly.verdict:
        return None
    called = Anomaly.objects.filter(
        series=anomaly.series,
        metric=anomaly.metric,
        direction=anomaly.direction,
        verdict=Anomaly.Verdict.FALSE,
        decided_at__gt=now - REMEMBERED,
    ).exclude(pk=anomaly.pk)
    return next((each for each in called.order_by("-surprise") if is_like(anomaly, each)), None)


def is_like(anomaly: Anomaly, false: Anomaly) -> bool:
    if Decimal(str(anomaly.surprise)) > Decimal(str(false.surprise)) * BEYOND:
        return False
    own, other = percent(anomaly), percent(false)
    if own is None or other is None:
        return other is None
    return abs(own) <= abs(other) * BEYOND
