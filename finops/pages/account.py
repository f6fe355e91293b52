"""One's own account: how one signs in, and where one is signed in now."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from finops import access, devices, formats
from finops.channels import personal
from finops.channels.personal import NoAddress
from finops.periods import local_day


@never_cache
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    held = access.standing(user)
    return render(
        request,
        "account/page.html",
        {
            "section": "account",
            "role": held.role,
            "teams": None if held.teams is None else sorted(held.teams),
            "may_have_summary": held.may(access.Ability.SEE_COSTS),
            "wants_summary": personal.wants_summary(user),
            "summary_waits": summary_waits(user),
            "sessions": [shown(each) for each in sessions_of(user)],
            **factors_of(user),
        },
    )


def summary_waits(user: User) -> str:
    now, zone = timezone.now(), settings.REPORTING_ZONE
    until = personal.summary_waits(user, now)
    return formats.moment(until, zone, local_day(now, zone)) if until else ""


def factors_of(user: User) -> dict[str, Any]:
    """The second factors that `user` has set up."""
    held = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = [each for each in held if each.type == Authenticator.Type.RECOVERY_CODES]
    return {
        "app": next((each for each in held if each.type == Authenticator.Type.TOTP), None),
        "passkeys": [each.wrap() for each in held if each.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else None,
    }


def sessions_of(user: User) -> list[UserSession]:
    """Those that are open, the one used last first."""
    found = UserSession.objects.purge_and_list(user)
    return sorted(found, key=lambda each: each.last_seen_at, reverse=True)


def shown(session: UserSession) -> dict[str, Any]:
    zone = settings.REPORTING_ZONE
    today = local_day(timezone.now(), zone)
    return {
        "id": session.pk,
        "device": devices.described(session.user_agent),
        "address": session.ip,
        "is_current": session.is_current(),
        "began": formats.moment(session.created_at, zone, today),
        "seen": formats.moment(session.last_seen_at, zone, today),
    }


@require_POST
def summary(request: HttpRequest) -> HttpResponse:
    """`wanted` is yes or no."""
    assert isinstance(request.user, User)
    wanted = request.POST.get("wanted") == "yes"
    try:
        personal.want_summary(request.user, wanted, now=timezone.now())
    except NoAddress as error:
        messages.error(request, str(error))
    else:
        said = (
            "It comes on Mondays from now on." if wanted else "No more summaries are sent to you."
        )
        messages.success(request, said)
    return redirect("account")


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    if session.is_current():
        messages.error(request, "This is the session you are in. Sign out to end it.")
    else:
        session.end()
        messages.success(request, "The session was ended.")
    return redirect("account")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    for session in sessions_of(request.user):
        if not session.is_current():
            session.end()
    messages.success(request, "Every other session was ended.")
    return redirect("account")
