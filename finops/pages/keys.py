"""The Keys desk: ingest keys of the teams that its reader sees, and API tokens beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from finops import access, ingest_keys
from finops.access import Ability, Reader
from finops.formats import count_long, moment
from finops.ingest_keys import Refused, State
from finops.models import IngestKey, Team
from finops.pages.key_forms import KeyForm, RevokeForm, RotateForm
from finops.pages.tokens import token_rows

ENDED_SHOWN = 50


class Row(NamedTuple):
    """One key, in words."""

    prefix: str
    name: str
    service: str
    team: str
    environment: str
    made: str
    used: str
    limits: str
    refused: str
    state: State
    when: str  # the state is since, or ends

    @property
    def can_rotate(self) -> bool:
        return self.state is State.IN_USE


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    found = access.standing(request.user)
    rows = _rows(request.user, now)
    tokens = token_rows(request.user, now)
    context = {
        "section": "keys",
        "may_manage": found.may(Ability.MANAGE_KEYS),
        "is_without_team": found.teams is not None and not found.teams,
        "rows": [row for row in rows if not row.state.is_over],
        "ended": [row for row in rows if row.state.is_over][:ENDED_SHOWN],
        "tokens": [token for token in tokens if not token.is_over],
        "ended_tokens": [token for token in tokens if token.is_over][:ENDED_SHOWN],
        "sees_all_tokens": found.may(Ability.MANAGE_PEOPLE),
    }
    return render(request, "keys/page.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = KeyForm(_sent(request), reader=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made = ingest_keys.make(form.terms(), **_act(request))
            return _shown(request, made)
        except Refused as error:
            _blame(form, error)
    context = {"title": "Make an ingest key", "submit": "Make the key"}
    return _form(request, form, context)


@never_cache
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, prefix: str) -> HttpResponse:
    found = _find(request, prefix)
    if request.method == "GET" and (why := ingest_keys.why_not(found, timezone.now())):
        return _over(request, f"Change {prefix}", found, why)
    initial = ingest_keys.terms_of(found)._asdict()
    form = KeyForm(_sent(request), initial=initial, reader=request.user, is_made=True)
    if request.method == "POST" and form.is_valid():
        try:
            ingest_keys.change(prefix, form.terms(), **_act(request))
            messages.success(request, f"{prefix} is changed. Its limits hold within 5 seconds.")
            return redirect("keys")
        except Refused as error:
            _blame(form, error)
    return _form(request, form, {"title": f"Change {prefix}", "submit": "Save", "key": found})


@never_cache
@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest, prefix: str) -> HttpResponse:
    found = _find(request, prefix)
    now = timezone.now()
    why = ingest_keys.why_not(found, now, rotate=True)
    if request.method == "GET" and why:
        return _over(request, f"Rotate {prefix}", found, why)
    form = RotateForm(_sent(request), now=now)
    if request.method == "POST" and form.is_valid():
        try:
            made = ingest_keys.rotate(prefix, form.cleaned_data["until"], **_act(request))
            until = moment(form.cleaned_data["until"], settings.REPORTING_ZONE, now.date())
            return _shown(request, made, f"{prefix} works until {until} and then stops by itself.")
        except Refused as error:
            _blame(form, error)
    context = {
        "title": f"Rotate {prefix}",
        "submit": "Make the new key",
        "key": found,
        "text": "Makes a new key on the same terms. Both work until the moment below, and an event "
        "sent with both counts once. Where the old key leaked, revoke it instead.",
    }
    return _form(request, form, context)


@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    found = _find(request, prefix)
    if request.method == "GET" and found.revoked_at:
        return _over(request, f"Revoke {prefix}?", found, f"{prefix} is revoked already.")
    form = RevokeForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if ingest_keys.revoke(prefix, reason=reason, **_act(request)):
            messages.success(request, f"{prefix} is revoked and refused within 5 seconds.")
        else:
            messages.info(request, f"{prefix} was revoked already.")
        return redirect("keys")
    used = _when(found.last_used_at, timezone.now())
    context = {
        "title": f"Revoke {prefix}?",
        "submit": "Revoke this key",
        "is_destructive": True,
        "key": found,
        "text": f"Whatever still sends with it is refused within 5 seconds, for good. Its last "
        f"use: {used}. What it has sent stays.",
    }
    return _form(request, form, context)


def _over(request: HttpRequest, title: str, key: IngestKey, why: str) -> HttpResponse:
    """Instead of a form that could only be refused."""
    return render(
        request, "keys/over.html", {"section": "keys", "title": title, "key": key, "why": why}
    )


def _find(request: HttpRequest, prefix: str) -> IngestKey:
    try:
        return ingest_keys.reachable(request.user).get(prefix=prefix)
    except IngestKey.DoesNotExist:
        raise Http404("There is no such key, or it is another team's.") from None


def _sent(request: HttpRequest) -> QueryDict | None:
    """What a form was filled with; of a form whose fields may all be empty, that may be nothing."""
    return request.POST if request.method == "POST" else None


def _act(request: HttpRequest) -> dict[str, Any]:
    """Who does it, when, and from where."""
    address = request.META.get("REMOTE_ADDR", "")
    return {"by": request.user, "now": timezone.now(), "address": address}


def _blame(form: forms.Form, error: Refused) -> None:
    """Say what was refused beside its field."""
    form.add_error(error.field or None, error.message[:1].upper() + error.message[1:])


def _form(request: HttpRequest, form: forms.Form, context: Mapping[str, Any]) -> HttpResponse:
    teams = Team.objects.none()
    if access.standing(request.user).teams is None:
        teams = Team.objects.order_by("name")
    given = {"section": "keys", "form": form, "teams": teams, **context}
    return render(request, "keys/form.html", given, status=400 if form.errors else 200)


def _shown(request: HttpRequest, made: ingest_keys.NewKey, note: str = "") -> HttpResponse:
    """The only time that a key is shown: in this answer, and nowhere that would keep it."""
    origin = request.build_absolute_uri("/api/v1/events")
    sent = (
        f'{{"id": "first-event", "timestamp": "{timezone.now():%Y-%m-%dT%H:%M:%SZ}",\n'
        '       "provider": "openai", "model": "gpt-4o-mini",\n'
        '       "input_tokens": 1200, "output_tokens": 300}'
    )
    context = {
        "section": "keys",
        "title": f"{made.key.prefix} is made",
        "kind": "key",
        "text": made.text,
        "note": note,
        "command": f'curl {origin} \\\n  -H "Authorization: Bearer {made.text}" \\\n'
        f"  -H \"Content-Type: application/json\" \\\n  -d '{sent}'",
        "use": "Send a first event with it:",
    }
    return render(request, "keys/made.html", context)


def _rows(reader: Reader, now: datetime) -> list[Row]:
    keys = list(ingest_keys.reachable(reader).select_related("created_by").order_by("-pk"))
    refused = ingest_keys.refused_requests(keys, now)
    return [_row(key, refused.get(key.pk, 0), now) for key in keys]


def _row(key: IngestKey, refused: int, now: datetime) -> Row:
    limits = ((key.events_per_minute, "a minute"), (key.events_per_day, "a day"))
    maker = key.created_by.get_username() if key.created_by else "command line"
    return Row(
        prefix=key.prefix,
        name=key.name,
        service=key.service,
        team=key.team,
        environment=key.environment,
        made=f"{_when(key.created_at, now)} by {maker}",
        used=_when(key.last_used_at, now),
        limits=", ".join(f"{count_long(most)} {span}" for most, span in limits if most),
        refused=count_long(refused) if refused else "",
        state=ingest_keys.state(key, now),
        when=_state_since(key, now),
    )


def _state_since(key: IngestKey, now: datetime) -> str:
    if key.revoked_at:
        return _when(key.revoked_at, now)
    if key.stops_at:
        return f"{'until ' if key.stops_at > now else ''}{_when(key.stops_at, now)}"
    return ""


def _when(at: datetime | None, now: datetime) -> str:
    return moment(at, settings.REPORTING_ZONE, now.date()) if at else "never"
