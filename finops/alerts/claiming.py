"""Taking work out of the outbox: one message at a time for each recipient.

Who sends to a recipient holds it by a lease, so whatever the number of workers, one thing is told
after the other. A worker that is killed lets go when the lease ends; what it was sending is sent
again as the same message, under the same id.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from finops.alerts.composing import message_id, message_of
from finops.alerts.quiet import quiet_end
from finops.channels import Message, Target
from finops.channels.messages import SEVERITY_RANKS
from finops.channels.sending import target_of
from finops.models import Alert, Delivery, DeliveryAttempt, Recipient, Snooze

log = logging.getLogger(__name__)

State = Delivery.State
OPEN = (State.WAITING, State.SENDING)
# Longer than any attempt takes.
LEASE = timedelta(minutes=3)
AT_ONCE = 8
LOOKED_AT = 500
# Somebody waits for a test, for so long: its first attempt passes what is held back.
WATCHED = timedelta(minutes=10)
# Of several that list what came at once.
BETWEEN_DIGESTS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """One message that nobody else sends; all that sending needs is in it."""

    delivery: int
    attempt: int
    target: Target
    message: Message
    until: datetime


def claim(now: datetime) -> list[Claim]:
    """At most AT_ONCE, of different recipients."""
    with transaction.atomic():
        return [claimed for each in _free(now) if (claimed := _claim_of(each, now))]


def _claim_of(recipient: Recipient, now: datetime) -> Claim | None:
    """The next message that can be composed. One that cannot be fails by itself: it holds up
    neither what is behind it nor other recipients, nor what would be in one message with it."""
    while deliveries := _next(recipient, now):
        leader, fault = deliveries[0], ""
        begun = leader.message_id
        ways = [deliveries] if begun else [deliveries, deliveries[:1]]
        for chosen in ways:
            leader.message_id = begun
            try:
                with transaction.atomic():
                    return _claimed(recipient, chosen, now)
            except DatabaseError:
                raise
            except Exception as error:
                fault = type(error).__name__
        _fail(leader, fault, now)
    return None


def _fail(delivery: Delivery, fault: str, now: datetime) -> None:
    """On record as an attempt. The text of the fault may hold a name, so it is not repeated."""
    detail = f"It could not be composed: {fault}."
    log.error("delivery %d could not be composed: %s", delivery.pk, fault)
    DeliveryAttempt.objects.create(
        delivery=delivery,
        began_at=now,
        ended_at=now,
        outcome=DeliveryAttempt.Outcome.REFUSED,
        detail=detail,
    )
    whole = Delivery.objects.filter(Q(pk=delivery.pk) | Q(leader=delivery))
    whole.update(state=State.FAILED, detail=detail)


def _free(now: datetime) -> QuerySet[Recipient]:
    """Recipients with something due that nobody sends to now, locked."""
    due = Delivery.objects.filter(
        recipient=OuterRef("pk"), state__in=OPEN, leader=None, due_at__lte=now
    )
    tests = _tests(now).filter(recipient=OuterRef("pk"))
    return (
        Recipient.objects.filter(
            Exists(due),
            Q(leased_until=None) | Q(leased_until__lte=now),
            Q(held_until=None) | Q(held_until__lte=now) | Exists(tests),
            stopped_at=None,
            channel__disabled_at=None,
            channel__removed_at=None,
        )
        .select_related("channel")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("?")[:AT_ONCE]  # so that a long queue of one leaves the others their turns
    )


def _tests(now: datetime) -> QuerySet[Delivery]:
    """Asked for just now and not tried yet."""
    return Delivery.objects.filter(
        state=State.WAITING,
        message_id="",
        alert__kind=Alert.Kind.TEST,
        alert__acknowledged_at=None,
        due_at__gt=now - WATCHED,
        due_at__lte=now,
    )


def _next(recipient: Recipient, now: datetime) -> list[Delivery]:
    """The deliveries of the next message, the leader first; none where all have to wait.

    A test goes beside all else. What was begun is sent as it was. Otherwise what is acknowledged
    falls away, what is snoozed or falls into quiet hours waits, and what is too much for single
    messages becomes a digest.
    """
    tests = _tests(now).filter(recipient=recipient).select_related("alert").order_by("pk")
    if test := tests.select_for_update(of=("self",)).first():
        return [test]
    waiting = list(
        Delivery.objects.filter(recipient=recipient, state__in=OPEN, leader=None, due_at__lte=now)
        .select_related("alert")
        .defer("alert__facts", "alert__title")  # of all but one message they are not read
        .select_for_update(of=("self",))
        .order_by("pk")[:LOOKED_AT]
    )
    begun = next((each for each in waiting if each.message_id), None)
    if begun:
        return [begun, *begun.followers.order_by("pk")]
    due = _held_back(recipient, waiting, now)
    if not due:
        return []
    window = now - timedelta(minutes=recipient.channel.storm_minutes)
    sent = Delivery.objects.filter(recipient=recipient, leader=None, sent_at__gt=window)
    count, most = sent.count(), recipient.channel.storm_after
    if len(due) + count <= most:
        return due[:1]
    # What comes one by one waits for company too, once there were as many as there may be.
    paced = sent if count >= most else sent.filter(message_id__startswith="digest-")
    last = paced.order_by("-sent_at").first()
    if last and last.sent_at and last.sent_at > now - BETWEEN_DIGESTS:
        recipient.held_until = last.sent_at + BETWEEN_DIGESTS
        recipient.save(update_fields=["held_until"])
        return []
    return due


def _held_back(recipient: Recipient, waiting: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those that may go now; the others are told when, or why not at all."""
    channel = recipient.channel
    quiet = quiet_end(channel.quiet_from, channel.quiet_until, ZoneInfo(channel.zone), now)
    passes = SEVERITY_RANKS[channel.quiet_passes]
    threads = {each.alert.thread for each in waiting}
    held = Snooze.objects.filter(thread__in=threads, until__gt=now).order_by("until")
    snoozes = {each.thread: each for each in held}
    due = []
    for each in waiting:
        alert = each.alert
        if alert.acknowledged_at:
            each.state, each.detail = State.CANCELLED, f"acknowledged by {alert.acknowledged_by}"
        elif silences(snoozes.get(alert.thread), alert):
            each.due_at, each.detail = snoozes[alert.thread].until, "snoozed"
        elif quiet and alert.kind != alert.Kind.TEST and SEVERITY_RANKS[alert.severity] < passes:
            each.due_at, each.detail = quiet, "quiet hours"
        else:
            due.append(each)
            continue
        each.save(update_fields=["state", "due_at", "detail"])
    return due


def silences(snooze: Snooze | None, alert: Alert) -> bool:
    """Not the word of it itself, nor, of some, what is critical."""
    if snooze is None or alert.kind == Alert.Kind.ANSWER:
        return False
    return not (snooze.spares_critical and alert.severity == Alert.Severity.CRITICAL)


def _claimed(recipient: Recipient, deliveries: list[Delivery], now: datetime) -> Claim:
    """Written down before anything is sent: the message's id, and that an attempt has begun."""
    leader = deliveries[0]
    leader.message_id = leader.message_id or message_id(deliveries)
    leader.state, leader.detail = State.SENDING, ""
    leader.save(update_fields=["message_id", "state", "detail"])
    followers = [each.pk for each in deliveries[1:]]
    Delivery.objects.filter(pk__in=followers).update(leader=leader, state=State.SENDING, detail="")
    recipient.leased_until = now + LEASE
    recipient.save(update_fields=["leased_until"])
    attempt = DeliveryAttempt.objects.create(delivery=leader, began_at=now)
    chosen = Delivery.objects.filter(pk__in=[each.pk for each in deliveries])
    message = message_of(list(chosen.select_related("alert").order_by("pk")), now)
    return Claim(leader.pk, attempt.pk, target_of(recipient), message, recipient.leased_until)
