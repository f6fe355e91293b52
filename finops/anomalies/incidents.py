"""One incident is seen in many series: in all usage, in a feature, in its model. One of them leads.

Of what begins together, goes the same way and may be the same usage, the narrowest that explains
most of the largest leads: it says best what it is. What no more than coincides stays by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.anomalies.measures import SUMMED, Metric
from finops.anomalies.series import Key
from finops.models import Anomaly

# The lead explains so much of the largest, and of each that is seen with it.
EXPLAINS_MOST, EXPLAINS = Decimal("0.6"), Decimal("0.4")
# Beginnings are known to a few steps of the coarser scale.
NEAR = {"minute": timedelta(minutes=30), "hour": timedelta(hours=6), "day": timedelta(days=2)}
RECENT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Member:
    """One anomaly. `money` is what it has cost, below zero where it saved."""

    number: int
    key: Key
    metric: str
    scale: str
    started_at: datetime
    ended_at: datetime
    direction: int
    expected: Decimal
    money: Decimal | None

    @property
    def size(self) -> Decimal:
        return abs(self.money or Decimal(0))


def leads(members: Iterable[Member]) -> dict[int, int]:
    """Each anomaly that another explains → the one that does."""
    left = sorted(members, key=lambda each: (rank(each), -each.size, each.number))
    found: dict[int, int] = {}
    while left:
        largest = left[0]
        near = [each for each in left if is_together(each, largest)]
        lead = chosen(largest, near)
        taken = [each for each in near if each is not lead and is_explained(each, lead)]
        found |= {each.number: lead.number for each in taken}
        gone = {lead.number, *(each.number for each in taken)}
        left = [each for each in left if each.number not in gone]
    return found


def rank(member: Member) -> int:
    """What costs is said before how it comes that it does."""
    return 0 if member.metric == Metric.COST else 1 if member.metric in SUMMED else 2


def chosen(largest: Member, near: Sequence[Member]) -> Member:
    explaining = [
        each
        for each in near
        if each.metric == largest.metric
        and each.direction == largest.direction
        and each.size >= largest.size * EXPLAINS_MOST
        and largest.key.is_compatible(each.key)
    ]
    return min(explaining, key=lambda each: (-len(each.key.filters), each.expected, each.number))


def is_together(member: Member, other: Member) -> bool:
    near = max(NEAR[member.scale], NEAR[other.scale])
    is_near = abs(member.started_at - other.started_at) <= near
    is_within = member.started_at < other.ended_at and other.started_at < member.ended_at
    return (is_near and is_within) or member is other


def is_explained(member: Member, lead: Member) -> bool:
    """Whether it is the same usage, and no more of it than the lead can be a good part of."""
    if not member.key.is_compatible(lead.key):
        return False
    if member.metric != lead.metric or lead.key.holds(member.key):
        return True
    return member.direction == lead.direction and lead.size >= member.size * EXPLAINS


def regroup(now: datetime) -> None:
    """Write down who leads whom, of what is open or of the last days, and of the days in which
    something was found just now."""
    fresh = Anomaly.objects.filter(seen_at=now).order_by("started_at").first()
    since = min(now, fresh.started_at) if fresh else now
    rows = {
        each.pk: each
        for each in Anomaly.objects.filter(ended_at__gt=since - RECENT)
        | Anomaly.objects.filter(closed_at=None)
    }
    judged = [each for each in rows.values() if each.like_id is None]
    found = leads(member(each) for each in judged)
    for each in judged:
        lead = found.get(each.pk)
        changes: dict[str, Any] = {} if each.lead_id == lead else {"lead": lead}
        if lead and rows[lead].verdict_ends and not each.verdict:
            changes |= said_of(rows[lead], each, now)
        if changes:
            Anomaly.objects.filter(pk=each.pk).update(**changes)


def said_of(lead: Anomaly, part: Anomaly, now: datetime) -> dict[str, Any]:
    """What was said of an incident is said of what is seen of it later."""
    return {
        "verdict": lead.verdict,
        "verdict_reason": lead.verdict_reason,
        "decided_by": lead.decided_by,
        "decided_at": lead.decided_at,
        "closed_at": part.closed_at or now,
    }


def member(anomaly: Anomaly) -> Member:
    return Member(
        number=anomaly.pk,
        key=Key.of(anomaly.filters),
        metric=anomaly.metric,
        scale=max(anomaly.spans, key=list(NEAR).index),
        started_at=anomaly.started_at,
        ended_at=anomaly.ended_at,
        direction=anomaly.direction,
        expected=abs(anomaly.expected),
        money=anomaly.impact,
    )
