"""API tokens: what a script shows to read costs with the rights of its user."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from finops.models import ApiToken

PREFIX = "ft_"
SCHEME = "Bearer"
# When a token was last used is worth a write a minute, not one per request.
USED_EVERY = timedelta(minutes=1)


def create_token(user: User) -> str:
    """A new token of the user: the only time its text is known to anybody."""
    name = PREFIX + secrets.token_hex(4)
    text = f"{name}_{secrets.token_urlsafe(30)}"
    ApiToken.objects.create(prefix=name, digest=digest_of(text), user=user)
    return text


def digest_of(text: str) -> bytes:
    """Tokens are random and long: a fast digest without salt keeps them as well as a slow one."""
    return sha256(text.encode()).digest()


def find_token(text: str, now: datetime) -> ApiToken | None:
    """The token, unless it is revoked or its user is gone; notes that it is used."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest_of(text), revoked_at=None, user__is_active=True)
        .first()
    )
    if token:
        is_due = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
        ApiToken.objects.filter(is_due, pk=token.pk).update(last_used_at=now)
    return token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <api token>`, checked against the database on every request."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        token = find_token(text.strip(), timezone.now())
        if token is None:
            raise AuthenticationFailed("The API token is unknown or revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="farthing"'


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "apiToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, made by `manage.py create_api_token USERNAME`.",
        }
