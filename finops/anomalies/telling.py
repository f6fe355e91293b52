"""Hands anomalies to alerts: one for each incident, however many series it is seen in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from finops import alerts, costs
from finops.alerts.answering import told
from finops.alerts.raising import raise_answer
from finops.anomalies import causes, wording
from finops.anomalies.scales import SCALES
from finops.anomalies.series import titled
from finops.anomalies.severities import Thresholds, is_worth_telling
from finops.costs import QueryTooSlow
from finops.models import Alert, Anomaly, Delivery
from finops.periods import Period, local_day, start_of_hour
from finops.query import CostQuery, Filter

CHARTED = timedelta(hours=48)
MOST_NAMED = 5
RANKS = {"": 0, "info": 1, "warning": 2, "critical": 3}


def tell(thresholds: Thresholds, now: datetime) -> int:
    """How many alerts are raised now."""
    raised = 0
    waiting = Anomaly.objects.filter(closing_told=False, lead=None)
    for lead in waiting.prefetch_related("also_seen_in").order_by("pk"):
        group = [lead, *lead.also_seen_in.all()]
        former = max((each.told_severity for each in group), key=RANKS.__getitem__)
        is_worse = RANKS[lead.severity] > RANKS[former]
        is_worse = is_worse and not any(each.verdict_ends for each in group)
        if is_worse and is_worth_telling(lead, thresholds) and is_recent(lead, now):
            raised += tell_of(lead, group, now)
        if lead.closed_at:
            end(lead, group, now)
        elif former:
            go_on(lead, group, now)
    return raised


def is_recent(anomaly: Anomaly, now: datetime) -> bool:
    """What is over for long is for the page alone."""
    longest = max(SCALES[name].told for name in anomaly.spans)
    return anomaly.closed_at is None or anomaly.ended_at > now - longest


def tell_of(lead: Anomaly, group: Sequence[Anomaly], now: datetime) -> bool:
    """Once for a severity: what has become critical is told again."""
    first = min((each for each in group if each.told_severity), key=lambda e: e.pk, default=lead)
    made = alerts.raise_alert(
        key=f"anomaly-{first.pk}-{lead.severity}",
        kind=Alert.Kind.ANOMALY,
        severity=lead.severity,
        title=wording.title(lead),
        facts=facts(lead, group, now),
        team=lead.team,
        thread=f"anomaly-{first.pk}",
        now=now,
    )
    Anomaly.objects.filter(pk=lead.pk).update(told_severity=lead.severity)
    lead.told_severity = lead.severity
    return made is not None


def end(lead: Anomaly, group: Sequence[Anomaly], now: datetime) -> None:
    """Say in the conversation that it is over, to those who were told that it began."""
    for each in group:
        each.closing_told = True
    Anomaly.objects.filter(pk__in=[each.pk for each in group]).update(closing_told=True)
    alerts_of_it = begun(group)
    for alert in alerts_of_it:  # nobody is reminded of what is over
        alert.facts = {**alert.facts, "period_end": lead.ended_at.isoformat()}
        alert.save(update_fields=["facts"])
    for alert in alerts_of_it[:1]:
        said = "It has lasted, and is what is expected from now on"
        if not wording.is_new_level(lead):
            verdict = f", called {lead.get_verdict_display().lower()}" if lead.verdict else ""
            said = f"It is over{verdict}"
        raise_answer(
            alert,
            told(Delivery.objects.filter(alert__thread=alert.thread, alert__team=alert.team)),
            key=f"anomaly-{lead.pk}-over-{lead.ended_at:%Y%m%d%H%M}",
            title=f"{said}: {wording.title(lead)}",
            facts=facts(lead, group, now),
            now=now,
        )


def go_on(lead: Anomaly, group: Sequence[Anomaly], now: datetime) -> None:
    """Say in the conversation that what it called over has begun again."""
    over = [each for each in begun(group) if "period_end" in each.facts]
    for alert in over:
        alert.facts = {name: each for name, each in alert.facts.items() if name != "period_end"}
        alert.save(update_fields=["facts"])
    for alert in over[:1]:
        raise_answer(
            alert,
            told(Delivery.objects.filter(alert__thread=alert.thread, alert__team=alert.team)),
            key=f"anomaly-{lead.pk}-again-{now:%Y%m%d%H%M}",
            title=f"It goes on again: {wording.title(lead)}",
            facts=facts(lead, group, now),
            now=now,
        )


def begun(group: Sequence[Anomaly]) -> list[Alert]:
    """The alerts that told of it, the latest first."""
    threads = [f"anomaly-{each.pk}" for each in group]
    found = Alert.objects.filter(kind=Alert.Kind.ANOMALY, thread__in=threads)
    return list(found.order_by("-pk"))


def facts(lead: Anomaly, group: Sequence[Anomaly], now: datetime) -> dict[str, Any]:
    return {
        "what": titled(lead.filters),
        "since": lead.started_at.isoformat(),
        **({"ended": lead.ended_at.isoformat()} if lead.closed_at else {}),
        "observed": wording.value(lead, lead.actual),
        "expected": wording.expected(lead),
        "impact": so_far(lead),
        "cause": causes.told(lead),
        "why": lead.reason,
        "also_seen_in": seen_in(lead, group),
        "currency": settings.CURRENCY,
        "series": chart(lead, now, settings.REPORTING_ZONE),
        "url": f"/anomalies/{lead.pk}",
    }


def so_far(lead: Anomaly) -> str:
    """ "" where it is not known in money."""
    impact = wording.impact(lead)
    return f"{impact} so far" if impact and lead.closed_at is None else impact


def seen_in(lead: Anomaly, group: Sequence[Anomaly]) -> str:
    """The other series, shortest first; in the alert of a team those that its members see."""
    others = {titled(each.filters) for each in group} - {titled(lead.filters)}
    seen = {titled(each.filters) for each in group if each.team == lead.team or not lead.team}
    named = sorted(others & seen, key=lambda each: (len(each), each))[:MOST_NAMED]
    more = len(others) - len(named)
    if not named:
        return f"{more} other series" if more else ""
    return "; ".join(named) + (f"; and {more} more" if more > 0 else "")


def chart(lead: Anomaly, now: datetime, zone: ZoneInfo) -> list[dict[str, str]]:
    """The cost of its series: by the hour of the last two days, or by the day of a longer one."""
    by_day = lead.scale == "day"
    end = start_of_hour(now, zone) + timedelta(hours=1)
    period = Period(end - (timedelta(days=28) if by_day else CHARTED), end)
    query = CostQuery(
        period=period,
        granularity="day" if by_day else "hour",
        group_by=(),
        filters=tuple(Filter(name, (value,)) for name, value in sorted(lead.filters.items())),
        metrics=("effective_cost",),
        limit=None,
        compare=False,
        zone=zone,
    )
    try:
        rows = costs.run(query).rows
    except QueryTooSlow:
        return []
    held = {row.start: Decimal(row.values["effective_cost"] or 0) for row in rows}
    found = []
    for start in SCALES["day" if by_day else "hour"].starts(period.start, period.end, zone):
        if by_day:
            point = {"day": local_day(start, zone).isoformat()}
        else:
            point = {"hour": wording.moment(start, now)}
        found.append({**point, "actual": f"{held.get(start, Decimal(0)):f}"})
    return found
