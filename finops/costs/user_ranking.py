"""All users of a query in the order of what they cost, added up once: every hundredth of them, for
the Pareto curve, and one page of them by name.

Whole days that have settled are read from users' totals, coarsest first; with a filter by anything
but the user the days by attribution are added up instead, which takes longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from psycopg.sql import SQL, Composable

from finops.costs.leaders import spans_of
from finops.costs.parameters import Parameters
from finops.costs.parts import part_of_usage
from finops.costs.reading import Reading, held_segments
from finops.costs.results import UNATTRIBUTED, Freshness
from finops.costs.runs import opened
from finops.costs.statements import Statement
from finops.query import CostQuery
from ingest.cardinality import OVERFLOW
from ingest.user_names import hashed

COLUMNS = ("requests", "unpriced_requests", "effective_cost")


# One row: a hundredth of the users, one user, or sums of those before, without a known cost, or of
# nobody; `kind` tells which.
RANKING = SQL(
    """
WITH usage AS {materialized} (
    SELECT
        user_id, requests, unpriced_requests,
        CASE WHEN requests > unpriced_requests THEN effective_cost END AS cost
    FROM (
{usage}
    ) AS used
), person AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY cost DESC NULLS LAST, user_id) AS place
    FROM usage
    WHERE user_id <> ALL({nobodies}::integer[])
), known AS MATERIALIZED (
    SELECT
        count(cost) AS users, count(*) - count(cost) AS unknown,
        sum(cost) FILTER (WHERE place <= {after}::bigint) AS before
    FROM person
)
SELECT
    'hundredth' AS kind, ((place - 1) * 100 / known.users)::integer AS number,
    NULL::bigint AS place, count(*) AS users, sum(cost) AS cost, sum(cost * place) AS weighted,
    min(cost) AS least, NULL::numeric AS requests, NULL::numeric AS unpriced_requests
FROM person, known
WHERE cost IS NOT NULL
GROUP BY 2
UNION ALL (
    SELECT
        'user', user_id, place, 1, cost, NULL, NULL, requests::numeric, unpriced_requests::numeric
    FROM person
    WHERE place > {after}::bigint{search}
    ORDER BY place
    LIMIT {size}::bigint
)
UNION ALL
SELECT 'also', user_id, place, 1, cost, NULL, NULL, requests, unpriced_requests
FROM person
WHERE user_id = ANY({also}::integer[])
UNION ALL
SELECT 'before', 0, 0, unknown, before, NULL, NULL, NULL, NULL
FROM known
UNION ALL
SELECT 'nobody', user_id, 0, 0, cost, NULL, NULL, requests, unpriced_requests
FROM usage
WHERE user_id = ANY({nobodies}::integer[])
"""
)
# One row: what one user used. A single span of users' totals has that row already.
OF_PARTS = SQL(
    """    SELECT
        key_0 AS user_id, sum(requests) AS requests, sum(unpriced_requests) AS unpriced_requests,
        sum(effective_cost) AS effective_cost
    FROM (
{parts}
    ) AS part
    GROUP BY key_0
    HAVING sum(requests) <> 0"""
)
OF_ONE_SPAN = SQL(
    """    SELECT key_0 AS user_id, requests, unpriced_requests, effective_cost
    FROM (
{parts}
    ) AS part"""
)


@dataclass(frozen=True, slots=True)
class Hundredth:
    """The users whose places lie within one percent of all, `number` 0 the most expensive ones.

    `weighted` is the sum of place × cost, `least` what the last of them cost.
    """

    number: int
    users: int
    cost: Decimal
    weighted: Decimal
    least: Decimal


@dataclass(frozen=True, slots=True)
class RankedUser:
    """One user; `number` is the database's. `cost` is that of the requests that have a price, None
    where none has; those users come last."""

    number: int
    name: str
    place: int
    cost: Decimal | None
    requests: int
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """`users` have at least one request with a price, `unknown` none. `page` is some of all in
    order, and `cost_before` what those before it cost; `also` are others. `nobody` is usage without
    a user, and of users past the limit of names: neither is in any other number here."""

    hundredths: tuple[Hundredth, ...]
    page: tuple[RankedUser, ...]
    cost_before: Decimal
    unknown: int
    nobody: tuple[RankedUser, ...]
    also: tuple[RankedUser, ...]
    freshness: Freshness

    @property
    def users(self) -> int:
        return sum(each.users for each in self.hundredths)


def rank_users(
    query: CostQuery,
    *,
    after: int = 0,
    size: int = 0,
    search: str = "",
    also: Sequence[int] = (),
) -> Ranking:
    """The users of the query's period and filters, and `size` of them from the place that follows
    `after` on, where `search` is something in their names; and those of `also` that are there.

    Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    with opened(query) as reading:
        nobodies = numbers_of_nobody(reading)
        statement = ranking_statement(reading, query, list(nobodies), after, size, search, also)
        rows = reading.fetch(statement)
        named = [row[1] for row in rows if row[0] in {"user", "also"}]
        names = nobodies | names_of(reading, named)
    found: dict[str, list[tuple[Any, ...]]] = {}
    for kind, *row in rows:
        found.setdefault(kind, []).append(tuple(row))
    [(_, _, unknown, before, *_)] = found["before"]
    return Ranking(
        tuple(
            Hundredth(number, users, cost, weighted, least)
            for number, _, users, cost, weighted, least, *_ in sorted(found.get("hundredth", ()))
        ),
        tuple(ranked(row, names) for row in sorted(found.get("user", ()), key=lambda row: row[1])),
        before or Decimal(0),
        unknown,
        tuple(ranked(row, names) for row in sorted(found.get("nobody", ()))),
        tuple(ranked(row, names) for row in sorted(found.get("also", ()), key=lambda row: row[1])),
        reading.freshness,
    )


def ranked(row: tuple[Any, ...], names: dict[int, str]) -> RankedUser:
    number, place, _, cost, _, _, requests, unpriced = row
    return RankedUser(number, names[number], place, cost, int(requests), int(unpriced))


def numbers_of_nobody(reading: Reading) -> dict[int, str]:
    reading.cursor.execute("SELECT id FROM end_user WHERE name = %s", [OVERFLOW])
    return {0: UNATTRIBUTED} | {number: OVERFLOW for (number,) in reading.cursor.fetchall()}


def names_of(reading: Reading, numbers: Sequence[int]) -> dict[int, str]:
    reading.cursor.execute("SELECT id, name FROM end_user WHERE id = ANY(%s)", [list(numbers)])
    return dict(reading.cursor.fetchall())


def by_user(query: CostQuery, granularity: str = "total") -> CostQuery:
    """The same usage by user."""
    return query.replace(
        group_by=("user",), granularity=granularity, limit=None, compare=False, metrics=COLUMNS
    )


def ranking_statement(
    reading: Reading,
    query: CostQuery,
    nobodies: list[int],
    after: int,
    size: int,
    search: str,
    also: Sequence[int],
) -> Statement:
    asked, parameters = by_user(query), Parameters()
    parts = held_segments(reading, asked, per_user=True)
    read = SQL("\n    UNION ALL\n").join(
        part_of_usage(asked, each, COLUMNS, parameters, reading.known) for each in parts
    )
    is_single = len(parts) == 1 and len(spans_of(parts[0], asked)) == 1
    text = RANKING.format(
        usage=(OF_ONE_SPAN if is_single else OF_PARTS).format(parts=read),
        # What an index finds again is not worth being kept.
        materialized=SQL("NOT MATERIALIZED" if is_single else "MATERIALIZED"),
        nobodies=parameters.add(nobodies),
        after=parameters.add(after),
        size=parameters.add(size),
        search=named_like(search, parameters),
        also=parameters.add(list(also)),
    )
    return Statement(text, parameters.values)


def named_like(search: str, parameters: Parameters) -> Composable:
    """Something in the name, or all of a name that is stored as a hash."""
    if not search:
        return SQL("")
    return SQL(
        """ AND user_id IN (
        SELECT id
        FROM end_user
        WHERE strpos(lower(name), lower({}::text)) > 0 OR name = {}::text
    )"""
    ).format(parameters.add(search), parameters.add(hashed(settings.USER_HASH_KEY, search)))
