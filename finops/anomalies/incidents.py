"""One incident is seen in many series: in all usage, in a feature, in its model. One of them leads.

Of what begins together, goes the same way and may be the same usage, the narrowest that explains
most of the largest leads: it says best what it is. What no more than coincides stays by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.anomalies import views
from finops.anomalies.measures import SUMMED, Metric
from finops.anomalies.minutes import used_labels
from finops.anomalies.series import Key
from finops.models import Anomaly

# The lead explains so much of the largest, and of each that is seen with it.
EXPLAINS_MOST, EXPLAINS = Decimal("0.6"), Decimal("0.4")
NEARLY_ALL = Decimal("0.75")
# What has no more of it is no part that is left over.
LEFT_OVER = Decimal("0.1")
# Beginnings are known to a few steps of the scale that both are seen at.
NEAR = {"minute": timedelta(hours=1), "hour": timedelta(hours=3), "day": timedelta(days=1)}
RECENT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Member:
    """One anomaly. `begins` says when by each scale that sees it; `money` is what it has cost,
    below zero where it saved."""

    number: int
    key: Key
    metric: str
    begins: Mapping[str, datetime]
    started_at: datetime
    ended_at: datetime
    direction: int
    expected: Decimal
    money: Decimal | None

    @property
    def size(self) -> Decimal:
        return abs(self.money or Decimal(0))


def leads(members: Iterable[Member], used: Used | None = None) -> dict[int, int]:
    """Each anomaly that another explains → the one that does. `used` is what usage there is: where
    no request is of both, nothing is explained."""
    left = sorted(members, key=lambda each: (rank(each), -each.size, each.number))
    found: dict[int, int] = {}
    while left:
        largest = left[0]
        near = [e for e in left if is_together(e, largest) or is_most_of(e, largest)]
        lead = chosen(largest, near)
        taken = [
            each
            for each in left
            if each is not lead
            and is_explained(each, lead)
            and (used is None or used.has_both(each, lead))
        ]
        found |= {each.number: lead.number for each in taken}
        gone = {lead.number, *(each.number for each in taken)}
        left = [each for each in left if each.number not in gone]
    return found


@dataclass(slots=True)
class Used:
    """The combinations of labels that requests have had, by team, feature and model."""

    labels: Sequence[Mapping[str, str]]
    known: dict[Key, bool] = field(default_factory=dict)

    def has_both(self, member: Member, lead: Member) -> bool:
        """Whether requests are of both, or may be; or the one has taken the place of the other."""
        wanted = dict(member.key.filters) | dict(lead.key.filters)
        if "user" in wanted or not member.key.is_compatible(lead.key):
            return True
        key = Key.of(wanted)
        if key not in self.known:
            own = wanted.items()
            self.known[key] = any(own <= each.items() for each in self.labels)
        return self.known[key]


def rank(member: Member) -> int:
    """What costs is said before how it comes that it does."""
    return 0 if member.metric == Metric.COST else 1 if member.metric in SUMMED else 2


def chosen(largest: Member, near: Sequence[Member]) -> Member:
    """The narrowest that explains most of the largest and leaves none of it over, as one model does
    of a feature of two; what only all usage holds is several."""
    alike = [
        each
        for each in near
        if each.metric == largest.metric
        and each.direction == largest.direction
        and largest.key.is_compatible(each.key)
    ]
    explaining = [each for each in alike if each.size >= largest.size * EXPLAINS_MOST]
    ranked = sorted(
        explaining, key=lambda each: (-len(each.key.filters), each.expected, each.number)
    )
    parts = [each for each in alike if each.size >= largest.size * LEFT_OVER]
    for each in ranked:
        if each.key.filters and all(each.key.is_compatible(part.key) for part in parts):
            return each
    return ranked[0]


def is_together(member: Member, other: Member) -> bool:
    """Whether they overlap and begin at one time, by the finest scale that both are seen at."""
    if member is other:
        return True
    both = [name for name in NEAR if name in member.begins and name in other.begins]
    if both:
        begun, other_begun, near = member.begins[both[0]], other.begins[both[0]], NEAR[both[0]]
    else:
        begun, other_begun = member.started_at, other.started_at
        near = max(NEAR[min(each.begins, key=list(NEAR).index)] for each in (member, other))
    return abs(begun - other_begun) <= near and overlap(member, other)


def overlap(member: Member, other: Member) -> bool:
    return member.started_at < other.ended_at and other.started_at < member.ended_at


def is_explained(member: Member, lead: Member) -> bool:
    """Whether it is the same usage, and no more of it than the lead can be a good part of."""
    is_near, is_large = is_together(member, lead), lead.size >= member.size * EXPLAINS
    if not member.key.is_compatible(lead.key):
        return is_near and is_large and is_exchanged(member, lead)
    if member.metric != lead.metric:
        # What a cost is made of may have begun to change before.
        is_most = lead.size >= member.size * EXPLAINS_MOST
        return is_near or (is_most and overlap(member, lead))
    if is_most_of(lead, member):
        return True
    if lead.key.holds(member.key):
        return is_near or is_within(member, lead)
    return is_near and is_large


def is_most_of(part: Member, wide: Member) -> bool:
    """Whether it is nearly all of what a wider series sees, with what was before perhaps."""
    is_alike = (part.metric, part.direction) == (wide.metric, wide.direction)
    is_narrower = part.key != wide.key and wide.key.holds(part.key)
    return is_alike and is_narrower and overlap(part, wide) and part.size >= wide.size * NEARLY_ALL


def is_within(member: Member, lead: Member) -> bool:
    """Whether it lies in the lead's time and costs no more of it."""
    if not lead.started_at <= member.started_at < lead.ended_at:
        return False
    is_alike = member.direction == lead.direction
    return is_alike and member.size * seconds(lead) <= lead.size * seconds(member)


def seconds(member: Member) -> Decimal:
    return Decimal(str((member.ended_at - member.started_at).total_seconds()))


def is_exchanged(member: Member, lead: Member) -> bool:
    """Whether the one has taken the place of the other, as one model that of another."""
    is_shared = bool(set(member.key.filters) & set(lead.key.filters))
    is_alone = len(member.key.filters) == 1 or is_shared
    return is_alone and member.direction != lead.direction and member.key != lead.key


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
    found = leads((member(each) for each in judged), Used(used_labels()) if judged else None)
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
        begins=views.beginnings(anomaly.spans),
        started_at=anomaly.started_at,
        ended_at=anomaly.ended_at,
        direction=anomaly.direction,
        expected=abs(anomaly.expected),
        money=anomaly.impact,
    )
