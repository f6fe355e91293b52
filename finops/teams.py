"""Teams: who is in them and who pays for them. Events name a team in text of their own.

So a name that events or keys use is fixed: under another one, past usage would belong to nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Lower

from finops import audit, locks
from finops.costs import OTHER, UNATTRIBUTED
from finops.locks import Lock
from finops.models import IngestKey, Team, TeamMember
from finops.query import is_text
from finops.sql import statement
from ingest.cardinality import OVERFLOW

LONGEST = 200
ONLY_EVENTS, GONE = "only in events", "there is no such team"
# A filter of these names means usage of no team, or of many: members would see all of that.
RESERVED = frozenset(name.lower() for name in (UNATTRIBUTED, OTHER, OVERFLOW))


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """`fixed_by` says in words what uses the name, "" where nothing does."""

    id: int
    name: str
    cost_center: str
    members: tuple[str, ...]
    member_ids: frozenset[int]
    fixed_by: str


@dataclass(frozen=True, slots=True)
class Named:
    """A team that events name; `id` is None where there is no such team yet."""

    name: str
    id: int | None
    members: int


def named_by_events() -> list[Named]:
    with connection.cursor() as cursor:
        cursor.execute(statement("teams_of_events"))
        return [Named(*row) for row in cursor.fetchall()]


def choices(chosen: Collection[str] = ()) -> list[tuple[str, str]]:
    """(name, what a form says of it) of all teams, of those that only events name, and of `chosen`,
    which may be gone."""
    made = set(Team.objects.values_list("name", flat=True))
    named = {each.name for each in named_by_events()}
    return [
        (name, name if name in made else f"{name} ({ONLY_EVENTS if name in named else GONE})")
        for name in sorted(made | named | set(chosen), key=str.lower)
    ]


def of_names(names: Collection[str], *, by: User, at: datetime, address: str = "") -> list[Team]:
    """The teams of these names; one that only events name is made, on record."""
    held = {each.name: each for each in Team.objects.filter(name__in=names)}
    for name in names:
        if name not in held:
            held[name] = make(name, "", by=by, at=at, address=address)
    return list(held.values())


def everything() -> list[TeamEntry]:
    named = {each.name for each in named_by_events()}
    held = set(IngestKey.objects.values_list("team", flat=True).distinct())
    teams = Team.objects.prefetch_related("members__user").order_by(Lower("name"), "id")
    return [_entry(each, named, held) for each in teams]


def get(team_id: int) -> TeamEntry:
    """Raises Team.DoesNotExist."""
    team = Team.objects.prefetch_related("members__user").get(pk=team_id)
    named = {each.name for each in named_by_events()}
    held = set(IngestKey.objects.filter(team=team.name).values_list("team", flat=True))
    return _entry(team, named, held)


def make(name: str, cost_center: str, *, by: User, at: datetime, address: str = "") -> Team:
    """Raises ValidationError, whose message_dict is by field."""
    team = Team(name=name.strip(), cost_center=cost_center.strip())
    with transaction.atomic():
        # Two who make one team at once: the second waits here and then finds it.
        locks.hold(Lock.NAMES)
        _check(team)
        team.save()
        audit.record(
            "team.create",
            team.name,
            at=at,
            by=by,
            team=team.name,
            after={"cost_center": team.cost_center},
            address=address,
        )
    return team


def change(
    team_id: int,
    name: str,
    cost_center: str,
    member_ids: Collection[int],
    *,
    by: User,
    at: datetime,
    address: str = "",
) -> bool:
    """Whether anything changed. A new cost center holds for all of the team's usage, past too.

    Raises ValidationError, also where the name is in use and so fixed, and Team.DoesNotExist.
    """
    with transaction.atomic():
        locks.hold(Lock.NAMES)
        team = Team.objects.select_for_update().get(pk=team_id)
        before = get(team_id)
        team.name, team.cost_center = name.strip(), cost_center.strip()
        if team.name != before.name and before.fixed_by:
            raise ValidationError({"name": f"This name is fixed: {before.fixed_by}."})
        _check(team)
        team.save()
        if before.member_ids != frozenset(member_ids):
            TeamMember.objects.filter(team=team).delete()
            users = User.objects.filter(pk__in=member_ids)
            TeamMember.objects.bulk_create(TeamMember(team=team, user=user) for user in users)
        after = get(team_id)
        if before == after:
            return False
        audit.record(
            "team.change",
            before.name,
            at=at,
            by=by,
            team=after.name,
            before=_described(before),
            after=_described(after),
            address=address,
        )
        return True


def _check(team: Team) -> None:
    wrong = {
        field: f"Write at most {LONGEST} characters of plain text."
        for field in ("name", "cost_center")
        if len(getattr(team, field)) > LONGEST or not is_text(getattr(team, field))
    }
    if not team.name:
        wrong["name"] = "Write the name that events use for the team."
    elif team.name.lower() in RESERVED:
        wrong["name"] = f"{team.name} stands for usage that is of no single team."
    elif "name" not in wrong and Team.objects.filter(name=team.name).exclude(pk=team.pk).exists():
        wrong["name"] = "There is a team of this name already."
    if wrong:
        raise ValidationError(wrong)


def _entry(team: Team, named: set[str], held: set[str]) -> TeamEntry:
    members = sorted(team.members.all(), key=lambda each: each.user.get_username().lower())
    users = "events name it" if team.name in named else ""
    keys = "ingest keys name it" if team.name in held else ""
    return TeamEntry(
        id=team.pk,
        name=team.name,
        cost_center=team.cost_center,
        members=tuple(each.user.get_username() for each in members),
        member_ids=frozenset(each.user_id for each in members),
        fixed_by=" and ".join(filter(None, (users, keys))),
    )


def _described(entry: TeamEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "cost_center": entry.cost_center,
        "members": list(entry.members),
    }
