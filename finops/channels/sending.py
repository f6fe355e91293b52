"""One message to one recipient, by whatever kind of channel it is reached."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from finops.channels import mail, other, outcomes, slack, unsubscribing, webhook
from finops.channels.messages import Message
from finops.channels.outcomes import Outcome
from finops.channels.secrets import Unreadable, unseal
from finops.channels.signing import keys_of
from finops.models import Channel, Recipient

log = logging.getLogger(__name__)

Kind = Channel.Kind
FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Target:
    """All that sending needs to know of a recipient, so that it needs no database."""

    recipient: int
    channel: int
    name: str  # of the channel
    kind: str
    address: str
    secret: bytes


def target_of(recipient: Recipient) -> Target:
    channel = recipient.channel
    sealed = bytes(channel.secret)
    name, kind = channel.name, channel.kind
    return Target(recipient.pk, channel.pk, name, kind, recipient.address, sealed)


def pause_after(kind: str) -> float:
    """Seconds before the next message to the same recipient."""
    return slack.SECONDS_BETWEEN if kind == Kind.SLACK else 0.0


def send(message: Message, target: Target) -> Outcome:
    """Never raises: what goes wrong is an outcome, or the rest of the outbox would wait for it."""
    try:
        if target.kind == Kind.EMAIL:
            unsubscribe = unsubscribing.link(message.site, target.recipient)
            return mail.send(message, target.address, target.channel, unsubscribe)
        secret = unseal(target.secret)
        if target.kind == Kind.SLACK:
            return slack.send(message, secret["url"])
        if target.kind == Kind.WEBHOOK:
            return webhook.send(message, secret["url"], keys_of(secret, message.sent_at))
        return other.send(message, secret["url"])
    except Unreadable as error:
        return outcomes.gone(str(error))
    except Exception as error:
        # The text of an unknown error may hold an address, so it is not repeated.
        log.error("message %s could not be sent: %s", message.id, type(error).__name__)
        said = f"It could not be sent: {type(error).__name__}."
        # What cannot be written now never can be, and must not hold up all that is behind it.
        return outcomes.refused(said) if isinstance(error, FAULTS) else outcomes.later(said)
