"""The SQL of a CostQuery, put together from closed sets of columns and tables.

usage   one row: one group in one bucket
top     one row: a group that is named; the others become Other
answer  the rows of usage, the others summed; then one row with the totals
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from finops.costs.owners import Known
from finops.costs.parameters import Parameters
from finops.costs.parts import key_names, part_of_usage
from finops.costs.tables import DAY_USERS, Segment
from finops.query import CostQuery

# What groups can be ranked by in SQL.
RANKS: dict[str, Composable] = {
    **{
        name: Identifier(name)
        for name in (
            "effective_cost",
            "list_cost",
            "requests",
            "unpriced_requests",
            "unpriced_tokens",
            "errors",
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
        )
    },
    "billed_cost": Identifier("effective_cost"),
    "cost_per_request": SQL("effective_cost / nullif(requests - unpriced_requests, 0)"),
    "cost_per_million_tokens": SQL(
        "effective_cost / nullif(input_tokens + output_tokens - unpriced_tokens, 0)"
    ),
}
MAX_ROWS = 100_000

# A key as the database has it: the label of a dimension (str), or the number of a user (int); None
# in Other.
Key = Any


@dataclass(frozen=True, slots=True)
class Statement:
    text: Composed | str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Top:
    """Which groups are named: these, or the largest by a metric."""

    keys: Sequence[tuple[Key, ...]] | None = None
    rank_by: str = ""


def sums_statement(
    query: CostQuery,
    segments: Sequence[Segment],
    known: Known,
    columns: Sequence[str],
    histograms: Sequence[str],
    top: Top | None,
    only_users: Sequence[int] | None = None,
    *,
    most_rows: int | None = None,
) -> Statement:
    """Sums of columns and joined histograms, per bucket and group; then the sums in all.

    A row is: is_total, bucket, is_other, one column per key, then the columns. A group that has no
    request any more, as settlements have moved all of them to others, is left out.
    """
    parameters = Parameters()
    keys = key_names(query)
    added = [SQL("sum({0}) AS {0}").format(Identifier(name)) for name in columns]
    joined = [SQL("string_agg({0}, '') AS {0}").format(Identifier(name)) for name in histograms]
    text = SQL(
        """
WITH usage AS MATERIALIZED (
    SELECT {groups}, {sums}
    FROM (
{parts}
    ) AS part
    GROUP BY {groups}
    HAVING sum(requests) <> 0
){top}
{rows}
UNION ALL
SELECT true, NULL, false, {nulls}
FROM usage
LIMIT {limit}
"""
    ).format(
        groups=comma([Identifier("bucket"), *keys]),
        sums=comma([*added, *joined]),
        parts=SQL("\n    UNION ALL\n").join(
            part_of_usage(
                query, each, (*columns, *histograms), parameters, known, only_users=only_users
            )
            for each in segments
        ),
        top=top_sql(query, top, columns, parameters),
        rows=rows_sql(keys, top, comma([*added, *joined]), [*columns, *histograms]),
        nulls=comma(
            [*(SQL("NULL") for _ in keys), *added, *(SQL("NULL::bytea") for _ in histograms)]
        ),
        # One more than allowed, and the totals.
        limit=Literal((MAX_ROWS if most_rows is None else most_rows) + 2),
    )
    return Statement(text, parameters.values)


def users_statement(
    query: CostQuery,
    segments: Sequence[Segment],
    known: Known,
    columns: Sequence[str],
    top: Top | None,
) -> Statement:
    """Who the users of each group are, and sums of `columns` over their requests.

    A row is: is_other, bucket, one column per key, the numbers of users (4 bytes each, in no order,
    some of them repeated), then the columns. Nobody, user 0, is in none.
    """
    parameters = Parameters()
    keys = key_names(query)
    added = [SQL("sum({0}) AS {0}").format(Identifier(name)) for name in columns]
    groups: list[Composable] = [Identifier("bucket"), *keys]
    is_other: Composable = SQL("false")
    named: Composable = SQL("")
    if top is not None and keys:
        groups = [Identifier("bucket"), *(SQL("top.{}").format(key) for key in keys)]
        is_other = SQL("{} IS NULL").format(groups[1])
        named = SQL("LEFT JOIN top USING ({})").format(comma(keys))
    text = SQL(
        """
WITH usage AS (
{sources}
){top}
SELECT {is_other} AS is_other, {groups}, {added}
FROM usage {named}
GROUP BY {groups}
"""
    ).format(
        sources=SQL("\n    UNION ALL\n").join(
            users_sources(query, segments, known, columns, parameters)
        ),
        top=top_sql(query, top, (), parameters),
        is_other=is_other,
        groups=comma(groups),
        named=named,
        added=comma([SQL("string_agg(users, '') AS users"), *added]),
    )
    return Statement(text, parameters.values)


def users_sources(
    query: CostQuery,
    segments: Sequence[Segment],
    known: Known,
    columns: Sequence[str],
    parameters: Parameters,
) -> list[Composed]:
    """Rows of users: as settled days hold them, and gathered of what is held for each user.

    Who has no request left, as a settlement took it back, is no user.
    """
    sources = [
        part_of_usage(query, each, ("users", *columns), parameters, known)
        for each in segments
        if each.grain is DAY_USERS
    ]
    groups = comma([Identifier("bucket"), *key_names(query)])
    added = [SQL("sum({0}) AS {0}").format(Identifier(name)) for name in columns]
    held = [
        part_of_usage(
            query,
            each,
            tuple(dict.fromkeys(("requests", *columns))),
            parameters,
            known,
            with_user=True,
        )
        for each in segments
        if each.grain is not DAY_USERS
    ]
    if held:
        sources.append(
            SQL(
                """    SELECT {groups}, {gathered}
    FROM (
        SELECT {groups}, {person}
        FROM (
{held}
        ) AS part
        WHERE user_id <> 0
        GROUP BY {groups}, user_id
        HAVING sum(requests) <> 0
    ) AS person
    GROUP BY {groups}"""
            ).format(
                groups=groups,
                gathered=comma([SQL("string_agg(int4send(user_id), '') AS users"), *added]),
                person=comma([SQL("user_id"), *added]),
                held=SQL("\n    UNION ALL\n").join(held),
            )
        )
    return sources


def rows_sql(
    keys: Sequence[Identifier],
    top: Top | None,
    sums: Composable,
    columns: Sequence[str],
) -> Composed:
    """The rows of usage, which are `columns` of sums already; those of Other are added up."""
    if top is None or not keys:
        return SQL("SELECT false AS is_total, bucket, false AS is_other, {} FROM usage").format(
            comma([*keys, *(Identifier(name) for name in columns)])
        )
    named = [SQL("top.{}").format(key) for key in keys]
    return SQL(
        """SELECT false AS is_total, bucket, {first} IS NULL AS is_other, {selected}
FROM usage
LEFT JOIN top USING ({keys})
GROUP BY bucket, {named}"""
    ).format(first=named[0], selected=comma([*named, sums]), keys=comma(keys), named=comma(named))


def top_sql(
    query: CostQuery, top: Top | None, columns: Sequence[str], parameters: Parameters
) -> Composable:
    keys = key_names(query)
    if top is None or not keys:
        return SQL("")
    if top.keys is not None:
        values = [
            SQL("{}::{}[]").format(
                parameters.add([key[number] for key in top.keys]),
                SQL("integer" if dimension == "user" else "text"),
            )
            for number, dimension in enumerate(query.group_by)
        ]
        return SQL(",\ntop AS (SELECT * FROM unnest({}) AS top ({}))").format(
            comma(values), comma(keys)
        )
    ranked: Composable = Identifier("usage")
    if query.granularity != "total":
        sums = comma([SQL("sum({0}) AS {0}").format(Identifier(name)) for name in columns])
        ranked = SQL("(SELECT {keys}, {sums} FROM usage GROUP BY {keys}) AS ranked").format(
            keys=comma(keys), sums=sums
        )
    return SQL(
        """,
top AS (
    SELECT {keys}
    FROM {ranked}
    ORDER BY {rank} DESC NULLS LAST, {keys}
    LIMIT {limit}
)"""
    ).format(
        keys=comma(keys),
        ranked=ranked,
        rank=RANKS[top.rank_by],
        limit=parameters.add(query.limit),
    )


def comma(items: Sequence[Composable]) -> Composed:
    return SQL(", ").join(items)
