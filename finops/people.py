"""People: what each may do and where they belong, with an administrator left whatever happens."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from finops import audit, locks
from finops.locks import Lock
from finops.models import Account, ApiToken, Role, Team, TeamMember

_IS_ADMINISTRATOR = Q(is_superuser=True) | Q(account__role=Role.ADMINISTRATOR)


class LastAdministrator(ValueError):
    def __init__(self) -> None:
        super().__init__(
            "Nobody else is an active administrator. Make somebody else one first, or the "
            "organisation would be locked out."
        )


class NeedsConfirmation(ValueError):
    """Somebody is about to take their own rights away."""


@dataclass(frozen=True, slots=True)
class Person:
    """`role` is None where nobody has given one: then nothing is seen."""

    id: int
    username: str
    email: str
    role: Role | None
    teams: tuple[str, ...]
    team_ids: frozenset[int]
    last_sign_in: datetime | None
    is_active: bool


def everybody() -> list[Person]:
    found = User.objects.select_related("account").prefetch_related("team_members__team")
    return [_person(each) for each in found.order_by("-is_active", Lower("username"), "id")]


def get(user_id: int) -> Person:
    """Raises User.DoesNotExist."""
    found = User.objects.select_related("account").prefetch_related("team_members__team")
    return _person(found.get(pk=user_id))


def change(
    user_id: int,
    role: Role,
    team_ids: Collection[int],
    *,
    by: User,
    at: datetime,
    address: str = "",
    confirmed: bool = False,
) -> bool:
    """Give this role and exactly these teams; whether anything changed. It holds with the next
    request of the user.

    Raises LastAdministrator, NeedsConfirmation where an administrator gives up their own role
    without `confirmed`, and User.DoesNotExist.
    """
    with transaction.atomic():
        before = _locked(user_id)
        if role != before.role:
            if before.role is Role.ADMINISTRATOR:
                _refuse_loss(before, by, confirmed)
            _give_role(user_id, role)
        if before.team_ids != frozenset(team_ids):
            _set_teams(user_id, team_ids)
        after = get(user_id)
        if (before.role, before.team_ids) == (after.role, after.team_ids):
            return False
        audit.record(
            "person.change",
            before.username,
            at=at,
            by=by,
            before=_standing_of(before),
            after=_standing_of(after),
            address=address,
        )
        return True


def take_role(user_id: int, role: Role, *, at: datetime, by: str) -> None:
    """Give the role that a program (`by`) says. The last administrator keeps theirs.

    Who came in just now may have no role yet.
    """
    with transaction.atomic():
        before = _locked(user_id)
        account, _ = Account.objects.get_or_create(user_id=user_id, defaults={"role": Role.VIEWER})
        if account.role == role:
            return
        others = User.objects.filter(_IS_ADMINISTRATOR, is_active=True).exclude(pk=user_id)
        if before.role is Role.ADMINISTRATOR and before.is_active and not others.exists():
            return
        audit.record(
            "person.role",
            before.username,
            at=at,
            by=by,
            before={"role": account.role},
            after={"role": role.value},
        )
        account.role = role
        account.save()


def deactivate(
    user_id: int, *, by: User, at: datetime, address: str = "", confirmed: bool = False
) -> None:
    """End the user's access at once: nobody is signed in as them and their API tokens are revoked.

    What they did stays. Raises as `change` does.
    """
    with transaction.atomic():
        before = _locked(user_id)
        if not before.is_active:
            return
        if before.role is Role.ADMINISTRATOR or user_id == by.pk:
            _refuse_loss(before, by, confirmed)
        User.objects.filter(pk=user_id).update(is_active=False)
        revoked = ApiToken.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=at)
        _end_sessions(user_id, at)
        audit.record(
            "person.deactivate",
            before.username,
            at=at,
            by=by,
            before={"active": True},
            after={"active": False, "api_tokens_revoked": revoked},
            address=address,
        )


def reactivate(user_id: int, *, by: User, at: datetime, address: str = "") -> None:
    """Let the user sign in again, with the role and teams held before; tokens stay revoked."""
    with transaction.atomic():
        before = _locked(user_id)
        if before.is_active:
            return
        User.objects.filter(pk=user_id).update(is_active=True)
        audit.record(
            "person.reactivate",
            before.username,
            at=at,
            by=by,
            before={"active": False},
            after={"active": True},
            address=address,
        )


def _locked(user_id: int) -> Person:
    """The person as they are, with nobody else changing people until the transaction ends: two
    administrators who take each other's role at once would leave none."""
    locks.hold(Lock.PEOPLE)
    return get(user_id)


def _refuse_loss(person: Person, by: User, confirmed: bool) -> None:
    """Unless another active administrator is left, and who loses their own rights means it."""
    others = User.objects.filter(_IS_ADMINISTRATOR, is_active=True).exclude(pk=person.id)
    if person.is_active and person.role is Role.ADMINISTRATOR and not others.exists():
        raise LastAdministrator
    if person.id == by.pk and not confirmed:
        raise NeedsConfirmation("This takes away your own rights. Confirm that you mean it.")


def _give_role(user_id: int, role: Role) -> None:
    Account.objects.update_or_create(user_id=user_id, defaults={"role": role})
    if role is not Role.ADMINISTRATOR:
        # Made in the shell, or by the first visit: that would outrank the role.
        User.objects.filter(pk=user_id).update(is_superuser=False, is_staff=False)


def _set_teams(user_id: int, team_ids: Iterable[int]) -> None:
    TeamMember.objects.filter(user_id=user_id).delete()
    teams = Team.objects.filter(pk__in=team_ids)
    TeamMember.objects.bulk_create(TeamMember(user_id=user_id, team=team) for team in teams)


def _end_sessions(user_id: int, at: datetime) -> None:
    """Or they would hold again once the user may sign in again."""
    held = [
        each.session_key
        for each in Session.objects.filter(expire_date__gt=at).iterator()
        if each.get_decoded().get("_auth_user_id") == str(user_id)
    ]
    Session.objects.filter(session_key__in=held).delete()


def _person(user: User) -> Person:
    members = sorted(user.team_members.all(), key=lambda each: each.team.name)
    account = getattr(user, "account", None)
    role = Role(account.role) if account else None
    return Person(
        id=user.pk,
        username=user.get_username(),
        email=user.email,
        role=Role.ADMINISTRATOR if user.is_superuser else role,
        teams=tuple(each.team.name for each in members),
        team_ids=frozenset(each.team_id for each in members),
        last_sign_in=user.last_login,
        is_active=user.is_active,
    )


def _standing_of(person: Person) -> dict[str, object]:
    return {"role": person.role.value if person.role else None, "teams": list(person.teams)}
