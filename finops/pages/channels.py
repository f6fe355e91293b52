"""Channels on the Settings desk: where alerts go, whether that works, and a test of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from finops.alerts import log, raise_to
from finops.alerts.routing import TOPICS
from finops.channels import keeping
from finops.channels.secrets import Unreadable
from finops.mail import Outbox
from finops.models import Alert, Channel, Recipient
from finops.pages.channel_forms import ChannelForm
from finops.pages.refusals import moment
from finops.pages.requester import signed_in
from finops.pages.settings.desk import act, context

TAB = "channels"
OUTBOX = f"{Outbox.__module__}.{Outbox.__qualname__}"
Kind = Channel.Kind
Why = Recipient.Why
KINDS = (
    (Kind.EMAIL, "E-mail", "to people and mailing lists, each with a link to unsubscribe"),
    (Kind.SLACK, "Slack", "to a channel of a workspace, by an incoming webhook"),
    (Kind.WEBHOOK, "Webhook", "signed JSON, to a program of yours"),
    (Kind.APPRISE, "Other service", "Teams, PagerDuty, Telegram and others, by apprise"),
)
VERBS = {
    "disable": (keeping.disable, "is disabled: what comes waits for three days at most."),
    "enable": (keeping.enable, "is enabled; what has waited is sent now."),
}


@never_cache
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = [row(each, now) for each in keeping.everything()]
    found = context(request, TAB, rows=rows, kinds=KINDS, notes=notes())
    return render(request, "channels/page.html", found)


def notes() -> list[str]:
    """What of the installation keeps messages from being of use."""
    found = []
    if settings.EMAIL_BACKEND == OUTBOX:
        found.append("No mail server is set: mails are written to files until EMAIL_URL names one.")
    if urlsplit(settings.PUBLIC_URL).hostname in {"127.0.0.1", "localhost", "::1"}:
        found.append(
            f"Links in messages lead to {settings.PUBLIC_URL}, which works on this machine alone. "
            "FARTHING_PUBLIC_URL names the address that people use."
        )
    return found


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("kind", Kind.EMAIL)
    if kind not in Kind.values:
        raise Http404("There is no such kind of channel.")
    form = ChannelForm(request.POST if request.method == "POST" else None, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            made, key = keeping.add(form.terms(), act(request, timezone.now()))
        except ValidationError as error:
            said(form, error)
        else:
            return added(request, made, key)
    found = context(request, TAB, form=form, title=f"Add a channel: {Kind(kind).label}")
    return render(request, "channels/form.html", found, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = found_channel(pk), timezone.now()
    initial = asdict(keeping.terms_of(held))
    form = ChannelForm(
        request.POST if request.method == "POST" else None,
        kind=held.kind, shown=held.shown, initial=initial,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            changed = keeping.change(held, form.terms(), act(request, now))
        except ValidationError as error:
            said(form, error)
        except Unreadable as error:
            form.add_error("address", str(error))
        else:
            text = f"{form.cleaned_data['name']} is changed." if changed else "Nothing was changed."
            messages.success(request, text)
            return redirect("channel", pk)
    tests = Alert.objects.filter(kind=Alert.Kind.TEST, deliveries__recipient__channel=held)
    found = context(
        request,
        TAB,
        form=form,
        row=row(held, now),
        waiting=waiting(held, now),
        mailboxes=[mailbox(each, now) for each in held.recipients.all() if each.address],
        is_webhook=held.kind == Kind.WEBHOOK,
        test=tests.order_by("-pk").first(),
    )
    return render(request, "channels/channel.html", found, status=400 if form.errors else 200)


@never_cache
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """By the same way as any alert, so that what arrives proves all of it."""
    held, user, now = found_channel(pk), signed_in(request), timezone.now()
    if held.disabled_at:
        messages.error(request, f"{held} is disabled. Enable it first.")
        return redirect("channel", pk)
    if not held.recipients.filter(stopped_at=None, is_owner=False).exists():
        messages.error(request, f"{held} has no address that could be sent to.")
        return redirect("channel", pk)
    alert = raise_to(
        held,
        key=f"test-{pk}-{uuid4().hex}",
        kind=Alert.Kind.TEST,
        severity=Alert.Severity.INFO,
        title=f"A test of the channel {held}",
        facts={"asked_for_by": user.get_username(), "meaning": "If you read this, it works."},
        now=now,
    )
    assert alert
    return redirect("alert", alert.pk)


@never_cache
@require_POST
def turn(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    held = found_channel(pk)
    if verb not in VERBS:
        raise Http404("There is no such act.")
    done, text = VERBS[verb]
    if done(held, act(request, timezone.now())):
        messages.success(request, f"{held} {text}")
    else:
        messages.info(request, "Nothing was changed: it is so already.")
    return redirect("channel", pk)


@never_cache
@require_POST
def renew_key(request: HttpRequest, pk: int) -> HttpResponse:
    held = found_channel(pk)
    if held.kind != Kind.WEBHOOK:
        raise Http404("Only webhooks have a key.")
    try:
        key = keeping.renew_key(held, act(request, timezone.now()))
    except Unreadable as error:
        messages.error(request, str(error))
        return redirect("channel", pk)
    return added(request, held, key)


@never_cache
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    held = found_channel(pk)
    if request.method == "POST":
        keeping.remove(held, act(request, timezone.now()))
        messages.success(request, f"{held} is removed and its address forgotten.")
        return redirect(TAB)
    return render(request, "channels/removal.html", context(request, TAB, channel=held))


def added(request: HttpRequest, made: Channel, key: str) -> HttpResponse:
    """A webhook's key is shown in this answer alone."""
    if not key:
        messages.success(request, f"{made} is added. Send a test to see that it works.")
        return redirect("channel", made.pk)
    return render(request, "channels/key.html", context(request, TAB, channel=made, key=key))


def said(form: ChannelForm, error: ValidationError) -> None:
    for field, texts in error.message_dict.items():
        form.add_error(field if field in form.fields else None, texts)


def found_channel(pk: int) -> Channel:
    try:
        return keeping.get(pk)
    except Channel.DoesNotExist:
        raise Http404("There is no such channel.") from None


def row(held: Channel, now: datetime) -> dict[str, Any]:
    stopped = [each for each in held.recipients.all() if each.stopped_why == Why.REFUSED]
    state, badge = "works", "ok"
    if held.disabled_at:
        state, badge = "disabled", "crit"
    elif held.last_error or stopped:
        state, badge = ("an address was refused" if stopped else "trying again"), "warn"
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
