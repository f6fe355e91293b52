"""Critical alerts that nobody has acknowledged, sent again by the channels that are set to."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from finops.alerts.quiet import GIVE_UP_AFTER
from finops.channels.wording import instant
from finops.models import Alert, Channel, Crossing, Delivery, Recipient
from finops.periods import start_of_day

State = Delivery.State
Why = Recipient.Why
MOST_TURNS = 10
FORGOTTEN_AFTER = timedelta(days=7)


def remind(now: datetime) -> int:
    """How many reminders are on their way now. Any number of workers make each once."""
    made = 0
    for channel in Channel.objects.filter(
        removed_at=None, disabled_at=None, repeat_hours__isnull=False
    ):
        due = _due(channel, now)
        rows = [
            Delivery(
                alert_id=each.alert_id, recipient_id=each.recipient_id, turn=each.turn + 1,
                due_at=now,
            )
            for each in due
            if not _is_over(each.alert, now)
        ]  # fmt: skip
        made += len(Delivery.objects.bulk_create(rows, ignore_conflicts=True))
    return made


def give_up(now: datetime) -> int:
    """How many deliveries cannot come to anything any more: to who does not want them, and to what
    has been stopped for as long as the outbox tries."""
    # What a killed worker was sending to somebody who is stopped nobody takes over.
    left = Q(recipient__leased_until=None) | Q(recipient__leased_until__lte=now)
    waiting = Delivery.objects.filter(Q(state=State.WAITING) | Q(left, state=State.SENDING))
    unwanted = waiting.filter(
        Q(recipient__stopped_why__in=(Why.UNSUBSCRIBED, Why.REMOVED))
        | Q(recipient__channel__removed_at__isnull=False)
    )
    ended = unwanted.update(state=State.CANCELLED, detail="not wanted any more")
    stopped = waiting.filter(
        Q(recipient__stopped_why=Why.REFUSED) | Q(recipient__channel__disabled_at__isnull=False),
        due_at__lt=now - GIVE_UP_AFTER,
    )
    detail = f"given up after {GIVE_UP_AFTER.days} days: nothing could be sent there"
    return ended + stopped.update(state=State.FAILED, detail=detail)


def _due(channel: Channel, now: datetime) -> list[Delivery]:
    """The last turn of each alert that was sent long enough ago."""
    later = Delivery.objects.filter(
        alert=OuterRef("alert"), recipient=OuterRef("recipient"), turn__gt=OuterRef("turn")
    )
    recovered = Alert.objects.filter(
        kind=Alert.Kind.PIPELINE_RECOVERED, thread=OuterRef("alert__thread")
    )
    # As after an increase: what was reached is not reached any more.
    rearmed = Crossing.objects.filter(
        budget=OuterRef("alert__budget"), alert_key=OuterRef("alert__key")
    ).exclude(rearmed_at=None)
    found = Delivery.objects.filter(
        ~Exists(later),
        ~Exists(recovered),
        ~Exists(rearmed),
        alert__budget__removed_at=None,
        recipient__channel=channel,
        recipient__stopped_at=None,
        state=State.SENT,
        turn__lt=MOST_TURNS,
        sent_at__lte=now - timedelta(hours=channel.repeat_hours or 0),
        alert__severity=Alert.Severity.CRITICAL,
        alert__acknowledged_at=None,
        alert__raised_at__gt=now - FORGOTTEN_AFTER,
    )
    return list(found.select_related("alert"))


def _is_over(alert: Alert, now: datetime) -> bool:
    """Whether the period that it is about has ended; its end is a day of the reporting zone."""
    end = instant(alert.facts.get("period_end"))
    if end is None:
        return False
    return now >= (end if end.tzinfo else start_of_day(end.date(), settings.REPORTING_ZONE))
