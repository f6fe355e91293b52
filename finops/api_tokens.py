"""API tokens: what a script shows to read costs with the rights of its user."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db.models import Q

from finops.models import ApiToken

PREFIX = "ft_"
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
