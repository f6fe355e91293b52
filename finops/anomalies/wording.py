"""Anomalies in words: titles, values with their units, spans of time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings

from finops import formats
from finops.anomalies.measures import KINDS, Metric
from finops.anomalies.series import titled
from finops.anomalies.severities import percent
from finops.models import Anomaly
from finops.periods import local_day

NAMES = {
    Metric.COST: "Cost",
    Metric.REQUESTS: "Requests",
    Metric.ERRORS: "Errors",
    Metric.TOKENS: "Tokens per request",
    Metric.UNIT_PRICE: "Cost per 1M tokens",
    Metric.CACHE_SHARE: "Cached share of input",
    Metric.ERROR_SHARE: "Share of errors",
    Metric.LATENCY: "Latency, p95,",
}
MOST_TIMES = 1000


def title(anomaly: Anomaly) -> str:
    """Cost of feature answers is 3.4 times what was expected."""
    of = titled(anomaly.filters)
    be = "are" if anomaly.metric in (Metric.REQUESTS, Metric.ERRORS, Metric.TOKENS) else "is"
    if anomaly.closed_at:
        be = {"are": "were", "is": "was"}[be]
    return f"{NAMES[Metric(anomaly.metric)]} of {of} {be} {departure(anomaly)}"


def departure(anomaly: Anomaly) -> str:
    actual, expected = anomaly.actual, anomaly.expected
    beside = percent(anomaly)
    if beside is None or expected <= 0:
        wanted = "none was expected"
        return f"{value(anomaly, actual)}, where {wanted}" if actual > 0 else "lower than expected"
    times = actual / expected
    if times >= 2:
        said = f"{times:,.1f}" if times < MOST_TIMES else f"over {MOST_TIMES:,}"
        return f"{said} times what was expected"
    word = "above" if beside >= 0 else "below"
    return f"{abs(beside):.0f}{formats.SPACE}% {word} what was expected"


def value(anomaly: Anomaly, amount: Decimal) -> str:
    """In the unit of its metric."""
    return value_of(Metric(anomaly.metric), amount)


def value_of(metric: Metric, amount: Decimal) -> str:
    kind = KINDS[metric]
    if kind == "money":
        return formats.money_long(amount, settings.CURRENCY)
    if kind == "share":
        return formats.share_long(amount, Decimal(1))
    if kind == "milliseconds":
        return formats.duration(amount)
    return formats.count_long(amount)


def impact(anomaly: Anomaly) -> str:
    """+$12.30; "" where it is not known."""
    if anomaly.impact is None:
        return ""
    sign = "+" if anomaly.impact > 0 else ""
    return sign + formats.money_long(anomaly.impact, settings.CURRENCY)


def moment(at: datetime, now: datetime) -> str:
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(now, zone))
