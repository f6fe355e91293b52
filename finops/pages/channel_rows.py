"""What the Channels desk says of a channel and of its mailboxes, in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from finops.alerts import log
from finops.alerts.routing import TOPICS, owners_without_address
from finops.channels import keeping
from finops.mail import has_server
from finops.models import Alert, Channel, Recipient
from finops.pages.refusals import moment

Why = Recipient.Why


def row(held: Channel, now: datetime) -> dict[str, Any]:
    stopped = [each for each in held.recipients.all() if each.stopped_why == Why.REFUSED]
    state, badge = "works", "ok"
    if held.disabled_at:
        state, badge = keeping.word_of(held), "crit"
    elif held.last_error or stopped:
        state, badge = ("an address was refused" if stopped else "trying again"), "warn"
    elif held.kind == Channel.Kind.EMAIL and not has_server():
        state, badge = "written to files", "warn"
    elif held.last_sent_at is None:
        state, badge = "not used yet", ""
    return {
        "pk": held.pk,
        "name": held.name,
        "kind": held.get_kind_display(),
        "shown": held.shown or ("owners of budgets" if held.to_owner else ""),
        "state": state,
        "badge": badge,
        "why": (held.disabled_why or held.last_error).rstrip("."),
        "why_at": moment(held.disabled_at or held.last_error_at, now),
        "sent": moment(held.last_sent_at, now) if held.last_sent_at else "never",
        "takes": takes(held),
        "is_disabled": held.disabled_at is not None,
        "summary": summary(held, now),
        "unmailed": ", ".join(owners_without_address(held)),
        "may_enable": held.disabled_at is not None or bool(stopped),
    }


def summary(held: Channel, now: datetime) -> str:
    """What keeps its weekly summary; "" where nothing does."""
    if held.summary_since is None or not held.summary_held_until:
        return ""
    times = f"{held.summary_failures} times" if held.summary_failures > 1 else "once"
    return f"took too long {times}; tried again {moment(held.summary_held_until, now)}"


def waiting(held: Channel, now: datetime) -> str:
    """3, since 14:02; tried again at 14:20: It answered 503."""
    found = log.waiting(held)
    if found is None:
        return ""
    text = f"{found.number:,}, since {moment(found.since, now)}"
    if found.until and found.until > now:
        text += f"; tried again at {moment(found.until, now)}"
    return f"{text}: {found.detail}" if found.detail else text


def takes(held: Channel) -> str:
    """Which alerts, in words."""
    severity = Alert.Severity(held.least_severity)
    words = {Alert.Severity.NOTE: "all", Alert.Severity.CRITICAL: "critical only"}
    parts = [words.get(severity, f"{severity.label.lower()} and worse")]
    topics = [TOPICS[each].partition(":")[0].lower() for each in held.topics if each in TOPICS]
    parts += [f"about {', '.join(topics)}"] if topics else []
    parts += [f"of {', '.join(held.teams)}"] if held.teams else []
    owners = [each.username for each in held.owners.all()]
    parts += [f"of budgets of {', '.join(owners)}"] if owners else []
    parts += ["the weekly summary"] if held.summary_since else []
    return "; ".join(parts)


def mailbox(each: Recipient, now: datetime) -> dict[str, str]:
    state = "owner of a budget" if each.is_owner else "in use"
    if each.stopped_at:
        state = f"{each.get_stopped_why_display()}, {moment(each.stopped_at, now)}"
    badge = {Why.REFUSED: "crit", Why.UNSUBSCRIBED: "warn", Why.REMOVED: ""}
    shown = badge[Why(each.stopped_why)] if each.stopped_why else "ok"
    return {"address": each.address, "state": state, "badge": shown}


def former_until(held: Channel, now: datetime) -> str:
    """Until when a webhook's key before signs too; "" where it does not."""
    is_webhook = held.kind == Channel.Kind.WEBHOOK
    until = keeping.former_key_until(held, now) if is_webhook else None
    return moment(until, now) if until else ""
