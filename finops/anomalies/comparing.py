"""What an anomaly is compared with, for whoever explains it: the same time a week before, or what
was expected, parted as usage was in the days before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.anomalies import views
from finops.anomalies.measures import SUMMED, Metric
from finops.compared_periods import weeks_before
from finops.models import Anomaly
from finops.periods import Period, local_day, start_of_day, start_of_hour
from finops.query import CostQuery, Filter

# What lasts less is compared to the minute: an hour that it is a small part of says little.
SHORT = timedelta(days=1)
MINUTE = timedelta(minutes=1)
# What was expected is taken to have been as usage was in so many days.
HISTORY = timedelta(days=7)


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


def usual(anomaly: Anomaly, zone: ZoneInfo) -> tuple[Period, Period]:
    """Just the time that its figures are of; and the days as which the expected is parted."""
    held = views.read(anomaly.spans, anomaly.direction, adds_up=anomaly.metric in SUMMED)
    of = views.whole(held)
    return (
        Period(of.start, of.end),
        Period(start_of_day(local_day(of.start, zone) - HISTORY, zone), of.start),
    )


def is_expected_in_money(anomaly: Anomaly) -> bool:
    """Whether there is a sum to set its cost against."""
    return anomaly.metric == Metric.COST and Decimal(anomaly.expected) > 0


def question(anomaly: Anomaly, period: Period, zone: ZoneInfo) -> CostQuery:
    """The cost of its series."""
    return CostQuery(
        period=period,
        granularity="total",
        group_by=(),
        filters=tuple(Filter(name, (value,)) for name, value in sorted(anomaly.filters.items())),
        metrics=("effective_cost",),
        limit=None,
        compare=False,
        zone=zone,
    )
