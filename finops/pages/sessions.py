"""How long sessions last, and which of them there are."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from finops import access, devices
from finops.access import Ability

BEGAN, SEEN = "began", "seen"  # seconds since 1970, in the session
# Written at most so often, or every request would write to the database.
SEEN_EVERY_SECONDS = 300


class SessionMiddleware:
    """Ends sessions that are too old, remembers those in use, and the devices that they are on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        now = timezone.now().timestamp()
        if request.user.is_authenticated:
            if now - request.session.get(BEGAN, now) > settings.SESSION_LASTS_SECONDS:
                logout(request)
            elif now - request.session.get(SEEN, 0) > SEEN_EVERY_SECONDS:
                see(request, now)
        response = self.get_response(request)
        if request.user.is_authenticated and BEGAN not in request.session:
            see(request, now)
            remember_device(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Where a second factor is required, there is nothing to see before one is set up."""
        if not settings.REQUIRE_SECOND_FACTOR or not request.user.is_authenticated:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        rule = access.RULES.get(name)
        if rule is None or not isinstance(rule.read, Ability) or has_second_factor(request):
            return None
        messages.warning(request, "Farthing asks everybody for a second factor. Set one up here.")
        return redirect("account")


def has_second_factor(request: HttpRequest) -> bool:
    """The provider of single sign-on asks for its own."""
    methods = request.session.get("account_authentication_methods", [])
    by_provider = any(each.get("method") == "socialaccount" for each in methods)
    return by_provider or is_mfa_enabled(request.user)


def see(request: HttpRequest, now: float) -> None:
    request.session.setdefault(BEGAN, now)
    request.session[SEEN] = now
    UserSession.objects.create_from_request(request)


def remember_device(request: HttpRequest, response: HttpResponseBase) -> None:
    assert request.user.pk is not None
    device = devices.read(request.COOKIES.get(devices.COOKIE)).with_user(request.user.pk)
    response.set_cookie(
        devices.COOKIE,
        device.cookie(),
        max_age=devices.LASTS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
