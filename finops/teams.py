"""Teams: who is in them and who pays for them. Events name a team in text of their own.

So a name that events or keys use is fixed: under another one, past usage would belong to nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Lower

from finops import audit, locks
from finops.costs import OTHER, UNATTRIBUTED
from finops.locks import Lock
from finops.models import IngestKey, Team, TeamMember
from finops.ownership import centers, closed
from finops.ownership.conditions import Days
from finops.periods import local_day
from finops.query import is_text
from finops.sql import statement
from ingest.cardinality import OVERFLOW

LONGEST = 200
LENGTH = f"Write at most {LONGEST} characters of plain text."
ONLY_EVENTS, GONE = "only in events", "there is no such team"
# A filter of these names means usage of no team, or of many: members would see all of that.
RESERVED = frozenset(name.lower() for name in (UNATTRIBUTED, OTHER, OVERFLOW))


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """`cost_center` is today's, and `moves` are all it had: (code, the first day of it, None where
    it always was). `fixed_by` says in words what uses the name, "" where nothing does."""

    id: int
    name: str
    cost_center: str
    moves: tuple[tuple[str, date | None], ...]
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


def everything(at: datetime) -> list[TeamEntry]:
    named = {each.name for each in named_by_events()}
    held = set(IngestKey.objects.values_list("team", flat=True).distinct())
    teams = Team.objects.prefetch_related("members__user", "moves").order_by(Lower("name"), "id")
    return [_entry(each, named, held, at) for each in teams]


def get(team_id: int, at: datetime) -> TeamEntry:
    """As it is at that moment. Raises Team.DoesNotExist."""
    team = Team.objects.prefetch_related("members__user", "moves").get(pk=team_id)
    named = {each.name for each in named_by_events()}
    held = set(IngestKey.objects.filter(team=team.name).values_list("team", flat=True))
    return _entry(team, named, held, at)


def make(name: str, cost_center: str, *, by: User, at: datetime, address: str = "") -> Team:
    """Raises ValidationError, whose message_dict is by field."""
    team = Team(name=name.strip(), cost_center=cost_center.strip())
    with transaction.atomic():
        # Two who make one team at once: the second waits here and then finds it.
        locks.hold(Lock.NAMES)
        _check(team)
        team.save()
        _leave_closed(team)
        centers.know(team.cost_center)
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
    since: date | None = None,
) -> bool:
    """Whether anything changed. A new cost center holds from the day `since` on, until the day of a
    later move; without a day for all of the team's usage, past too.

    Raises ValidationError, also where the name is in use and so fixed, and Team.DoesNotExist.
    """
    with transaction.atomic():
        locks.hold(Lock.NAMES)
        team = Team.objects.select_for_update().get(pk=team_id)
        before = get(team_id, at)
        team.name = name.strip()
        if team.name != before.name and before.fixed_by:
            raise ValidationError({"name": f"This name is fixed: {before.fixed_by}."})
        if cost_center.strip() != before.cost_center:
            _give(team, cost_center.strip(), since)
        _check(team)
        team.save()
        if before.member_ids != frozenset(member_ids):
            TeamMember.objects.filter(team=team).delete()
            users = User.objects.filter(pk__in=member_ids)
            TeamMember.objects.bulk_create(TeamMember(team=team, user=user) for user in users)
        after = get(team_id, at)
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


def _leave_closed(team: Team) -> None:
    """Events may have named a team before it was made: what is closed stays Unattributed."""
    locks.hold(Lock.OWNERSHIP)
    spans, code = closed.spans(), team.cost_center
    if code and spans and (since := spans[-1].end):
        team.moves.create(cost_center=code, effective_from=since)
        Team.objects.filter(pk=team.pk).update(cost_center="")


def _give(team: Team, cost_center: str, since: date | None) -> None:
    locks.hold(Lock.OWNERSHIP)
    closed.refuse(Days(since), "since")
    if since is None:
        team.moves.all().delete()
        team.cost_center = cost_center
        return
    if len(cost_center) > LONGEST or not is_text(cost_center):
        raise ValidationError({"cost_center": LENGTH})
    centers.know(cost_center)
    team.moves.update_or_create(effective_from=since, defaults={"cost_center": cost_center})


def _check(team: Team) -> None:
    wrong = {
        field: LENGTH
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


def _entry(team: Team, named: set[str], held: set[str], at: datetime) -> TeamEntry:
    today = local_day(at, settings.REPORTING_ZONE)
    members = sorted(team.members.all(), key=lambda each: each.user.get_username().lower())
    users = "events name it" if team.name in named else ""
    keys = "ingest keys name it" if team.name in held else ""
    moves = [
        (team.cost_center, None),
        *((each.cost_center, each.effective_from) for each in team.moves.all()),
    ]
    passed = [center for center, since in moves if since is None or since <= today]
    return TeamEntry(
        id=team.pk,
        name=team.name,
        cost_center=passed[-1],
        moves=tuple(moves),
        members=tuple(each.user.get_username() for each in members),
        member_ids=frozenset(each.user_id for each in members),
        fixed_by=" and ".join(filter(None, (users, keys))),
    )


def _described(entry: TeamEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "cost_center": entry.cost_center,
        "members": list(entry.members),
        **({"moves": moves} if (moves := _moves(entry)) else {}),
    }


def _moves(entry: TeamEntry) -> dict[str, str]:
    """Which cost center from which day on, where it was not always the same."""
    return {
        since.isoformat() if since else "before": center
        for center, since in entry.moves
        if len(entry.moves) > 1
    }
