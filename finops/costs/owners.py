"""Who pays for usage on its day: the first rule that names a user or a combination of attribution,
else the cost center that the team had.

Rules are looked up once for each attribution and kept (attribution_owner). What is not kept yet,
as it is new, is worked out in the snapshot of the question, so that no answer misses a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Composable, Composed

from finops.costs.parameters import Parameters
from finops.costs.snapshots import find_users
from finops.query import CostQuery
from finops.sql import statement

COST_CENTER = "cost_center"
# As joins() names the tables. Positions are those of rules, of which the lower one wins.
OWNER = SQL(
    """CASE
        WHEN user_owner.position < coalesce(rule_owner.position, 2147483647)
        THEN user_owner.cost_center
        ELSE coalesce(rule_owner.cost_center, team_owner.cost_center)
    END"""
)
OF_TEAMS = SQL(
    """LEFT JOIN team_owner ON team_owner.team = attribution.team
        AND team_owner.from_day <= {day} AND team_owner.to_day > {day}"""
)
OF_RULES = SQL(
    """LEFT JOIN {kept} AS rule_owner ON rule_owner.attribution_id = usage.attribution_id
        AND rule_owner.from_day <= {day} AND rule_owner.to_day > {day}"""
)
OF_USERS = SQL(
    """LEFT JOIN user_owner ON user_owner.user_id = usage.user_id
        AND user_owner.from_day <= {day} AND user_owner.to_day > {day}"""
)
NO_RULES = SQL(
    "LEFT JOIN (SELECT NULL::text AS cost_center, NULL::integer AS position) AS rule_owner ON false"
)
NO_USERS = SQL(
    "LEFT JOIN (SELECT NULL::text AS cost_center, NULL::integer AS position) AS user_owner ON false"
)
NEW = SQL(
    """(
        SELECT * FROM attribution_owner
        UNION ALL
        SELECT * FROM unnest(
            {}::integer[], {}::date[], {}::date[], {}::text[], {}::integer[]
        ) AS new (attribution_id, from_day, to_day, cost_center, position)
    )"""
)


@dataclass(frozen=True, slots=True)
class Owners:
    """Which kinds of rules there are in a snapshot, and what rules say of attributions that are
    not mapped yet: rows as attribution_owner has them."""

    by_attribution: bool = False
    by_user: bool = False
    new: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a snapshot knows of the names in a question: the numbers of users, and whose usage is
    (None where nothing asks)."""

    user_ids: Mapping[str, int] = field(default_factory=dict)
    owners: Owners | None = None

    def needs_users(self, query: CostQuery) -> bool:
        """Whether what is asked differs among the users of one attribution."""
        dimensions = query.dimensions()
        by_owner = COST_CENTER in dimensions and self.owned.by_user
        return "user" in dimensions or by_owner

    @property
    def owned(self) -> Owners:
        assert self.owners is not None, "the question was not known to be about cost centers"
        return self.owners


def find_known(cursor: CursorWrapper, query: CostQuery, *, owned: bool = False) -> Known:
    """What the query's names are; `owned` where cost centers are asked for beside it."""
    is_asked = owned or COST_CENTER in query.dimensions()
    return Known(find_users(cursor, query), read_owners(cursor) if is_asked else None)


def read_owners(cursor: CursorWrapper) -> Owners:
    cursor.execute(statement("kinds_of_rules"))
    [(by_attribution, by_user, has_new)] = cursor.fetchall()
    new: tuple[tuple[Any, ...], ...] = ()
    if by_attribution and has_new:
        cursor.execute(statement("owners_of_unmapped"))
        new = tuple(cursor.fetchall())
    return Owners(by_attribution, by_user, new)


def joins(
    day: Composable, owners: Owners, parameters: Parameters, *, has_users: bool = True
) -> Composed:
    """The tables that OWNER reads, for a `usage` joined with its `attribution`, on the usage's day;
    without rules on users where nothing tells them apart."""
    kept: Composable = SQL("attribution_owner")
    if owners.new:
        columns = zip(*owners.new, strict=True)
        kept = NEW.format(
            *(parameters.share(f"new_{n}", list(each)) for n, each in enumerate(columns))
        )
    return SQL("\n    ").join(
        [
            OF_TEAMS.format(day=day),
            OF_RULES.format(kept=kept, day=day) if owners.by_attribution else NO_RULES,
            OF_USERS.format(day=day) if owners.by_user and has_users else NO_USERS,
        ]
    )
