"""Channels on the Settings desk: where alerts go, whether that works, and a test of it."""

from __future__ import annotations

from dataclasses import asdict
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

from finops.alerts import raise_to
from finops.channels import keeping
from finops.channels.secrets import Unreadable
from finops.mail import has_server
from finops.models import Alert, Channel
from finops.pages.channel_forms import ChannelForm, KeyForm
from finops.pages.channel_rows import former_until, mailbox, row, waiting
from finops.pages.requester import signed_in
from finops.pages.settings.desk import act, context

TAB = "channels"
Kind = Channel.Kind
KINDS = (
    (Kind.EMAIL, "E-mail", "to people and mailing lists, each with a link to unsubscribe"),
    (Kind.SLACK, "Slack", "to a channel of a workspace, by an incoming webhook"),
    (Kind.WEBHOOK, "Webhook", "signed JSON, to a program of yours"),
    (Kind.APPRISE, "Other service", "Teams, PagerDuty, Telegram and others, by apprise"),
)
VERBS = {
    "disable": (keeping.disable, "is disabled: what comes waits for three days at most."),
    "enable": (keeping.enable, "is enabled; what has waited is sent now."),
    "end-former-key": (keeping.end_former_key, "is signed with the newest key alone from now on."),
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
    if not has_server():
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
        former_until=former_until(held, now),
        test=tests.order_by("-pk").first(),
    )
    return render(request, "channels/channel.html", found, status=400 if form.errors else 200)


@never_cache
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """By the same way as any alert, so that what arrives proves all of it."""
    held, user, now = found_channel(pk), signed_in(request), timezone.now()
    if held.disabled_at:
        messages.error(request, f"{held} is {keeping.word_of(held)}. Enable it first.")
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
    try:
        is_done = done(held, act(request, timezone.now()))
    except Unreadable as error:
        messages.error(request, str(error))
        return redirect("channel", pk)
    if is_done:
        messages.success(request, f"{held} {text}")
    else:
        messages.info(request, "Nothing was changed: it is so already.")
    return redirect("channel", pk)


@never_cache
@require_http_methods(["GET", "POST"])
def renew_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first: who verifies with the key before has to change it."""
    held, now = found_channel(pk), timezone.now()
    if held.kind != Kind.WEBHOOK:
        raise Http404("Only webhooks have a key.")
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            key = keeping.renew_key(held, act(request, now), form.overlap())
        except Unreadable as error:
            messages.error(request, str(error))
            return redirect("channel", pk)
        return added(request, found_channel(pk), key)
    found = context(request, TAB, channel=held, form=form)
    return render(request, "channels/renewal.html", found, status=400 if form.errors else 200)


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
    until = former_until(made, timezone.now())
    found = context(request, TAB, channel=made, key=key, former_until=until)
    return render(request, "channels/key.html", found)


def said(form: ChannelForm, error: ValidationError) -> None:
    for field, texts in error.message_dict.items():
        form.add_error(field if field in form.fields else None, texts)


def found_channel(pk: int) -> Channel:
    try:
        return keeping.get(pk)
    except Channel.DoesNotExist:
        raise Http404("There is no such channel.") from None
