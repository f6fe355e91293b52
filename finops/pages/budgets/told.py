"""What a budget's thresholds have told, with the alerts; and who asked for more of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from finops import formats
from finops.models import Alert, Budget, BudgetIncrease, BudgetStatus, Crossing, Threshold
from finops.pages.budgets import wording
from finops.pages.budgets.states import INCREASES, Mark
from finops.pages.budgets.wording import moment
from finops.periods import local_day

SHOWN = 50
ARMED = Mark("○", "armed", "", "It has not been reached in this period.")
REACHED = Mark("▲", "reached", "warn")


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    text: str
    amount: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class CrossingLine:
    at: str
    threshold: str
    value: str
    actual: str
    forecast: str
    amount: str
    alert: str
    href: str


@dataclass(frozen=True, slots=True)
class IncreaseLine:
    href: str
    asked: str
    amount: str
    until: str
    reason: str
    mark: Mark
    decided: str


def thresholds(budget: Budget, status: BudgetStatus | None, now: datetime) -> list[ThresholdLine]:
    """Those in force, for the value that the page shows, as they are in the present period."""
    reached: dict[int, Crossing] = {}
    if status is not None:
        rows = Crossing.objects.filter(budget=budget, value=status.value, rearmed_at=None)
        if budget.period != Budget.Span.ROLLING:
            rows = rows.filter(period_start=status.period_start)
        reached = {each.threshold_id: each for each in rows.order_by("id") if each.threshold_id}
    return [
        threshold_line(each, status, reached.get(each.pk), now)
        for each in budget.thresholds.filter(retired_at=None)
    ]


def threshold_line(
    each: Threshold, status: BudgetStatus | None, crossing: Crossing | None, now: datetime
) -> ThresholdLine:
    amount = line_of(each, status)
    return ThresholdLine(
        text=wording.threshold(each.basis, each.kind, each.value, each.window_hours),
        amount=wording.money(amount).text,
        mark=mark_of(crossing, amount, now),
    )


def line_of(each: Threshold, status: BudgetStatus | None) -> Decimal | None:
    """As money; of a burn rate in percent it is a pace and no amount."""
    value: Decimal = each.value
    if each.kind == Threshold.Kind.MONEY:
        return value
    if each.basis == Threshold.Basis.BURN_RATE or status is None or status.amount is None:
        return None
    amount: Decimal = status.amount
    return amount * value / 100


def mark_of(crossing: Crossing | None, amount: Decimal | None, now: datetime) -> Mark:
    """`amount` is where the threshold is now; it may have been reached at another."""
    if crossing is None:
        return ARMED
    text = f"reached {moment(crossing.crossed_at, now)}"
    if amount is not None and crossing.line is not None:
        at, is_at = (
            formats.money_long(crossing.line, settings.CURRENCY),
            formats.money_long(amount, settings.CURRENCY),
        )
        text += f" at {at}" if at != is_at else ""
    return Mark(REACHED.icon, text, REACHED.tone)


def crossings(budget: Budget, now: datetime) -> list[CrossingLine]:
    """The latest first, with what became of telling it."""
    rows = list(
        Crossing.objects.filter(budget=budget).select_related("threshold").order_by("-id")[:SHOWN]
    )
    keys = [each.alert_key for each in rows if each.alert_key]
    alerts = {each.key: each for each in Alert.objects.filter(key__in=keys)}
    return [crossing_line(each, alerts.get(each.alert_key), now) for each in rows]


def crossing_line(each: Crossing, alert: Alert | None, now: datetime) -> CrossingLine:
    return CrossingLine(
        at=moment(each.crossed_at, now),
        threshold=said(each),
        value=each.value,
        actual=wording.money(each.actual).text,
        forecast=wording.money(each.forecast).text,
        amount=wording.money(each.amount).text,
        alert=alert_text(each, alert, now),
        href=reverse("alert", args=[alert.pk]) if alert else "",
    )


def said(each: Crossing) -> str:
    if each.threshold is None:
        return wording.BASES[each.basis]
    held = each.threshold
    return wording.threshold(held.basis, held.kind, held.value, held.window_hours)


def alert_text(each: Crossing, alert: Alert | None, now: datetime) -> str:
    if alert is None:
        return "not told: a higher one was" if not each.is_told else "–"
    if alert.acknowledged_at:
        return f"acknowledged by {alert.acknowledged_by}"
    return alert.get_severity_display()


def increases(budget: Budget, now: datetime) -> list[IncreaseLine]:
    return [increase_line(each, now) for each in budget.increases.order_by("-id")[:SHOWN]]


def increase_line(each: BudgetIncrease, now: datetime) -> IncreaseLine:
    value = f" for {each.value}" if each.value else ""
    return IncreaseLine(
        href=reverse("budget-increase", args=[each.pk]),
        asked=f"{each.asked_by}, {moment(each.asked_at, now)}{value}",
        amount=wording.money(each.amount).text,
        until=until_text(each.until, now),
        reason=each.reason,
        mark=INCREASES[BudgetIncrease.State(each.state)],
        decided=f"by {each.decided_by}" if each.decided_by else "",
    )


def until_text(until: datetime, now: datetime) -> str:
    """The last day on which it holds, where it ends with a day."""
    zone = settings.REPORTING_ZONE
    return formats.last_day(until, zone, local_day(now, zone))
