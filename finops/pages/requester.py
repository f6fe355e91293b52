"""Who asks, for what is written down of an act."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest


def signed_in(request: HttpRequest) -> User:
    """The gate lets nobody else through to pages that need an ability."""
    assert isinstance(request.user, User)
    return request.user


def address_of(request: HttpRequest) -> str:
    """The client's, as the proxy in front has told it."""
    return str(request.META.get("REMOTE_ADDR") or "")[:64]
