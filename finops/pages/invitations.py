"""Invitations: sent and withdrawn by administrators, accepted by whom they are for."""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from finops import invitations, teams
from finops.mail import has_server
from finops.models import Invitation, Role
from finops.pages.people import ROLES, moment
from finops.pages.requester import address_of, signed_in

log = logging.getLogger(__name__)

IN_TEAMS = {Role.ENGINEER: "an engineer", Role.VIEWER: "a viewer"}
MOST_WRONG_LINKS, WITHIN_SECONDS = 20, 900


class InvitationForm(forms.Form):
    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField(
        choices=[(role.value, text) for role, text in ROLES.items()], initial=Role.ENGINEER.value
    )
    teams = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Engineers and viewers see only the usage of their teams. A team that is only "
        "in events is made by that.",
    )
    teamless = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teams"].choices = teams.choices()  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Asks once more before somebody is invited who would see nothing."""
        role, chosen = self.cleaned_data.get("role"), self.cleaned_data.get("teams")
        if chosen or role not in IN_TEAMS or self.cleaned_data.get("teamless") or self.errors:
            return
        self.add_error(
            "teams",
            f"Without a team {IN_TEAMS[Role(role)]} sees nothing. Choose one, or press Invite "
            "again to put them into a team later.",
        )
        # What it is filled with next time.
        self.data = {**dict(self.data.items()), "teamless": "on"}


class JoinForm(forms.Form):
    username = forms.CharField(
        max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, nothing common, nothing like your name.",
    )
    again = forms.CharField(
        label="Password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> None:
        password, again = (self.cleaned_data.get(name) for name in ("password", "again"))
        if password and again and password != again:
            self.add_error("again", "The two passwords are not the same.")


@dataclass(frozen=True, slots=True)
class Line:
    invitation: Invitation
    role: str
    teams: str
    state: str
    is_over: bool


@never_cache
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made, token = invited(request, form, now)
        except ValidationError as error:
            form.add_error(None, error)
        except invitations.TooMany as error:
            form.add_error(None, str(error))
        else:
            return show_link(request, made, token)
    context = {
        "section": "people",
        "tab": "invitations",
        "lines": [line(each, now) for each in invitations.everything()],
        "form": form,
    }
    return render(request, "people/invitations.html", context, status=400 if form.errors else 200)


def invited(request: HttpRequest, form: InvitationForm, now: datetime) -> tuple[Invitation, str]:
    """With teams that had to be made for it; neither, where it is refused."""
    by, address, chosen = signed_in(request), address_of(request), form.cleaned_data
    with transaction.atomic():
        held = teams.of_names(chosen["teams"], by=by, at=now, address=address)
        role = Role(chosen["role"])
        return invitations.invite(chosen["email"], role, held, by=by, at=now, address=address)


def line(each: Invitation, now: datetime) -> Line:
    state = f"open until {moment(each.expires_at, now)}"
    if each.accepted_at:
        state = f"accepted {moment(each.accepted_at, now)}"
    elif each.revoked_at:
        state = f"withdrawn {moment(each.revoked_at, now)}"
    elif each.expires_at <= now:
        state = f"expired {moment(each.expires_at, now)}"
    names = ", ".join(sorted(team.name for team in each.teams.all()))
    is_over = bool(each.accepted_at or each.revoked_at)
    return Line(each, Role(each.role).label, names, state, is_over)


@never_cache
@require_POST
def again(request: HttpRequest, number: int) -> HttpResponse:
    by, now = signed_in(request), timezone.now()
    try:
        held, token = invitations.renew(number, by=by, at=now, address=address_of(request))
    except Invitation.DoesNotExist:
        raise Http404 from None
    except (invitations.LinkRefused, invitations.TooMany) as error:
        messages.error(request, str(error))
        return redirect("invitations")
    return show_link(request, held, token)


def show_link(request: HttpRequest, held: Invitation, token: str) -> HttpResponse:
    """Mails the link and shows it, this once: it is kept nowhere, so there is nowhere to redirect
    to. Sending the form again by reloading is refused: the invitation is there."""
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    context = {
        "section": "people",
        "tab": "invitations",
        "invitation": held,
        "link": link,
        "is_sent": is_sent(held, link),
        "has_server": has_server(),
        "outbox": settings.OUTBOX_DIR,
    }
    return render(request, "people/invited.html", context)


def is_sent(held: Invitation, link: str) -> bool:
    text = render_to_string("people/invitation_mail.txt", {"invitation": held, "link": link})
    try:
        return bool(send_mail("Farthing: you are invited", text, None, [held.email]))
    except (OSError, smtplib.SMTPException) as error:
        log.error("The invitation was not mailed, see EMAIL_URL: %s", error)
        return False


@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Asks before it ends a link."""
    held = Invitation.objects.filter(pk=number).first()
    if held is None:
        raise Http404
    if request.method == "POST":
        by, now = signed_in(request), timezone.now()
        try:
            invitations.revoke(number, by=by, at=now, address=address_of(request))
            messages.success(request, f"The invitation of {held.email} is withdrawn.")
        except invitations.LinkRefused as error:
            messages.error(request, str(error))
        return redirect("invitations")
    context = {"section": "people", "tab": "invitations", "invitation": held}
    return render(request, "people/withdraw.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link leads: whoever holds it chooses a name and a password and is signed in."""
    now, address = timezone.now(), address_of(request)
    misses = f"invitation-misses:{address}"
    if cache.get(misses, 0) >= MOST_WRONG_LINKS:
        return render(request, "people/link_refused.html", {"message": WAIT}, status=429)
    form = JoinForm(request.POST if request.method == "POST" else None)
    try:
        held = invitations.find(token, now)
        if request.method == "POST" and form.is_valid():
            chosen = form.cleaned_data
            user = invitations.accept(
                token, chosen["username"], chosen["password"], at=now, address=address
            )
            login(request, user)
            return redirect("overview")
    except invitations.LinkRefused as error:
        # Not incr: that keeps a count for as long as caches do by default.
        cache.set(misses, cache.get(misses, 0) + 1, WITHIN_SECONDS)
        return render(request, "people/link_refused.html", {"message": str(error)}, status=404)
    except ValidationError as error:
        for field, texts in error.message_dict.items():
            form.add_error(field if field in form.fields else None, texts)
    context = {"form": form, "invitation": held, "role": Role(held.role).label}
    return render(request, "people/join.html", context, status=400 if form.errors else 200)


WAIT = "Too many wrong links came from this address. Wait a quarter of an hour, then try again."
