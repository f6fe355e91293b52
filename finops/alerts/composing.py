"""A message out of deliveries: who it is to, what it answers, under which constant subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from finops import formats
from finops.channels import Message, Told, wording
from finops.channels.messages import SEVERITY_RANKS, SEVERITY_WORDS, one_line
from finops.models import Alert, Delivery

Kind = Alert.Kind


def message_of(deliveries: Sequence[Delivery], now: datetime) -> Message:
    """`deliveries` are those of one message, the leader first, with their alerts."""
    first = deliveries[0]
    return Message(
        id=first.message_id,
        root="" if len(deliveries) > 1 else root_of(first),
        subject=subject_of(deliveries),
        alerts=tuple(told(each) for each in deliveries),
        site=settings.PUBLIC_URL,
        zone=settings.REPORTING_ZONE,
        sent_at=now,
    )


def told(delivery: Delivery) -> Told:
    alert = delivery.alert
    return Told(
        number=alert.pk,
        kind=alert.kind,
        severity=alert.severity,
        title=alert.title,
        facts=alert.facts,
        team=alert.team,
        thread=alert.thread,
        raised_at=alert.raised_at,
        turn=delivery.turn,
    )


def message_id(deliveries: Sequence[Delivery]) -> str:
    """Of numbers alone: names of budgets and users stay inside of messages."""
    first = deliveries[0]
    if len(deliveries) > 1:
        return f"digest-{first.pk}-{len(deliveries)}"
    return f"alert-{first.alert_id}-{first.pk}"


def root_of(delivery: Delivery) -> str:
    """The message that began this conversation with this recipient; '' for the first itself."""
    earlier = Delivery.objects.filter(
        recipient=delivery.recipient_id,
        alert__thread=delivery.alert.thread,
        state=Delivery.State.SENT,
        leader=None,
        pk__lt=delivery.pk,
    ).exclude(message_id__startswith="digest-")
    return earlier.order_by("pk").values_list("message_id", flat=True).first() or ""


def subject_of(deliveries: Sequence[Delivery]) -> str:
    """The same for every message of a conversation, so that mail programs keep it together; how bad
    it is stands in the first line and in the headers. A digest is of none."""
    alert = deliveries[0].alert
    if len(deliveries) > 1:
        ranks = SEVERITY_RANKS
        worst = max((each.alert.severity for each in deliveries), key=lambda name: ranks[name])
        return f"[Farthing] {SEVERITY_WORDS[worst]}: {len(deliveries)} alerts"
    begun = Alert.objects.filter(thread=alert.thread).order_by("pk").first() or alert
    return f"[Farthing] {topic(begun)}"


def topic(alert: Alert) -> str:
    facts: dict[str, Any] = alert.facts
    if not facts.get("budget"):
        return one_line(alert.title)
    zone = settings.REPORTING_ZONE
    today = alert.raised_at.astimezone(zone).date()
    days = wording.period(facts, zone, today)
    name = one_line(wording.scope(facts), 90)
    return f"Budget {name}, {days}".replace(formats.SPACE, " ") if days else f"Budget {name}"
