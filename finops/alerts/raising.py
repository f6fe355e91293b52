"""Noticing something once: an alert and its deliveries, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from finops.alerts import routing
from finops.channels import personal
from finops.models import Alert, Budget, Channel, Delivery, Recipient

State = Delivery.State
ACKNOWLEDGED = "acknowledged before"
LONGEST_THREAD = 500


def raise_alert(
    *,
    key: str,
    kind: str,
    severity: str,
    title: str,
    facts: Mapping[str, Any],
    budget: Budget | None = None,
    team: str = "",
    thread: str = "",
    answers: User | None = None,
    now: datetime,
) -> Alert | None:
    """Write down an alert and whom it is for; None where one with this key is there already.

    That is so whichever worker comes first: `key` is unique in the database. Sending is the
    outbox's task. Mails of one `thread` answer each other. Whom it `answers` is mailed too.
    """
    with transaction.atomic():
        alert = _written(key, kind, severity, title, facts, budget, team, thread, now)
        if alert is not None:
            chosen = routing.recipients(alert)
            if answers:
                chosen += _mailbox_of(answers, {each.address for each in chosen}, now)
            _deliver(alert, chosen, now, _answered(alert))
    return alert


def _mailbox_of(user: User, told: Collection[str], now: datetime) -> list[Recipient]:
    """Unless a channel tells it anyway."""
    held = None if user.email.lower() in told else personal.mailbox(user, now=now)
    return [held] if held else []


def raise_to(
    channel: Channel,
    *,
    key: str,
    kind: str,
    severity: str,
    title: str,
    facts: Mapping[str, Any],
    team: str = "",
    now: datetime,
) -> Alert | None:
    """The same for one channel alone, whatever it takes otherwise: a test, a summary."""
    with transaction.atomic():
        alert = _written(key, kind, severity, title, facts, None, team, "", now)
        if alert is not None:
            held = Recipient.objects.filter(channel=channel, is_owner=False)
            if kind == Alert.Kind.TEST:  # which proves nothing later
                held = held.filter(stopped_at=None)
            _deliver(alert, filter(routing.is_wanted, held), now, "")
    return alert


def raise_answer(
    alert: Alert,
    told: Iterable[Recipient],
    *,
    key: str,
    title: str,
    facts: Mapping[str, Any],
    now: datetime,
) -> Alert | None:
    """A note in the conversation of an alert, to those who were told it; None where nobody was."""
    chosen = [each for each in told if routing.is_wanted(each)]
    if not chosen:
        return None
    with transaction.atomic():
        note = _written(
            key, Alert.Kind.ANSWER, Alert.Severity.NOTE, title, facts,
            alert.budget, alert.team, alert.thread, now,
        )  # fmt: skip
        if note is not None:
            _deliver(note, chosen, now, "")
    return note


def _written(
    key: str,
    kind: str,
    severity: str,
    title: str,
    facts: Mapping[str, Any],
    budget: Budget | None,
    team: str,
    thread: str,
    now: datetime,
) -> Alert | None:
    value = str(facts.get("value") or "")
    # What is said of one user of a budget for each user is no answer to what is said of another.
    conversation = f"{thread}:{value}" if thread and value else thread or key
    alert, is_new = Alert.objects.get_or_create(
        key=key,
        defaults={
            "kind": Alert.Kind(kind),
            "severity": Alert.Severity(severity),
            "title": title,
            "facts": dict(facts),
            "budget": budget,
            "team": team,
            "thread": conversation[:LONGEST_THREAD],
            "raised_at": now,
        },
    )
    return alert if is_new else None


def _deliver(alert: Alert, chosen: Iterable[Recipient], now: datetime, answered: str) -> None:
    Delivery.objects.bulk_create(
        Delivery(
            alert=alert,
            recipient=recipient,
            due_at=now,
            state=State.CANCELLED if answered else State.WAITING,
            detail=answered,
        )
        for recipient in chosen
    )


def _answered(alert: Alert) -> str:
    """Why it is a repeat of what somebody has acknowledged already; "" where it is news.

    The same threshold of the same amount of the same budget in the same period, crossed again, is
    no news. What is of no threshold, such as a step of asking for more, always is.
    """
    if not alert.facts.get("threshold"):
        return ""
    terms = _terms(alert)
    earlier = Alert.objects.filter(
        thread=alert.thread, kind=alert.kind, severity=alert.severity
    ).exclude(acknowledged_at=None)
    if alert.budget:  # which may have been made one of other usage since
        earlier = earlier.filter(acknowledged_at__gt=alert.budget.changed_at)
    for each in earlier.exclude(pk=alert.pk):
        if _terms(each) == terms:
            return f"{ACKNOWLEDGED}, by {each.acknowledged_by}"
    return ""


def _terms(alert: Alert) -> tuple[Any, ...]:
    """Who acknowledged that one amount is spent knows nothing of the next one."""
    return alert.facts.get("threshold"), alert.facts.get("amount")
