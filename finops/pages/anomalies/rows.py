"""An anomaly as a line of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops.anomalies import causes, wording
from finops.models import Anomaly

SEVERITY_BADGES = {"critical": "crit", "warning": "warn"}
VERDICT_BADGES = {"real": "crit", "false": "", "planned": ""}


@dataclass(frozen=True, slots=True)
class Row:
    """`tone` is worse where it costs, better where it saves."""

    pk: int
    title: str
    severity: str
    badge: str
    state: str
    state_badge: str
    verdict: str
    impact: str
    tone: str
    change: str
    started: str
    lasted: str
    also: str
    cause: str


def row_of(anomaly: Anomaly, now: datetime) -> Row:
    others = sum(1 for each in anomaly.also_seen_in.all() if each.pk != anomaly.pk)
    return Row(
        pk=anomaly.pk,
        title=wording.title(anomaly),
        severity=anomaly.get_severity_display(),
        badge=SEVERITY_BADGES.get(anomaly.severity, ""),
        state=wording.state(anomaly),
        state_badge="" if anomaly.closed_at else "warn",
        verdict=anomaly.get_verdict_display() if anomaly.verdict else "",
        impact=wording.impact(anomaly),
        tone=tone(anomaly.impact),
        change=wording.change(anomaly),
        started=wording.moment(anomaly.started_at, now),
        lasted=wording.lasted(anomaly.ended_at - anomaly.started_at),
        also=f"also seen in {others} other{'s' if others != 1 else ''}" if others else "",
        cause=causes.told(anomaly),
    )


@dataclass(frozen=True, slots=True)
class GoingOn:
    """Open anomalies in one line: the worst of them, and how many others there are."""

    pk: int
    title: str
    impact: str
    others: int
    tone: str


def going_on_of(held: Sequence[Anomaly]) -> GoingOn | None:
    if not held:
        return None
    worst = held[0]
    tone = SEVERITY_BADGES.get(worst.severity, "warn")
    title, impact = wording.title(worst), wording.impact(worst)
    return GoingOn(worst.pk, title, impact, len(held) - 1, tone)


def tone(impact: Decimal | None) -> str:
    if not impact:
        return ""
    return "worse" if impact > 0 else "better"
