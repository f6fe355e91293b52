"""Mail to one person by their own wish: the weekly summary of what they may see."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from finops.models import Channel, Recipient


class NoAddress(ValueError):
    def __init__(self) -> None:
        super().__init__("Your account has no e-mail address. Ask an administrator to add one.")


def wants_summary(user: User) -> bool:
    """Also false where they have unsubscribed by the link of a mail."""
    held = _held(user).filter(summary_since__isnull=False).first()
    return bool(held and held.recipients.filter(stopped_at=None).exists())


def summary_waits(user: User, now: datetime) -> datetime | None:
    """Until when, where the last one took too long to make."""
    held = _held(user).filter(summary_since__isnull=False, summary_held_until__gt=now)
    return held.values_list("summary_held_until", flat=True).first()


def want_summary(user: User, wanted: bool, *, now: datetime) -> None:
    """From the next Monday on. Raises NoAddress."""
    if not wanted:
        _held(user).update(summary_since=None)
        return
    if not user.email:
        raise NoAddress
    with transaction.atomic():
        channel = _channel_of(user, now)
        channel.summary_since = channel.summary_since or now
        channel.disabled_at, channel.disabled_why = None, ""
        channel.save()
        _mail_to(channel, user.email, now)


def mailbox(user: User, *, now: datetime) -> Recipient | None:
    """For what answers them; None without an address, and where they have unsubscribed."""
    if not (user.is_active and user.email):
        return None
    with transaction.atomic():
        channel = _channel_of(user, now)
        follow_address(channel, now=now)
    held = channel.recipients.filter(address=user.email.lower())
    return held.exclude(stopped_why=Recipient.Why.UNSUBSCRIBED).first()


def _channel_of(user: User, now: datetime) -> Channel:
    channel, _ = Channel.objects.select_for_update().get_or_create(
        user=user,
        removed_at=None,
        defaults={
            "name": f"{user.get_username()}'s own",
            "kind": Channel.Kind.EMAIL,
            "created_at": now,
            "created_by": user.get_username(),
        },
    )
    return channel


def follow_address(channel: Channel, *, now: datetime) -> None:
    """Mail goes where the account says; who has unsubscribed there stays so."""
    if channel.user and channel.user.email:
        held = channel.recipients.filter(address=channel.user.email.lower()).first()
        if held is None or held.stopped_why == Recipient.Why.REMOVED:
            _mail_to(channel, channel.user.email, now)


def _mail_to(channel: Channel, address: str, now: datetime) -> None:
    others = channel.recipients.filter(stopped_at=None).exclude(address=address.lower())
    others.update(stopped_at=now, stopped_why=Recipient.Why.REMOVED)
    again = {"stopped_at": None, "stopped_why": "", "failures": 0, "held_until": None}
    Recipient.objects.update_or_create(channel=channel, address=address.lower(), defaults=again)


def _held(user: User) -> QuerySet[Channel]:
    return Channel.objects.filter(user=user, removed_at=None)
