"""What became of an attempt: written down, and the consequences drawn."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from finops.alerts.claiming import Claim
from finops.alerts.quiet import GIVE_UP_AFTER, wait_after
from finops.alerts.raising import raise_alert
from finops.channels import Outcome
from finops.channels.outcomes import Result
from finops.channels.sending import pause_after
from finops.models import Alert, Channel, Delivery, DeliveryAttempt, Recipient

State = Delivery.State
Why = Recipient.Why


def record(claim: Claim, outcome: Outcome, now: datetime, chance: float) -> None:
    """`chance` is a random number from 0 to 1, by which attempts keep apart."""
    with transaction.atomic():
        recipient = (
            Recipient.objects.select_for_update(of=("self",))
            .select_related("channel")
            .get(pk=claim.target.recipient)
        )
        DeliveryAttempt.objects.filter(pk=claim.attempt).update(
            ended_at=now, outcome=outcome.result, status=outcome.status, detail=outcome.detail
        )
        leader = Delivery.objects.select_related("alert").get(pk=claim.delivery)
        _finish(leader, outcome, now)
        if recipient.leased_until == claim.until:  # else somebody else has taken over
            recipient.leased_until = None
        _hold(recipient, outcome, now, chance)
        recipient.save()
        _note(recipient.channel, outcome, now)
        if outcome.result == Result.GONE:
            _stop(recipient, outcome, leader.alert, now)
    if outcome.is_shared:
        _hold_kind(recipient)


def _finish(leader: Delivery, outcome: Outcome, now: datetime) -> None:
    """Of the whole message: its followers share what becomes of it."""
    state, detail, sent_at = State.WAITING, outcome.detail, None
    if outcome.result == Result.SENT:
        state, sent_at = State.SENT, now
    elif outcome.result == Result.REFUSED:
        state = State.FAILED
    elif now - leader.due_at > GIVE_UP_AFTER:  # not since it was raised: it may have been snoozed
        state, detail = State.FAILED, f"given up after {GIVE_UP_AFTER.days} days: {detail}"
    whole = Delivery.objects.filter(Q(pk=leader.pk) | Q(leader=leader))
    # Sent is sent, whatever another worker has made of a copy since.
    whole.exclude(state=State.SENT).update(state=state, detail=detail, sent_at=sent_at)


def _hold(recipient: Recipient, outcome: Outcome, now: datetime, chance: float) -> None:
    """How long to leave it alone now."""
    if outcome.result == Result.LATER:
        recipient.failures += 1
        wait = wait_after(recipient.failures, outcome.wait, chance)
        recipient.held_until = now + timedelta(seconds=wait)
    elif outcome.result == Result.SENT:
        recipient.failures = 0
        pause = pause_after(recipient.channel.kind)
        recipient.held_until = now + timedelta(seconds=pause) if pause else None


def _hold_kind(recipient: Recipient) -> None:
    """One mail server stands behind all mailboxes: if it is away, none of them has to find out."""
    until = recipient.held_until
    others = Recipient.objects.filter(channel__kind=recipient.channel.kind, leased_until=None)
    others = others.filter(Q(held_until=None) | Q(held_until__lt=until))
    others.exclude(pk=recipient.pk).update(held_until=until)


def _note(channel: Channel, outcome: Outcome, now: datetime) -> None:
    if outcome.result == Result.SENT:
        channel.last_sent_at, channel.last_error, channel.last_error_at = now, "", None
    else:
        channel.last_error, channel.last_error_at = outcome.detail, now
    channel.save(update_fields=["last_sent_at", "last_error", "last_error_at"])


def _stop(recipient: Recipient, outcome: Outcome, about: Alert, now: datetime) -> None:
    """Refused for good: nothing more is sent there until somebody has mended it, and those who
    can are told by the other channels. What waits is sent then."""
    recipient.stopped_at, recipient.stopped_why = now, Why.REFUSED
    recipient.save(update_fields=["stopped_at", "stopped_why"])
    channel = recipient.channel
    # Owners of other budgets are not among its recipients before they are told something.
    if not channel.to_owner and not channel.recipients.filter(stopped_at=None).exists():
        channel.disabled_at, channel.disabled_why = now, outcome.detail
        channel.save(update_fields=["disabled_at", "disabled_why"])
    where = (
        f"{recipient.address} of channel {channel}" if recipient.address else f"Channel {channel}"
    )
    raise_alert(
        key=f"channel-{channel.pk}-{recipient.pk}-{now.isoformat()}",
        kind=Alert.Kind.CHANNEL_STOPPED,
        severity=Alert.Severity.WARNING,
        title=f"{where} gets no more alerts: {outcome.detail}",
        facts={
            "channel": channel.name,
            "kind": channel.get_kind_display(),
            "reason": outcome.detail,
            "undelivered": about.title,
            "url": f"/settings/channels/{channel.pk}",
        },
        thread=f"channel-{channel.pk}",
        now=now,
    )
