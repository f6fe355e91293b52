"""Anomalies in words: titles, values with their units, spans of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from finops import formats
from finops.anomalies.measures import KINDS, SUMMED, Metric
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
# From here on how many times it is says nothing: there was next to nothing to compare with.
MOST_TIMES = 100
NEXT_TO_NOTHING = "next to nothing"
# What has gone on for so long, by the scale that saw it, and then goes on as ordinary was learned.
LEARNED = {"minute": timedelta(hours=2), "hour": timedelta(days=1), "day": timedelta(days=7)}
NEW_LEVEL = "new level"


def title(anomaly: Anomaly) -> str:
    """Cost of feature answers is 3.4 times what was expected."""
    of = titled(anomaly.filters)
    be = "are" if anomaly.metric in (Metric.REQUESTS, Metric.ERRORS, Metric.TOKENS) else "is"
    if anomaly.closed_at:
        be = {"are": "were", "is": "was"}[be]
    return f"{NAMES[Metric(anomaly.metric)]} of {of} {be} {departure(anomaly)}"


def state(anomaly: Anomaly) -> str:
    """open, over, or new level."""
    if anomaly.closed_at is None:
        return "open"
    return NEW_LEVEL if is_new_level(anomaly) else "over"


def is_new_level(anomaly: Anomaly) -> bool:
    """Whether it is over because usage stayed as it had become, which is what is expected now."""
    if anomaly.closed_at is None or anomaly.verdict_ends or anomaly.kind == Anomaly.Kind.SPIKE:
        return False
    has_returned = anomaly.spans.get(anomaly.scale, {}).get("returned", True)
    lasted = anomaly.ended_at - anomaly.started_at
    return not has_returned and lasted >= LEARNED[anomaly.scale]


def departure(anomaly: Anomaly) -> str:
    actual, expected = anomaly.actual, anomaly.expected
    beside = percent(anomaly)
    if beside is None or expected <= 0:
        wanted = "none was expected"
        return f"{value(anomaly, actual)}, where {wanted}" if actual > 0 else "lower than expected"
    if is_beyond_telling(anomaly):
        spent = f"{value(anomaly, actual)} in {lasted(anomaly.ended_at - anomaly.started_at)}"
        if Metric(anomaly.metric) in SUMMED:
            return f"{spent}, where next to nothing is usual"
        return f"{value(anomaly, actual)}, where {value(anomaly, expected)} was expected"
    times = actual / expected
    if times >= 2:
        return f"{times:,.1f} times what was expected"
    word = "above" if beside >= 0 else "below"
    return f"{abs(beside):.0f}{formats.SPACE}% {word} what was expected"


def is_beyond_telling(anomaly: Anomaly) -> bool:
    actual, expected = Decimal(anomaly.actual), Decimal(anomaly.expected)
    return actual >= MOST_TIMES * expected > 0


def expected(anomaly: Anomaly) -> str:
    """In the unit of its metric; of sums no fraction of a cent where the other is hundreds."""
    if is_beyond_telling(anomaly) and Metric(anomaly.metric) in SUMMED:
        return NEXT_TO_NOTHING
    return value(anomaly, anomaly.expected)


def change(anomaly: Anomaly) -> str:
    """+12.4 %."""
    if is_beyond_telling(anomaly):
        return f"over {MOST_TIMES} times"
    return formats.change_short(anomaly.actual, anomaly.expected)


def lasted(length: timedelta) -> str:
    """60 s, 17 min, 4 h, 10 days."""
    if length >= timedelta(days=2):
        return f"{length / timedelta(days=1):.0f} days"
    return formats.span_of(length.total_seconds()).replace(".0 h", " h")


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
