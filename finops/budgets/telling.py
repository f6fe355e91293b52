"""What is said of a budget, and to whom it is handed: the one place that raises budgets' alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from finops import alerts, formats
from finops.budgets import enforcing
from finops.budgets.enforcing import REFUSING, SLOWING, Acting
from finops.budgets.spans import Span
from finops.budgets.standings import Standing
from finops.budgets.thresholds import ThresholdDraft
from finops.budgets.watched import Watched
from finops.models import BudgetStatus, Threshold

SERIES = 92
KINDS = {
    Threshold.Basis.ACTUAL: "budget_actual",
    Threshold.Basis.FORECAST: "budget_forecast",
    Threshold.Basis.BURN_RATE: "budget_burn_rate",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """One budget, one value of it, as it stands in a period."""

    watched: Watched
    standing: Standing
    as_of: datetime | None
    now: datetime

    @property
    def who(self) -> str:
        name, value = self.watched.budget.name, self.standing.value
        return f"{name}: {value}" if value else name

    @property
    def thread(self) -> str:
        return f"budget-{self.watched.number}-{self.standing.span.first}"

    @property
    def acting(self) -> Acting | None:
        """What gateways that ask before a call are told, now that so much is spent."""
        standing = self.standing
        is_rolling = self.watched.calendar.is_rolling
        ends = None if is_rolling else standing.span.period(settings.REPORTING_ZONE).end
        draft = self.watched.draft
        return enforcing.acting(draft.enforcement, standing.amount, standing.actual, ends)

    def key(self, what: str, *more: object) -> str:
        """The value comes last, since it may hold anything."""
        parts = (self.watched.number, what, *more)
        return f"budget-{'-'.join(map(str, parts))}:{self.standing.value}"[:500]

    def raise_alert(
        self, key: str, kind: str, severity: str, title: str, facts: Mapping[str, Any]
    ) -> bool:
        """Whether it had not been raised before."""
        budget = self.watched.budget
        made = alerts.raise_alert(
            key=key,
            kind=kind,
            severity=severity,
            title=title,
            facts={**self.facts(), **facts},
            budget=budget,
            team=budget.team,
            thread=self.thread,
            now=self.now,
        )
        return made is not None

    def facts(self) -> dict[str, Any]:
        standing, budget = self.standing, self.watched.budget
        inside = [
            (day, amount)
            for day, amount in standing.series
            if standing.span.first <= day < standing.span.end
        ]
        value = f"?{urlencode({'value': standing.value})}" if standing.value else ""
        return {
            "budget": budget.name,
            "value": standing.value,
            "dimension": budget.for_each,
            **span_facts(standing.span),
            "amount": text(standing.amount),
            "actual": text(standing.actual),
            "estimated": text(standing.estimated),
            "forecast": text(standing.forecast.expected),
            "threshold": None,
            "currency": settings.CURRENCY,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "unpriced_requests": standing.usage.unpriced_requests,
            "series": [
                {"day": day.isoformat(), "actual": text(amount)} for day, amount in inside[-SERIES:]
            ],
            "previous": text(standing.previous),
            "enforcement": acting_facts(self.acting),
            "url": f"/budgets/{budget.pk}{value}",
        }


def crossed(
    telling: Telling, number: int, threshold: ThresholdDraft, generation: int, key_day: date
) -> str:
    """Tell that a threshold is reached; the key of the alert."""
    key = telling.key(str(number), key_day, generation)
    telling.raise_alert(
        key,
        KINDS[Threshold.Basis(threshold.basis)],
        threshold.severity,
        f"{title_of(telling, threshold)}{consequence(telling.acting)}",
        {
            "threshold": {
                "basis": threshold.basis,
                "kind": threshold.kind,
                "value": text(threshold.value),
                "window_hours": threshold.window_hours,
            },
            "window_spent": text(telling.standing.burn.get(threshold.window_hours or 0)),
        },
    )
    return key


def title_of(telling: Telling, threshold: ThresholdDraft) -> str:
    standing = telling.standing
    if threshold.basis == Threshold.Basis.BURN_RATE:
        spent = money(standing.burn.get(threshold.window_hours or 0))
        within = f"{spent} within {threshold.window_hours} hours"
        if threshold.kind == Threshold.Kind.PERCENT:
            times = text(threshold.value / 100)
            return f"{telling.who}: {within}, at least {times} times the even pace"
        return f"{telling.who}: {within}"
    is_forecast = threshold.basis == Threshold.Basis.FORECAST
    figure = standing.forecast.expected if is_forecast else standing.actual
    verb = "is forecast to come to" if is_forecast else "has spent"
    said = f"{telling.who} {verb} {money(figure)}"
    if standing.amount:
        share = formats.share_reached(figure or Decimal(0), standing.amount)
        return f"{said}, {share} % of {money(standing.amount)}"
    return f"{said}; its threshold is {money(threshold.value)}"


def consequence(acting: Acting | None) -> str:
    """What a title says of enforcement behind the figures."""
    acts = acting.acting if acting else ""
    return {REFUSING: "; calls are being refused", SLOWING: "; calls are being slowed"}.get(
        acts, ""
    )


def acting_facts(acting: Acting | None) -> dict[str, str | None] | None:
    if acting is None:
        return None
    return {
        "policy": acting.policy,
        "acting": acting.acting,
        "refuses_from": text(acting.refuses_from),
        "slows_from": text(acting.slows_from),
        "until": acting.until.isoformat() if acting.until else None,
    }


def unpriced(telling: Telling, *, is_breach: bool) -> bool:
    """Tell that requests have no price: once in a period, or of a rolling budget in a day."""
    count = telling.standing.usage.unpriced_requests
    what = "1 request without a price" if count == 1 else f"{count:,} requests without a price"
    consequence = "which it counts as a breach" if is_breach else "in no figure of it"
    span = telling.standing.span
    key_day = span.last if telling.watched.calendar.is_rolling else span.first
    return telling.raise_alert(
        telling.key("breach" if is_breach else "unpriced", key_day),
        "budget_unpriced",
        "critical" if is_breach else "info",
        f"{telling.who} has {what}, {consequence}",
        {},
    )


def late(telling: Telling, former: Decimal, *, is_least: bool = False) -> bool:
    """Note that a period that is over came to more than when it ended, once a day; by at least so
    much where `former` is what it was at most."""
    standing = telling.standing
    added = standing.actual - former
    return telling.raise_alert(
        telling.key("late", standing.span.first, telling.now.date()),
        "budget_late_usage",
        "note",
        f"{telling.who}: late usage added {'at least ' if is_least else ''}{money(added)} "
        f"to the period from {standing.span.first}",
        {"closed_at_actual": text(former), "added": text(added)},
    )


def unreadable(watched: Watched, row: BudgetStatus, day: date, now: datetime) -> None:
    """Tell that a budget could not be judged, or not in full, for some time; once a day."""
    budget = watched.budget
    how = "" if row.state == BudgetStatus.State.UNKNOWN else " in full"
    alerts.raise_alert(
        key=f"budget-{budget.pk}-unreadable-{day}",
        kind="pipeline_stale",
        severity="warning",
        title=f"{budget.name} could not be judged{how}",
        facts={
            "budget": budget.name,
            "problem": row.problem,
            "since": row.failing_since.isoformat() if row.failing_since else None,
            "url": f"/budgets/{budget.pk}",
        },
        budget=budget,
        team=budget.team,
        thread=f"budget-{budget.pk}-unreadable",
        now=now,
    )


def span_facts(span: Span) -> dict[str, str]:
    return {"period_start": span.first.isoformat(), "period_end": span.end.isoformat()}


def text(amount: Decimal | None) -> str | None:
    """A plain decimal."""
    if amount is None:
        return None
    written = format(amount, "f")
    return (written.rstrip("0").rstrip(".") if "." in written else written) or "0"


def money(amount: Decimal | None) -> str:
    return formats.money_long(amount or Decimal(0), settings.CURRENCY)
