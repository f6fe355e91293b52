"""API tokens on the Keys desk: everybody's own, and for an administrator those of all."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import api_tokens
from finops.access import Reader
from finops.formats import moment
from finops.models import ApiToken


class TokenForm(forms.Form):
    name = forms.CharField(
        required=False,
        max_length=api_tokens.LONGEST_NAME,
        help_text="What it is for: the script or the spreadsheet that will use it.",
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Empty for a token that works until it is revoked.",
        error_messages={"invalid": "Write a date and a time, such as 2026-10-31 18:00."},
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        zone = now.astimezone(settings.REPORTING_ZONE)
        self.fields["expires_at"].label = f"Works until ({zone:%Z})"

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= self.now:
            raise forms.ValidationError("Choose a moment that is still to come.")
        return expires_at


class TokenRow(NamedTuple):
    """One token, in words."""

    prefix: str
    name: str
    user: str
    made: str
    used: str
    state: str
    is_over: bool


def token_rows(reader: Reader, now: datetime) -> list[TokenRow]:
    return [_row(token, now) for token in api_tokens.reachable(reader).order_by("-pk")]


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = TokenForm(request.POST if request.method == "POST" else None, now=now)
    if request.method == "POST" and form.is_valid():
        text = api_tokens.create_token(
            cast(User, request.user), now=now, by=request.user, address=_address(request),
            **form.cleaned_data,
        )  # fmt: skip
        return _shown(request, text)
    context = {
        "section": "keys",
        "form": form,
        "title": "Make an API token",
        "submit": "Make the token",
        "text": "A token reads what you may see, in your name, and loses with you what you lose.",
    }
    return render(request, "keys/form.html", context, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    now = timezone.now()
    try:
        token = api_tokens.reachable(request.user).get(prefix=prefix)
    except ApiToken.DoesNotExist:
        raise Http404("There is no such token, or it is somebody else's.") from None
    if request.method == "POST":
        if api_tokens.revoke_token(prefix, by=request.user, now=now, address=_address(request)):
            messages.success(request, f"{prefix} is revoked and refused from now on.")
        else:
            messages.info(request, f"{prefix} was revoked already.")
        return redirect("keys")
    context = {
        "section": "keys",
        "title": f"Revoke {prefix}?",
        "submit": "Revoke this token",
        "is_destructive": True,
        "text": f"Whatever still asks with it is refused at once, for good. It is a token of "
        f"{token.user.get_username()}, last used: {_when(token.last_used_at, now)}.",
    }
    return render(request, "keys/form.html", context)


def _shown(request: HttpRequest, text: str) -> HttpResponse:
    """The only time that a token is shown: in this answer, and nowhere that would keep it."""
    address = request.build_absolute_uri("/api/v1/costs")
    context = {
        "section": "keys",
        "title": f"{'_'.join(text.split('_')[:2])} is made",
        "kind": "token",
        "text": text,
        "command": f'curl -G {address} \\\n  -H "Authorization: Bearer {text}" \\\n'
        "  -d period=7d -d group_by=team",
        "use": "Ask what the last week cost:",
    }
    return render(request, "keys/made.html", context)


def _row(token: ApiToken, now: datetime) -> TokenRow:
    return TokenRow(
        prefix=token.prefix,
        name=token.name,
        user=token.user.get_username(),
        made=_when(token.created_at, now),
        used=_when(token.last_used_at, now),
        state=_state(token, now),
        is_over=api_tokens.is_over(token, now),
    )


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at:
        return f"Revoked {_when(token.revoked_at, now)}"
    if not token.user.is_active:
        return "Its user is not active"
    if token.expires_at:
        return f"{'Until' if token.expires_at > now else 'Ended'} {_when(token.expires_at, now)}"
    return "In use"


def _when(at: datetime | None, now: datetime) -> str:
    return moment(at, settings.REPORTING_ZONE, now.date()) if at else "never"


def _address(request: HttpRequest) -> str:
    address: str = request.META.get("REMOTE_ADDR", "")
    return address
