"""The SQL of a CostQuery, put together from closed sets of columns and tables.

usage   one row: one group in one bucket
top     one row: a group that is named; the others become Other
answer  the rows of usage, the others summed; then one row with the totals
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from finops.costs.results import UNATTRIBUTED
from finops.costs.tables import Grain, Segment
from finops.periods import local_day
from finops.query import DIMENSIONS, TAG_PREFIX, CostQuery, Filter

# What rollups add up, as far as metrics need it.
COUNTS = (
    "requests",
    "unpriced_requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "unpriced_tokens",
)
COSTS = ("list_cost", "effective_cost")
SUMS = (*COUNTS, *COSTS)
# One entry each: an event's own histogram.
EVENT_HISTOGRAMS = {
    "latency_histogram": SQL("int2send(usage.latency_bin) || int4send(1)"),
    "ttft_histogram": SQL("int2send(usage.ttft_bin) || int4send(1)"),
}
# What groups are ranked by, in sums.
RANKS: dict[str, Composable] = {
    **{name: Identifier(name) for name in SUMS},
    "billed_cost": Identifier("effective_cost"),
    "cost_per_request": SQL("effective_cost / nullif(requests - unpriced_requests, 0)"),
    "cost_per_million_tokens": SQL(
        "effective_cost / nullif(input_tokens + output_tokens - unpriced_tokens, 0)"
    ),
}
MAX_ROWS = 100_000

# A key as the database has it: the label of a dimension, or the number of a user.
Key = str | int


@dataclass(frozen=True, slots=True)
class Statement:
    text: Composed
    parameters: dict[str, Any]


@dataclass(slots=True)
class Parameters:
    """Hands out a placeholder for each value."""

    values: dict[str, object] = field(default_factory=dict)

    def add(self, value: object) -> Composable:
        name = f"value_{len(self.values)}"
        self.values[name] = value
        return Placeholder(name)


def sums_statement(
    query: CostQuery,
    parts: Sequence[Segment],
    *,
    histograms: Sequence[str],
    rank_by: str | None,
    top: Sequence[tuple[Key, ...]] | None,
    user_ids: dict[str, int],
) -> Statement:
    """The query's sums per bucket and group, and in all.

    `rank_by` names the metric whose largest groups are kept; `top` says which groups are kept;
    with neither, all are. `user_ids` has the numbers of the users that filters name.
    """
    parameters = Parameters()
    keys = key_names(query)
    usage = SQL("\n    UNION ALL\n").join(
        part_of_usage(query, part, (*SUMS, *histograms), parameters, user_ids) for part in parts
    )
    added = [
        *(SQL("sum({0}) AS {0}").format(Identifier(name)) for name in SUMS),
        *(SQL("string_agg({0}, '') AS {0}").format(Identifier(name)) for name in histograms),
    ]
    groups = [Identifier("bucket"), *keys]
    text = SQL(
        """
WITH usage AS MATERIALIZED (
    SELECT {groups}, {added}
    FROM (
{usage}
    ) AS part
    GROUP BY {groups}
){top}
SELECT false AS is_total, {named}, {added}
FROM usage
{join}
GROUP BY {numbers}
UNION ALL
SELECT true, NULL, false, {nulls} {total_added}
FROM usage
LIMIT {limit}
"""
    ).format(
        groups=SQL(", ").join(groups),
        added=SQL(", ").join(added),
        usage=usage,
        top=top_groups(query, rank_by, top, parameters),
        named=named_groups(keys, limited=rank_by is not None or top is not None),
        join=top_join(keys, limited=rank_by is not None or top is not None),
        numbers=SQL(", ").join(SQL(str(n)) for n in range(2, len(keys) + 4)),
        nulls=SQL("").join(SQL("NULL, ") for _ in keys),
        total_added=SQL(", ").join(
            [*added[: len(SUMS)], *(SQL("NULL::bytea") for _ in histograms)]
        ),
        limit=Literal(MAX_ROWS + 2),
    )
    return Statement(text, parameters.values)


def users_statement(
    query: CostQuery,
    parts: Sequence[Segment],
    *,
    top: Sequence[tuple[Key, ...]] | None,
    user_ids: dict[str, int],
) -> Statement:
    """The numbers of distinct users per bucket and group, and in all."""
    parameters = Parameters()
    keys = key_names(query)
    usage = SQL("\n    UNION ALL\n").join(
        part_of_usage(query, part, (), parameters, user_ids, with_user=True) for part in parts
    )
    text = SQL(
        """
WITH usage AS MATERIALIZED (
{usage}
){top}
SELECT false AS is_total, {named}, count(DISTINCT user_id) FILTER (WHERE user_id <> 0)
FROM usage
{join}
GROUP BY {numbers}
UNION ALL
SELECT true, NULL, false, {nulls} count(DISTINCT user_id) FILTER (WHERE user_id <> 0)
FROM usage
"""
    ).format(
        usage=usage,
        top=top_groups(query, None, top, parameters),
        named=named_groups(keys, limited=top is not None),
        join=top_join(keys, limited=top is not None),
        numbers=SQL(", ").join(SQL(str(n)) for n in range(2, len(keys) + 4)),
        nulls=SQL("").join(SQL("NULL, ") for _ in keys),
    )
    return Statement(text, parameters.values)


def key_names(query: CostQuery) -> list[Identifier]:
    return [Identifier(f"key_{number}") for number in range(len(query.group_by))]


def named_groups(keys: Sequence[Identifier], *, limited: bool) -> Composed:
    """bucket, is_other, keys: the keys of a group that is not in top are NULL."""
    if not (limited and keys):
        return SQL(", ").join([Identifier("bucket"), SQL("false"), *keys])
    is_other = SQL("top.{} IS NULL").format(keys[0])
    return SQL(", ").join(
        [Identifier("bucket"), is_other, *(SQL("top.{}").format(key) for key in keys)]
    )


def top_join(keys: Sequence[Identifier], *, limited: bool) -> Composable:
    if not (limited and keys):
        return SQL("")
    return SQL("LEFT JOIN top USING ({})").format(SQL(", ").join(keys))


def top_groups(
    query: CostQuery,
    rank_by: str | None,
    top: Sequence[tuple[Key, ...]] | None,
    parameters: Parameters,
) -> Composable:
    keys = key_names(query)
    if not keys or (rank_by is None and top is None):
        return SQL("")
    names = SQL(", ").join(keys)
    if top is not None:
        columns = [
            SQL("{}::{}[]").format(
                parameters.add([key[number] for key in top]),
                SQL("integer" if dimension == "user" else "text"),
            )
            for number, dimension in enumerate(query.group_by)
        ]
        return SQL(",\ntop AS (SELECT * FROM unnest({}) AS top ({}))").format(
            SQL(", ").join(columns), names
        )
    assert rank_by is not None
    return SQL(
        """,
top AS (
    SELECT {names}
    FROM (SELECT {names}, {sums} FROM usage GROUP BY {names}) AS ranked
    ORDER BY {rank} DESC NULLS LAST, {names}
    LIMIT {limit}
)"""
    ).format(
        names=names,
        sums=SQL(", ").join(SQL("sum({0}) AS {0}").format(Identifier(name)) for name in SUMS),
        rank=RANKS[rank_by],
        limit=parameters.add(query.limit),
    )


def part_of_usage(
    query: CostQuery,
    part: Segment,
    columns: Sequence[str],
    parameters: Parameters,
    user_ids: dict[str, int],
    *,
    with_user: bool = False,
) -> Composed:
    """What one table holds of the query: a row per row of the table that the filters keep."""
    selected: list[Composable] = [SQL("{} AS bucket").format(bucket(query, part.grain, parameters))]
    for name, dimension in zip(key_names(query), query.group_by, strict=True):
        selected.append(SQL("{} AS {}").format(dimension_sql(dimension, parameters), name))
    if with_user:
        selected.append(SQL("usage.user_id"))
    for column in columns:
        is_own = part.grain.step == "event" and column in EVENT_HISTOGRAMS
        value = EVENT_HISTOGRAMS[column] if is_own else SQL("usage.{}").format(Identifier(column))
        selected.append(SQL("{} AS {}").format(value, Identifier(column)))
    return SQL("    SELECT {}\n    FROM {} AS usage{}\n    WHERE {}").format(
        SQL(", ").join(selected),
        Identifier(part.grain.table),
        joins(query, part.grain),
        SQL(" AND ").join(
            [
                *time_bounds(query, part, parameters),
                *(condition(each, parameters, user_ids) for each in query.filters),
            ]
        ),
    )


def joins(query: CostQuery, grain: Grain) -> Composed:
    found = []
    if grain.has_attribution and query.dimensions() - {"user"}:
        found.append(SQL("JOIN attribution ON attribution.id = usage.attribution_id"))
        if "cost_center" in query.dimensions():
            found.append(SQL("LEFT JOIN team ON team.name = attribution.team"))
    if grain.step == "event":
        found.append(
            SQL(
                "JOIN ingest_batch ON ingest_batch.id = usage.batch_id"
                " AND ingest_batch.folded_at IS NOT NULL"
            )
        )
    return SQL("").join(SQL("\n    {}").format(each) for each in found)


def bucket(query: CostQuery, grain: Grain, parameters: Parameters) -> Composable:
    """When the row counts: an instant for hours, a day of the zone for anything longer."""
    if query.granularity == "total":
        return SQL("NULL::date")
    zone = parameters.add(query.zone.key)
    if query.granularity == "hour":
        if grain.step == "hour":
            return SQL("usage.hour")
        return SQL("date_trunc('hour', usage.started_at, {})").format(zone)
    day: Composable = {
        "event": SQL("(usage.started_at AT TIME ZONE {})::date").format(zone),
        "hour": SQL("(usage.hour AT TIME ZONE {})::date").format(zone),
        "day": SQL("usage.day"),
        "month": SQL("usage.month"),
    }[grain.step]
    if query.granularity == "day":
        return day
    return SQL("date_trunc({}, {}::timestamp)::date").format(Literal(query.granularity), day)


def time_bounds(query: CostQuery, part: Segment, parameters: Parameters) -> list[Composable]:
    if part.grain.step == "event":
        return [
            SQL("usage.started_at >= {}").format(parameters.add(part.start)),
            SQL("usage.started_at < {}").format(parameters.add(part.end)),
            # The partitions to look at.
            SQL("usage.utc_day >= {}").format(parameters.add(part.start.astimezone(UTC).date())),
            SQL("usage.utc_day <= {}").format(parameters.add(part.end.astimezone(UTC).date())),
        ]
    column = Identifier(part.grain.step)
    in_hours = part.grain.step == "hour"
    start = part.start if in_hours else local_day(part.start, query.zone)
    end = part.end if in_hours else local_day(part.end, query.zone)
    return [
        SQL("usage.{} >= {}").format(column, parameters.add(start)),
        SQL("usage.{} < {}").format(column, parameters.add(end)),
    ]


def dimension_sql(dimension: str, parameters: Parameters) -> Composable:
    if dimension == "user":
        return SQL("usage.user_id")
    if dimension == "cost_center":
        value: Composable = SQL("team.cost_center")
    elif dimension.startswith(TAG_PREFIX):
        tag = parameters.add(dimension.removeprefix(TAG_PREFIX))
        value = SQL("(attribution.tags ->> {}::text)").format(tag)
    else:
        assert dimension in DIMENSIONS
        value = SQL("attribution.{}").format(Identifier(dimension))
    return SQL("coalesce(nullif({}, ''), {})").format(value, Literal(UNATTRIBUTED))


def condition(each: Filter, parameters: Parameters, user_ids: dict[str, int]) -> Composable:
    values: list[object] = list(each.values)
    cast = "text"
    if each.dimension == "user":
        values = [user_ids[value] for value in each.values if value in user_ids]
        cast = "integer"
    return SQL("{} {}({}::{}[])").format(
        dimension_sql(each.dimension, parameters),
        SQL("<> ALL" if each.exclude else "= ANY"),
        parameters.add(values),
        SQL(cast),
    )
