"""Usage that goes on evenly and then departs from that, for tests of anomalies."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from finops import anomalies
from finops.anomalies import Report
from finops.models import Anomaly, AnomalyTurn
from tests import figures, usage

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
# Some $1 an hour at the prices of figures.price_models.
TOKENS = 7_600
Times = Callable[[datetime], int]


def even(
    start: datetime,
    end: datetime,
    step: timedelta = timedelta(minutes=1),
    *,
    times: Times = lambda at: 1,
    seed: int = 1,
    **labels: Any,
) -> list[dict[str, Any]]:
    """An event a step, or `times` as many, of about the same size."""
    dice = random.Random(seed)
    found = []
    at = start
    while at < end:
        for _ in range(times(at)):
            tokens = dice.randrange(TOKENS * 8 // 10, TOKENS * 12 // 10)
            moment = at + step * dice.random() * 0.9
            found.append(usage.event(moment, input_tokens=tokens, output_tokens=0, **labels))
        at += step
    return found


def history(hours: int = 5) -> None:
    """Two features of two teams until NOW."""
    figures.price_models()
    start = NOW - timedelta(hours=hours)
    events = even(start, NOW, feature="answers", team="cx", user="ann")
    events += even(start, NOW, feature="banners", team="ads", user="bob", seed=2)
    usage.record(events, now=NOW)


def jump(minutes: int, times: int = 4, after: int = 0, **labels: Any) -> datetime:
    """Both features for so many minutes more, of which answers has several times as much; when all
    of that is complete."""
    start = NOW + timedelta(minutes=after)
    end = start + timedelta(minutes=minutes)
    labels = {"feature": "answers", "team": "cx", "user": "ann"} | labels
    events = even(start, end, times=lambda at: times, seed=3 + after, **labels)
    events += even(start, end, feature="banners", team="ads", user="bob", seed=4 + after)
    now = end + timedelta(seconds=100)
    usage.record(events, now=now)
    return now


def judge(now: datetime, memory: anomalies.Memory | None = None) -> Report:
    """What is said of usage whose past has come in; a scale's very first turn only counts it."""
    memory = memory or anomalies.Memory()
    if not AnomalyTurn.objects.exists():
        anomalies.judge(now, settings.REPORTING_ZONE, memory)
    return anomalies.judge(now, settings.REPORTING_ZONE, memory)


def held(**wanted: Any) -> list[Anomaly]:
    return list(Anomaly.objects.filter(**wanted).order_by("pk"))
