"""What each combination of attributes came to in two periods: the leaves of a comparison.

The rows of a period are added up by the number of their attribution, which is quick however many
they are; its values are looked up after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from finops.costs import leaders
from finops.costs.metrics import EXACT_DIGITS
from finops.costs.owners import COST_CENTER, find_known
from finops.costs.parameters import Parameters
from finops.costs.parts import dimension_sql, key_names, part_of_usage
from finops.costs.reading import Reading, Usage, held, held_segments, read_usage
from finops.costs.results import Freshness
from finops.costs.runs import find_unsettled
from finops.costs.snapshots import read_freshness
from finops.costs.statements import Statement, Top, comma
from finops.costs.tables import DAY, EVENT, HOUR, USER_DAY, Segment, cover
from finops.query import TAG_PREFIX, CostQuery, InvalidQuery
from finops.rollups import refuse_other_zone

MOST_LEAVES = 100_000
# What is kept of every user.
OF_USERS = (
    "effective_cost",
    "requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "unpriced_tokens",
)
# Each leaf's values, and its sums of the columns before and after.
Keys = tuple[str, ...]
Both = tuple[list[Decimal], list[Decimal]]


@dataclass(frozen=True, slots=True)
class Sides:
    """The same question of two periods, with what statements need to know of the snapshot."""

    reading: Reading
    before: CostQuery
    after: CostQuery

    @property
    def freshness(self) -> Freshness:
        return self.reading.freshness


def begin(cursor: CursorWrapper, before: CostQuery, after: CostQuery) -> Sides:
    """Raises rollups.ZoneChanged."""
    refuse_other_zone(cursor, after.zone)
    reading = Reading(
        cursor,
        read_freshness(cursor, after.reader_teams),
        find_known(cursor, after, owned=True),
        find_unsettled(cursor),
    )
    return Sides(reading, before, after)


def activated_tags(cursor: CursorWrapper) -> list[str]:
    """The tags that are dimensions, named as those."""
    cursor.execute("SELECT key FROM activated_tag ORDER BY key")
    return [TAG_PREFIX + key for (key,) in cursor.fetchall()]


def read_leaves(
    sides: Sides, dimensions: Sequence[str], columns: Sequence[str]
) -> dict[Keys, Both]:
    """The leaves of both periods by their values. Raises InvalidQuery where there are too many, or
    where a period needs what is no longer kept."""
    parameters = Parameters()
    per_user = sides.reading.known.needs_users(sides.after)
    text = SQL(
        """
SELECT leaf.is_after, {keys}, {columns}
FROM (
{sides}
) AS leaf
JOIN attribution ON attribution.id = leaf.attribution_id
LIMIT {limit}
"""
    ).format(
        keys=values_sql(dimensions, parameters),
        columns=comma([SQL("leaf.{}").format(Identifier(each)) for each in columns]),
        sides=both_sides(sides, dimensions, columns, parameters, per_user=per_user),
        limit=Literal(2 * MOST_LEAVES + 1),
    )
    rows = sides.reading.fetch(Statement(text, parameters.values))
    if len(rows) > 2 * MOST_LEAVES:
        raise InvalidQuery(
            "start", f"there are more than {MOST_LEAVES:,} combinations; add a filter"
        )
    found: dict[Keys, Both] = {}
    for is_after, *values in rows:
        add(found, tuple(values[: len(dimensions)]), is_after, values[len(dimensions) :])
    return found


def add(
    found: dict[Keys, Both], keys: Keys, is_after: bool, sums: Sequence[Decimal | int | None]
) -> None:
    both = found.get(keys)
    if both is None:
        both = found[keys] = ([Decimal(0)] * len(sums), [Decimal(0)] * len(sums))
    side = both[is_after]
    with localcontext(prec=EXACT_DIGITS):
        for place, number in enumerate(sums):
            side[place] += number or 0


def values_sql(dimensions: Sequence[str], parameters: Parameters) -> Composed:
    """The values of a leaf: of its attribution, and its cost center, which it is added up by."""
    return comma(
        [
            SQL("leaf.key_0") if each == COST_CENTER else dimension_sql(each, parameters)
            for each in dimensions
        ]
    )


def both_sides(
    sides: Sides,
    dimensions: Sequence[str],
    columns: Sequence[str],
    parameters: Parameters,
    *,
    per_user: bool,
    only_users: Sequence[int] | None = None,
) -> Composed:
    return SQL("\n    UNION ALL\n").join(
        one_side(
            sides.reading,
            query.replace(group_by=(COST_CENTER,) if COST_CENTER in dimensions else ()),
            is_after,
            columns,
            parameters,
            per_user,
            only_users,
        )
        for query, is_after in ((sides.before, False), (sides.after, True))
    )


def one_side(
    reading: Reading,
    query: CostQuery,
    is_after: bool,
    columns: Sequence[str],
    parameters: Parameters,
    per_user: bool,
    only_users: Sequence[int] | None,
) -> Composed:
    """A row for each attribution and key (and user, of those that are named) of one period."""
    plain = query.replace(granularity="total", limit=None, compare=False)
    groups = [Identifier("attribution_id"), *key_names(plain)]
    groups += [] if only_users is None else [Identifier("user_id")]
    parts: list[Composable] = [
        part_of_usage(
            plain,
            segment,
            ("attribution_id", *dict.fromkeys(("requests", *columns))),
            parameters,
            reading.known,
            with_user=only_users is not None,
            only_users=only_users,
        )
        for segment in segments_of(reading, plain, per_user=per_user)
    ]
    return SQL(
        """    SELECT {is_after} AS is_after, {groups}, {sums}
    FROM (
{parts}
    ) AS part
    GROUP BY {groups}
    HAVING sum(requests) <> 0"""
    ).format(
        is_after=Literal(is_after),
        groups=comma(groups),
        sums=comma([SQL("sum({0}) AS {0}").format(Identifier(each)) for each in columns]),
        parts=SQL("\n    UNION ALL\n").join(parts),
    )


def segments_of(reading: Reading, query: CostQuery, *, per_user: bool) -> list[Segment]:
    grains = [EVENT, USER_DAY] if per_user else [EVENT, HOUR, DAY]
    return held(reading, query, cover(query.period, grains, query.zone), per_user=per_user)


def leading_users(sides: Sides, count: int, columns: Sequence[str]) -> dict[int, Both]:
    """Sums of the users who cost most in either period, by their numbers: before and after. Under a
    filter who is far behind in one of them has nothing there."""
    queries = [of_users(each).replace(limit=count) for each in (sides.before, sides.after)]
    if leaders.are_asked_for(queries[0]):
        ids = {user for query in queries for user in who_lead(sides.reading, query, count)}
        both = [
            read_usage(sides.reading, query.replace(limit=None), None, sorted(ids))
            for query in queries
        ]
    else:
        top, deep = Top(rank_by="effective_cost"), count * leaders.DEPTH
        both = [read_usage(sides.reading, query.replace(limit=deep), top) for query in queries]
    then, now = (by_number(usage, columns) for usage in both)
    nothing = [Decimal(0)] * len(columns)
    users = sorted({*then, *now} - {0})
    return {user: (then.get(user, nothing), now.get(user, nothing)) for user in users}


def who_lead(reading: Reading, query: CostQuery, count: int) -> list[int]:
    """The users who cost most: by the lists of settled days, where there are any, or added up."""
    whole = leaders.users_of_whole_days(query)
    parts = held_segments(reading, whole, per_user=True)
    if any(part.grain.span for part in parts):
        depth = max(count * leaders.DEPTH, leaders.SHORTEST_LIST)
        return leaders.standings(reading, whole, parts, depth).leading(count)
    usage = read_usage(reading, query, Top(rank_by="effective_cost"))
    return [keys[0] for _, is_other, keys in usage.groups if not is_other]


def of_users(query: CostQuery) -> CostQuery:
    """Who used how much, in whole."""
    return query.replace(
        group_by=("user",), granularity="total", limit=None, compare=False, metrics=OF_USERS
    )


def by_number(usage: Usage, columns: Sequence[str]) -> dict[int, list[Decimal]]:
    return {
        keys[0]: [Decimal(sums.sums[name]) for name in columns]
        for (_, is_other, keys), sums in usage.groups.items()
        if not is_other
    }


def names_of(sides: Sides, users: Sequence[int]) -> dict[int, str]:
    sides.reading.cursor.execute("SELECT id, name FROM end_user WHERE id = ANY(%s)", [list(users)])
    return dict(sides.reading.cursor.fetchall())


def read_leaves_of_users(
    sides: Sides, users: Sequence[int], dimensions: Sequence[str], columns: Sequence[str]
) -> dict[Keys, Both]:
    """The leaves of these users, whose names follow the other values."""
    parameters = Parameters()
    text = SQL(
        """
SELECT leaf.is_after, {keys}, end_user.name, {columns}
FROM (
{sides}
) AS leaf
JOIN attribution ON attribution.id = leaf.attribution_id
JOIN end_user ON end_user.id = leaf.user_id
"""
    ).format(
        keys=values_sql(dimensions, parameters),
        columns=comma([SQL("leaf.{}").format(Identifier(each)) for each in columns]),
        sides=both_sides(sides, dimensions, columns, parameters, per_user=True, only_users=users),
    )
    found: dict[Keys, Both] = {}
    for is_after, *values in sides.reading.fetch(Statement(text, parameters.values)):
        split = len(dimensions) + 1
        add(found, tuple(values[:split]), is_after, values[split:])
    return found


def with_users(
    leaves: Mapping[Keys, Both], of_users: Mapping[Keys, Both], everyone_else: str
) -> dict[Keys, Both]:
    """The leaves parted by user: those of the users given, and what is left of each."""
    rest = {(*keys, everyone_else): (list(b), list(a)) for keys, (b, a) in leaves.items()}
    found: dict[Keys, Both] = {}
    with localcontext(prec=EXACT_DIGITS):
        for keys, both in of_users.items():
            found[keys] = both
            nothing = [Decimal(0)] * len(both[0])
            left = rest.setdefault((*keys[:-1], everyone_else), (nothing, list(nothing)))
            for side, own in zip(left, both, strict=True):
                for place, number in enumerate(own):
                    side[place] -= number
    found.update({keys: both for keys, both in rest.items() if any(map(any, both))})
    return found
