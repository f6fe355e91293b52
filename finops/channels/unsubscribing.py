"""Links by which the owner of a mailbox ends what is sent there, without signing in."""

from __future__ import annotations

from datetime import datetime

from django.core import signing
from django.db import transaction
from django.urls import reverse

from finops import audit
from finops.models import Recipient

SALT = "finops.channels.unsubscribing"


def link(site: str, recipient: int) -> str:
    return site + reverse("unsubscribe", args=[signing.dumps(recipient, salt=SALT)])


def find(token: str) -> Recipient | None:
    """Whom the link is for; None where it is none of ours, or the channel is gone."""
    try:
        number = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    found = Recipient.objects.select_related("channel")
    return found.filter(pk=number, channel__removed_at=None).first()


def is_ended(recipient: Recipient) -> bool:
    """A mailbox that was refused may be tried again, unless its owner wants nothing."""
    return recipient.stopped_at is not None and recipient.stopped_why != Recipient.Why.REFUSED


def unsubscribe(recipient: Recipient, *, at: datetime, address: str = "") -> bool:
    """Whether that changed anything. Whoever manages the channel sees it, and may ask again."""
    with transaction.atomic():
        held = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if is_ended(held):
            return False
        held.stopped_at, held.stopped_why = at, Recipient.Why.UNSUBSCRIBED
        held.save(update_fields=["stopped_at", "stopped_why"])
        audit.record(
            "channel.unsubscribe",
            recipient.channel.name,
            at=at,
            by="the owner of a mailbox",
            after={"address": held.address},
            address=address,
        )
    return True
