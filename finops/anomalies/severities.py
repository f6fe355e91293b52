"""How bad an anomaly is, and whether anybody is told: money at stake × surprise.

At stake is what it has cost; while it is open what it costs in a day if it goes on, of at least a
quarter of an hour of it. That counts from half, where chance brings the like once in ten days, to
twice, where it does once in ten thousand. Thresholds filter alerts, never what is detected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError

from finops.models import Anomaly
from finops.organisation import stored
from finops.organisation.stored import Act

Severity = Anomaly.Severity
NAME = "anomaly_alerts"
DAY = timedelta(days=1)
# What has begun within a step is money of all of that step.
SHORTEST = {"minute": timedelta(minutes=15), "hour": timedelta(hours=1), "day": DAY}
# The logarithm of the days between two such by chance, as detection says it: what counts once.
USUAL_SURPRISE = 2.0
CLEAR_SURPRISE = 3.0
LEAST_WEIGHT, MOST_WEIGHT = Decimal("0.5"), Decimal(2)
# What has no money at stake, as latency, has to be so much beside the expected.
LEAST_PERCENT_WITHOUT_MONEY = 50
# and for so long.
SHORTEST_WITHOUT_MONEY = timedelta(hours=2)
LARGEST = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Money in the organisation's currency. `is_on` is whether anybody is told of anomalies,
    `watches_users` whether of users who have run away, call like a bot, or are new and make
    `new_user_percent` of the cost since their first day."""

    least_money: Decimal = Decimal(10)
    least_percent: Decimal = Decimal(20)
    critical_money: Decimal = Decimal(500)
    new_user_percent: Decimal = Decimal(10)
    is_on: bool = True
    watches_users: bool = True


DEFAULTS = Thresholds()
NUMBERS = ("least_money", "least_percent", "critical_money", "new_user_percent")


def in_force() -> Thresholds:
    held = stored.value(NAME)
    if not isinstance(held, Mapping):
        return DEFAULTS
    try:
        numbers = {name: Decimal(str(held[name])) for name in NUMBERS if name in held}
    except InvalidOperation:
        return DEFAULTS
    is_on, watches_users = (bool(held.get(name, True)) for name in ("is_on", "watches_users"))
    return Thresholds(**numbers, is_on=is_on, watches_users=watches_users)


def problems(wanted: Thresholds) -> dict[str, str]:
    found = {
        name: f"Write a number from 0 to {LARGEST:,}."
        for name in NUMBERS
        if not 0 <= getattr(wanted, name) <= LARGEST
    }
    if "new_user_percent" not in found and wanted.new_user_percent > 100:
        found["new_user_percent"] = "Write a number from 0 to 100."
    if not found and wanted.critical_money < wanted.least_money:
        found["critical_money"] = "What is critical is no less than what is told at all."
    return found


def change(wanted: Thresholds, act: Act) -> bool:
    """Whether that changed anything. Raises ValidationError."""
    if wrong := problems(wanted):
        raise ValidationError(wrong)
    before, after = described(in_force()), described(wanted)
    kept = None if wanted == DEFAULTS else after
    return stored.store(NAME, kept, act, subject="Anomaly alerts", before=before, after=after)


def described(held: Thresholds) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in fields(held):
        value = getattr(held, each.name)
        found[each.name] = f"{value.normalize():f}" if isinstance(value, Decimal) else value
    return found


def at_stake(anomaly: Anomaly) -> Decimal | None:
    """In money, never below zero; None where that is not known."""
    if anomaly.impact is None:
        return None
    size: Decimal = abs(anomaly.impact)
    if anomaly.closed_at:
        return size
    lasted = max(anomaly.ended_at - anomaly.started_at, SHORTEST[anomaly.scale])
    times = Decimal(DAY.total_seconds()) / Decimal(lasted.total_seconds())
    return size * max(times, Decimal(1))


def is_young(anomaly: Anomaly) -> bool:
    """Whether it is open for so short that what it comes to in a day is taken for less."""
    lasted = anomaly.ended_at - anomaly.started_at
    return anomaly.closed_at is None and lasted < SHORTEST[anomaly.scale]


def weighted(stake: Decimal, surprise: float) -> Decimal:
    weight = Decimal(str(round(max(surprise, 0.0) / USUAL_SURPRISE, 4)))
    return stake * min(max(weight, LEAST_WEIGHT), MOST_WEIGHT)


def severity_of(anomaly: Anomaly, thresholds: Thresholds) -> str:
    """What costs less than expected is no more than a warning: of an outage, perhaps."""
    stake = at_stake(anomaly)
    if stake is None:
        is_long = anomaly.ended_at - anomaly.started_at >= SHORTEST_WITHOUT_MONEY
        is_clear = anomaly.surprise >= CLEAR_SURPRISE and is_long
        is_clear = is_clear and far_enough(anomaly, thresholds)
        return Severity.WARNING if is_clear and is_bad(anomaly) else Severity.INFO
    found = weighted(stake, anomaly.surprise)
    if found < thresholds.least_money:
        return Severity.INFO
    is_costly = anomaly.impact is not None and anomaly.impact > 0
    return (
        Severity.CRITICAL if found >= thresholds.critical_money and is_costly else Severity.WARNING
    )


def percent(anomaly: Anomaly) -> Decimal | None:
    """How far beside the expected; None where nothing was."""
    if not anomaly.expected:
        return None
    actual, expected = Decimal(anomaly.actual), Decimal(anomaly.expected)
    return (actual - expected) / abs(expected) * 100


def far_enough(anomaly: Anomaly, thresholds: Thresholds) -> bool:
    beside = percent(anomaly)
    least = thresholds.least_percent
    if anomaly.impact is None:
        least = max(least, Decimal(LEAST_PERCENT_WITHOUT_MONEY))
    return beside is None or abs(beside) >= least


def is_bad(anomaly: Anomaly) -> bool:
    """Slower, or more errors; what has money says it by its impact."""
    return anomaly.direction > 0


def is_worth_telling(anomaly: Anomaly, thresholds: Thresholds) -> bool:
    return (
        thresholds.is_on
        and anomaly.severity != Severity.INFO
        and not anomaly.verdict
        and anomaly.like_id is None
        and far_enough(anomaly, thresholds)
    )
