"""What follows from a role: the abilities it brings, and whose usage it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from finops.models import Account, Role, TeamMember

Reader = AbstractBaseUser | AnonymousUser


class Ability(Enum):
    SEE_COSTS = auto()  # of the teams that are seen
    MAKE_TOKENS = auto()  # API tokens for oneself
    SEE_PRICES = auto()
    MANAGE_PRICES = auto()  # add lines, decide what is held back, rate again
    SEE_INGEST = auto()  # what came in, of the teams that are seen
    MANAGE_KEYS = auto()  # ingest keys, of the teams that are seen
    MANAGE_PEOPLE = auto()
    SEE_SETTINGS = auto()
    MANAGE_SETTINGS = auto()
    SEE_AUDIT = auto()
    SEE_BUDGETS = auto()  # of the teams that are seen
    ASK_FOR_BUDGETS = auto()  # more of those that are seen
    MANAGE_BUDGETS = auto()
    MANAGE_CHANNELS = auto()  # where alerts go
    SEE_BOOKS = auto()  # who bears which costs
    MANAGE_BOOKS = auto()  # cost centers, rules, what is shared out, closes
    ANSWER_ALERTS = auto()  # acknowledge and snooze, of the teams that are seen


_ENGINEER = frozenset(
    {
        *(Ability.SEE_COSTS, Ability.MAKE_TOKENS, Ability.SEE_PRICES),
        *(Ability.SEE_INGEST, Ability.MANAGE_KEYS, Ability.SEE_BUDGETS),
        *(Ability.ANSWER_ALERTS, Ability.ASK_FOR_BUDGETS),
    }
)
ABILITIES: Mapping[Role, frozenset[Ability]] = {
    Role.ADMINISTRATOR: frozenset(Ability),
    Role.FINANCE: frozenset(
        {
            *(Ability.SEE_COSTS, Ability.MAKE_TOKENS, Ability.SEE_PRICES),
            *(Ability.MANAGE_PRICES, Ability.SEE_INGEST, Ability.SEE_AUDIT),
            *(Ability.SEE_SETTINGS, Ability.SEE_BUDGETS, Ability.MANAGE_BUDGETS),
            *(Ability.MANAGE_CHANNELS, Ability.ANSWER_ALERTS, Ability.ASK_FOR_BUDGETS),
            *(Ability.SEE_BOOKS, Ability.MANAGE_BOOKS),
        }
    ),
    Role.ENGINEER: _ENGINEER,
    Role.VIEWER: frozenset({Ability.SEE_COSTS, Ability.SEE_BUDGETS}),
}
SEES_ALL = frozenset({Role.ADMINISTRATOR, Role.FINANCE})


@dataclass(frozen=True, slots=True)
class Standing:
    """What one user may do now. `teams` is None where the whole organisation is seen."""

    role: Role | None
    teams: frozenset[str] | None

    def may(self, ability: Ability) -> bool:
        return self.role is not None and ability in ABILITIES[self.role]

    def sees_team(self, team: str) -> bool:
        """Whether what belongs to this team may be seen; '' is what belongs to none."""
        return self.teams is None or team in self.teams


NOBODY = Standing(None, frozenset())


def holders(ability: Ability) -> QuerySet[User]:
    """The active users whose role brings the ability."""
    roles = [role for role, brought in ABILITIES.items() if ability in brought]
    may = Q(account__role__in=roles)
    if Role.ADMINISTRATOR in roles:
        may |= Q(is_superuser=True)
    return User.objects.filter(may, is_active=True)


def standing(user: Reader) -> Standing:
    """What the user may do. Read once for each user object, which is to say for each request: who
    is removed from a team is out with the next one."""
    known: Standing | None = user.__dict__.get("_standing")
    if known is None:
        known = user.__dict__["_standing"] = _read_standing(user)
    return known


def _read_standing(user: Reader) -> Standing:
    if not (isinstance(user, User) and user.is_authenticated and user.is_active):
        return NOBODY
    held = Account.objects.filter(user=user).values_list("role", flat=True).first()
    if user.is_superuser:
        held = Role.ADMINISTRATOR
    if held is None:
        return NOBODY
    role = Role(held)
    if role in SEES_ALL:
        return Standing(role, None)
    teams = TeamMember.objects.filter(user=user).values_list("team__name", flat=True)
    return Standing(role, frozenset(teams))
