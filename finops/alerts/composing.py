"""A message out of deliveries: who it is to, what it answers, under which subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from finops import formats
from finops.channels import Message, Told
from finops.channels.messages import SEVERITY_RANKS, SEVERITY_WORDS, one_line
from finops.models import Alert, Delivery

Severity = Alert.Severity


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
    """What it is about, and how bad that is where somebody has to act: in a list of mails nothing
    else is read. What belongs together is told by the headers."""
    ranks = SEVERITY_RANKS
    worst = max((each.alert.severity for each in deliveries), key=lambda name: ranks[name])
    urgent = f"{SEVERITY_WORDS[worst]}: " if ranks[worst] >= ranks[Severity.WARNING] else ""
    if len(deliveries) > 1:
        return f"[Farthing] {urgent}{len(deliveries)} alerts"
    first = deliveries[0]
    reminder = "Reminder: " if first.turn else ""
    return f"[Farthing] {urgent}{reminder}{one_line(first.alert.title)}".replace(formats.SPACE, " ")
