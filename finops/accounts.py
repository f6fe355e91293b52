"""Accounts: who has one, and that there is exactly one first one, the administrator's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from finops import locks
from finops.locks import Lock
from finops.models import Account, Role, Team, TeamMember

# Who is in several groups of the identity provider gets the first of these.
RANKS = (Role.ADMINISTRATOR, Role.FINANCE, Role.ENGINEER, Role.VIEWER)


def is_set_up() -> bool:
    return User.objects.exists()


def create_administrator(user: User) -> bool:
    """Save `user` as the administrator; False where somebody has an account already."""
    with transaction.atomic():
        # Two first visitors at once: the second waits here and then finds the first.
        locks.hold(Lock.SETUP)
        if is_set_up():
            return False
        user.is_staff = user.is_superuser = True
        user.save()
        Account.objects.create(user=user, role=Role.ADMINISTRATOR)
        return True


def create_person(
    username: str, email: str, password: str | None, role: Role, teams: Iterable[Team] = ()
) -> User:
    """A new person with a role in teams. `email` is known to be theirs: they were invited by it.

    Without a password they sign in by single sign-on only. Raises ValidationError, whose
    `message_dict` says for "username", "email" or "password" what is wrong with it.
    """
    username = User.normalize_username(username.strip())
    user = User(username=username, email=User.objects.normalize_email(email.strip()))
    with transaction.atomic():
        # Two who choose one name at once: the second waits here and then finds it taken.
        locks.hold(Lock.NAMES)
        wrong = _wrong_fields(user, password)
        if wrong:
            raise ValidationError(wrong)
        user.set_password(password)
        user.save()
        Account.objects.create(user=user, role=role)
        TeamMember.objects.bulk_create(TeamMember(team=team, user=user) for team in teams)
        if user.email:
            trust_email(user, user.email)
    return user


def _wrong_fields(user: User, password: str | None) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    try:
        user.full_clean(exclude={"password"})
    except ValidationError as error:
        wrong = error.message_dict
    if User.objects.filter(username__iexact=user.username).exists():
        wrong["username"] = ["A user with that username already exists."]
    if user.email and User.objects.filter(email__iexact=user.email).exists():
        wrong["email"] = ["Somebody with this e-mail address has an account already."]
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            wrong["password"] = error.messages
    return wrong


def trust_email(user: User, email: str) -> None:
    """From now on whoever proves to hold this address may sign in as `user`."""
    EmailAddress.objects.update_or_create(
        user=user, email=email.lower(), defaults={"verified": True, "primary": True}
    )


def free_username(wanted: str) -> str:
    """`wanted`, or with a number where somebody has that name; nobody else takes it until the
    transaction ends."""
    locks.hold(Lock.NAMES)
    taken = set(
        User.objects.filter(username__istartswith=wanted).values_list("username", flat=True)
    )
    names = {name.lower() for name in taken}
    number = 1
    name = wanted
    while name.lower() in names:
        number += 1
        name = f"{wanted}-{number}"
    return name


def role_of_groups(groups: Sequence[str], roles: Mapping[str, str]) -> Role:
    """The highest role that a group brings by `roles` (group → role); viewer where none does."""
    held = {roles[group] for group in groups if group in roles}
    return next((role for role in RANKS if role in held), Role.VIEWER)
