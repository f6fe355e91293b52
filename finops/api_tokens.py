"""API tokens: what a script shows to read costs with the rights of its user."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Q, QuerySet

from finops import access, audit
from finops.access import Ability, Reader
from finops.models import ApiToken

PREFIX = "ft_"
LONGEST_NAME = 200
# When a token was last used is worth a write a minute, not one per request.
USED_EVERY = timedelta(minutes=1)


def create_token(
    user: User,
    *,
    now: datetime,
    by: Reader | str,
    name: str = "",
    expires_at: datetime | None = None,
    address: str = "",
) -> str:
    """A new token of the user: the only time its text is known to anybody.

    ValueError for a name that is too long, or an end that has passed.
    """
    name = name.strip()
    if len(name) > LONGEST_NAME:
        raise ValueError(f"Write at most {LONGEST_NAME} characters.")
    if expires_at and expires_at <= now:
        raise ValueError("Choose a moment that is still to come.")
    prefix = PREFIX + secrets.token_hex(4)
    text = f"{prefix}_{secrets.token_urlsafe(30)}"
    with transaction.atomic():
        token = ApiToken.objects.create(
            prefix=prefix, digest=digest_of(text), user=user, name=name, expires_at=expires_at
        )
        ends = expires_at.isoformat() if expires_at else None
        audit.record(
            "token.create",
            subject(token),
            at=now,
            by=by,
            after={"name": name, "expires_at": ends},
            address=address,
        )
    return text


def reachable(by: Reader | str) -> QuerySet[ApiToken]:
    """The tokens that `by` may see and revoke: their own, and an administrator everybody's.

    A program of whoever holds the machine reaches all.
    """
    tokens = ApiToken.objects.select_related("user")
    if isinstance(by, str) or access.standing(by).may(Ability.MANAGE_PEOPLE):
        return tokens
    if isinstance(by, AnonymousUser) or not access.standing(by).may(Ability.MAKE_TOKENS):
        return tokens.none()
    return tokens.filter(user=by.pk)


def revoke_token(prefix: str, *, by: Reader | str, now: datetime, address: str = "") -> bool:
    """End the token, at once; False where it was revoked already.

    ApiToken.DoesNotExist for one out of reach, whether there is one or not.
    """
    with transaction.atomic():
        token = reachable(by).select_for_update(of=("self",)).get(prefix=prefix)
        if token.revoked_at:
            return False
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        audit.record_revocation("token.revoke", subject(token), at=now, by=by, address=address)
    return True


def subject(token: ApiToken) -> str:
    """What the audit log calls a token."""
    return f"{token.prefix} (of {token.user.get_username()})"


def is_over(token: ApiToken, now: datetime) -> bool:
    ended = token.expires_at is not None and token.expires_at <= now
    return ended or token.revoked_at is not None or not token.user.is_active


def digest_of(text: str) -> bytes:
    """Tokens are random and long: a fast digest without salt keeps them as well as a slow one."""
    return sha256(text.encode()).digest()


def find_token(text: str, now: datetime) -> ApiToken | None:
    """The token, unless it is over or its user is gone; notes that it is used."""
    is_lasting = Q(expires_at=None) | Q(expires_at__gt=now)
    token = (
        ApiToken.objects.select_related("user")
        .filter(is_lasting, digest=digest_of(text), revoked_at=None, user__is_active=True)
        .first()
    )
    if token:
        is_due = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
        ApiToken.objects.filter(is_due, pk=token.pk).update(last_used_at=now)
    return token
