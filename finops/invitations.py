"""Invitations: a link that lets one person make their own account, once and for a week."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from finops import accounts, audit, locks
from finops.locks import Lock
from finops.models import Account, Invitation, Role, Team, TeamMember

LASTS = timedelta(days=7)
# Each link may be mailed: nobody's mailbox is filled by a mistake, or by a stolen session.
MOST_PER_HOUR = 50
NOT_BEFORE = timedelta(minutes=1)


class LinkRefused(ValueError):
    """Why a link does not work, and what to do."""


class TooMany(ValueError):
    """No link is made now; says when one can be."""


def everything() -> list[Invitation]:
    found = Invitation.objects.select_related("created_by").prefetch_related("teams")
    return list(found.order_by("-sent_at", "-id"))


def invite(
    email: str, role: Role, teams: Iterable[Team], *, by: User, at: datetime, address: str = ""
) -> tuple[Invitation, str]:
    """A new invitation and its token: the only time its text is known to anybody but the invited.

    Raises ValidationError for the field "email", and TooMany.
    """
    email = User.objects.normalize_email(email.strip())
    with transaction.atomic():
        # Two who invite one person at once: the second waits here and then finds the first.
        locks.hold(Lock.NAMES)
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError({"email": "Somebody with this e-mail address has an account."})
        if _open(at).filter(email__iexact=email).exists():
            raise ValidationError({"email": "There is an open invitation. Send it again instead."})
        _refuse_flood(at)
        token = secrets.token_urlsafe(32)
        made = Invitation.objects.create(
            email=email,
            role=role,
            digest=_digest(token),
            created_by=by,
            sent_at=at,
            expires_at=at + LASTS,
        )
        made.teams.set(teams)
        _record("person.invite", made, by, at, address)
    return made, token


def renew(number: int, *, by: User, at: datetime, address: str = "") -> tuple[Invitation, str]:
    """A new link that holds for another week; the one before ends.

    Raises Invitation.DoesNotExist, LinkRefused where it was accepted or revoked, and TooMany.
    """
    with transaction.atomic():
        held = Invitation.objects.select_for_update().get(pk=number)
        if held.accepted_at or held.revoked_at:
            raise LinkRefused("This invitation is over. Write a new one.")
        if at < held.sent_at + NOT_BEFORE:
            raise TooMany("A link was made less than a minute ago. Wait a minute.")
        _refuse_flood(at)
        token = secrets.token_urlsafe(32)
        held.digest, held.sent_at, held.expires_at = _digest(token), at, at + LASTS
        held.save()
        _record("person.invite-again", held, by, at, address)
    return held, token


def revoke(number: int, *, by: User, at: datetime, address: str = "") -> Invitation:
    """Raises Invitation.DoesNotExist, and LinkRefused where it was accepted already."""
    with transaction.atomic():
        held = Invitation.objects.select_for_update().get(pk=number)
        if held.accepted_at:
            raise LinkRefused("It was accepted already: deactivate the person instead.")
        if not held.revoked_at:
            held.revoked_at = at
            held.save()
            _record("person.invite-revoke", held, by, at, address)
    return held


def find(token: str, at: datetime) -> Invitation:
    """The invitation that the link is for. Raises LinkRefused."""
    held = Invitation.objects.filter(digest=_digest(token)).first()
    if held is None:
        raise LinkRefused(
            "This link is not known. Copy all of it from the newest mail, or ask an administrator "
            "to send the invitation again."
        )
    if held.accepted_at:
        raise LinkRefused("This invitation has been used. Sign in with the name you chose.")
    if held.revoked_at:
        raise LinkRefused("This invitation was withdrawn. Ask an administrator for a new one.")
    if at >= held.expires_at:
        raise LinkRefused(
            "This invitation has expired. Ask an administrator to send it again: a link holds for "
            "7 days."
        )
    return held


def accept(token: str, username: str, password: str, *, at: datetime, address: str = "") -> User:
    """Make the account. Raises LinkRefused, and ValidationError by field as create_person does."""
    with transaction.atomic():
        # First, as in single sign-on: two that wait for each other would both fail.
        locks.hold(Lock.NAMES)
        # Two browsers with one link: the second waits here and then finds it used.
        Invitation.objects.select_for_update().filter(digest=_digest(token)).first()
        held = find(token, at)
        role = Role(held.role)
        user = accounts.create_person(username, held.email, password, role, held.teams.all())
        held.accepted_at = at
        held.save()
        _record("person.join", held, user, at, address)
    return user


def take_up(user: User, emails: Iterable[str], *, at: datetime, address: str = "") -> bool:
    """Give a new user the role and teams of the open invitation of one of these addresses, which
    somebody vouches for as theirs; whether there was one. It is used by that."""
    with transaction.atomic():
        held = (
            _open(at)
            .annotate(lower=Lower("email"))
            .filter(lower__in=[each.lower() for each in emails])
            .select_for_update()
            .order_by("-sent_at", "-id")
            .first()
        )
        if held is None:
            return False
        Account.objects.create(user=user, role=held.role)
        teams = held.teams.all()
        TeamMember.objects.bulk_create(TeamMember(team=team, user=user) for team in teams)
        held.accepted_at = at
        held.save()
        _record("person.join", held, user, at, address)
    return True


def _open(at: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=at)


def _refuse_flood(at: datetime) -> None:
    recent = Invitation.objects.filter(sent_at__gt=at - timedelta(hours=1)).count()
    if recent >= MOST_PER_HOUR:
        raise TooMany(f"{MOST_PER_HOUR} links were made within an hour. Wait, then go on.")


def _digest(token: str) -> bytes:
    """Tokens are random and long: a fast digest without salt keeps them as well as a slow one."""
    return sha256(token.encode(errors="replace")).digest()


def _record(action: str, held: Invitation, by: User, at: datetime, address: str) -> None:
    teams = sorted(each.name for each in held.teams.all())
    after = {"role": held.role, "teams": teams}
    audit.record(action, held.email, at=at, by=by, after=after, address=address)
