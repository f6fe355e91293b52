"""Who is told of what: by severity, topic, team, and the owner of the budget.

What is for a channel or a mailbox that is stopped waits for it: see reminders.give_up.
"""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import User

from finops.channels.messages import SEVERITY_RANKS
from finops.models import Alert, Budget, Channel, Recipient

Kind = Alert.Kind
# What a channel may be for, in the words of its form.
TOPICS = {
    "budgets": "Budgets: thresholds, forecasts, unpriced requests",
    "increases": "Budget increases: asked for, approved, refused",
    "anomalies": "Anomalies: usage that is not as expected",
    "users": "Users: who has run away, calls like a bot, or is new and costs much",
    "operation": "Farthing itself: stale figures, channels and exports that failed",
}
TOPIC_OF = {
    **dict.fromkeys((Kind.BUDGET_ACTUAL, Kind.BUDGET_FORECAST, Kind.BUDGET_BURN_RATE), "budgets"),
    **dict.fromkeys((Kind.BUDGET_UNPRICED, Kind.BUDGET_LATE_USAGE), "budgets"),
    Kind.BUDGET_INCREASE: "increases",
    Kind.ANOMALY: "anomalies",
    Kind.USER: "users",
    **dict.fromkeys((Kind.PIPELINE_STALE, Kind.PIPELINE_RECOVERED), "operation"),
    **dict.fromkeys((Kind.CHANNEL_STOPPED, Kind.EXPORT_NOT_SENT), "operation"),
}


def recipients(alert: Alert) -> list[Recipient]:
    """Everybody who is to be told, each once for a channel."""
    owner = alert.budget.owner if alert.budget else None
    found: list[Recipient] = []
    channels = Channel.objects.filter(removed_at=None, user=None)
    # To whom nothing can be sent now it would be no news when they hear of it.
    is_passing = alert.kind == Kind.CHANNEL_STOPPED
    if is_passing:
        channels = channels.filter(disabled_at=None)
    for channel in channels.prefetch_related("owners", "recipients"):
        owners = {each.pk for each in channel.owners.all()}
        if not takes(channel, alert, owners, owner.pk if owner else None):
            continue
        held = [each for each in channel.recipients.all() if not each.is_owner]
        found += [each for each in held if is_wanted(each)]
        if channel.to_owner and owner and owner.is_active and owner.email:
            found += _owner_of(channel, owner, {each.address for each in held if _is_listed(each)})
    return [each for each in found if each.stopped_at is None] if is_passing else found


def unmailed_owner(alert: Alert) -> User | None:
    """The owner of its budget, where a channel would mail them and their account has no address."""
    owner = alert.budget.owner if alert.budget else None
    if owner is None or not owner.is_active or owner.email:
        return None
    channels = Channel.objects.filter(removed_at=None, user=None, to_owner=True)
    for channel in channels.prefetch_related("owners"):
        if takes(channel, alert, {each.pk for each in channel.owners.all()}, owner.pk):
            return owner
    return None


def owners_without_address(channel: Channel) -> list[str]:
    """User names of owners of budgets whom the channel would mail, and cannot."""
    if not channel.to_owner:
        return []
    owning = Budget.objects.filter(removed_at=None).values("owner")
    owners = User.objects.filter(is_active=True, email="", pk__in=owning)
    chosen = [each.pk for each in channel.owners.all()]
    owners = owners.filter(pk__in=chosen) if chosen else owners
    return list(owners.order_by("username").values_list("username", flat=True))


def is_wanted(recipient: Recipient) -> bool:
    """Now, or once somebody has mended what refuses it."""
    return recipient.stopped_at is None or recipient.stopped_why == Recipient.Why.REFUSED


def takes(channel: Channel, alert: Alert, owners: Collection[int], owner: int | None) -> bool:
    # Whoever was told that figures are stale wants to know when they are not any more.
    is_good_news = alert.kind == Kind.PIPELINE_RECOVERED
    severity = Alert.Severity.CRITICAL if is_good_news else alert.severity
    return (
        SEVERITY_RANKS[severity] >= SEVERITY_RANKS[channel.least_severity]
        and (not channel.topics or TOPIC_OF.get(Kind(alert.kind), "") in channel.topics)
        and (not channel.teams or alert.team in channel.teams)
        and (not owners or owner in owners)
    )


def _owner_of(channel: Channel, owner: User, told: Collection[str]) -> list[Recipient]:
    """The owner's mailbox, unless it is told anyway or does not want to be."""
    address = owner.email.lower()
    if address in told:
        return []
    held, _ = Recipient.objects.get_or_create(
        channel=channel, address=address, defaults={"is_owner": True}
    )
    if not _is_listed(held):
        held.is_owner, held.stopped_at, held.stopped_why = True, None, ""
        held.save(update_fields=["is_owner", "stopped_at", "stopped_why"])
    return [held] if is_wanted(held) else []


def _is_listed(recipient: Recipient) -> bool:
    """Who was taken off the list of a channel may still be an owner."""
    return recipient.stopped_why != Recipient.Why.REMOVED
