"""The parts of a statement: what one table holds of a query, in SQL of closed sets of names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from finops.costs import owners
from finops.costs.owners import COST_CENTER, Known
from finops.costs.parameters import Parameters
from finops.costs.results import UNATTRIBUTED
from finops.costs.tables import EVENT, USER_DAY, Grain, Segment
from finops.periods import local_day
from finops.query import DIMENSIONS, TAG_PREFIX, CostQuery, Filter

# One entry each: an event's own histogram.
EVENT_HISTOGRAMS = {
    "latency_histogram": SQL("int2send(usage.latency_bin) || int4send(usage.requests)"),
    "ttft_histogram": SQL("int2send(usage.ttft_bin) || int4send(usage.requests)"),
}


# Never NULL, and '' where nothing was given.
ATTRIBUTED = frozenset(DIMENSIONS) - {"user", COST_CENTER}
# To look for more users one by one takes longer than to read all days at once: three times as long
# for 300 of them in a month of 4.5 million rows.
MOST_LOOKED_FOR = 50


def key_names(query: CostQuery) -> list[Identifier]:
    return [Identifier(f"key_{number}") for number in range(len(query.group_by))]


def part_of_usage(
    query: CostQuery,
    part: Segment,
    columns: Sequence[str],
    parameters: Parameters,
    known: Known,
    *,
    with_user: bool = False,
    only_users: Sequence[int] | None = None,
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
        source(query, part, only_users, parameters),
        joins(query, part.grain, parameters, known),
        SQL(" AND ").join(
            [
                *time_bounds(query, part, parameters),
                *(condition(each, parameters, known) for each in query.filters),
                *users_condition(only_users, parameters),
            ]
        ),
    )


def source(
    query: CostQuery, part: Segment, only_users: Sequence[int] | None, parameters: Parameters
) -> Composable:
    """The table. Days of users have no index by user: those of a few are looked for by the key, in
    each attribution of each day, which is much less than to read everybody's."""
    if only_users is None or len(only_users) > MOST_LOOKED_FOR or part.grain is not USER_DAY:
        return Identifier(part.grain.table)
    return SQL(
        """(
        SELECT own.*
        FROM rollup_day AS held
        CROSS JOIN LATERAL (
            SELECT *
            FROM rollup_user_day
            WHERE rollup_user_day.day = held.day
                AND rollup_user_day.attribution_id = held.attribution_id
                AND rollup_user_day.user_id = ANY({}::integer[])
            OFFSET 0
        ) AS own
        WHERE held.day >= {} AND held.day < {}
    )"""
    ).format(
        parameters.add(sorted(only_users)),
        parameters.add(local_day(part.start, query.zone)),
        parameters.add(local_day(part.end, query.zone)),
    )


def joins(query: CostQuery, grain: Grain, parameters: Parameters, known: Known) -> Composed:
    found: list[Composable] = []
    if grain.has_attribution and query.dimensions() - {"user"}:
        found.append(SQL("JOIN attribution ON attribution.id = usage.attribution_id"))
        if COST_CENTER in query.dimensions():
            found.append(
                owners.joins(
                    day_sql(query, grain, parameters),
                    known.owned,
                    parameters,
                    has_users=grain in {EVENT, USER_DAY},
                )
            )
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
    if query.granularity == "hour":
        if grain.step == "hour":
            return SQL("usage.hour")
        zone = parameters.add(query.zone.key)
        return SQL("date_trunc('hour', usage.started_at, {})").format(zone)
    day = day_sql(query, grain, parameters)
    if query.granularity == "day":
        return day
    return SQL("date_trunc({}, {}::timestamp)::date").format(Literal(query.granularity), day)


def day_sql(query: CostQuery, grain: Grain, parameters: Parameters) -> Composable:
    """The day of the zone on which the row counts."""
    column = SQL("usage.{}").format(Identifier(grain.column))
    if grain.step not in {"event", "hour"}:
        return column
    zone = parameters.share("zone", query.zone.key)
    return SQL("({} AT TIME ZONE {})::date").format(column, zone)


def time_bounds(query: CostQuery, part: Segment, parameters: Parameters) -> list[Composable]:
    if part.grain.step == "event":
        return [
            SQL("usage.started_at >= {}").format(parameters.add(part.start)),
            SQL("usage.started_at < {}").format(parameters.add(part.end)),
            # The partitions to look at.
            SQL("usage.utc_day >= {}").format(parameters.add(part.start.astimezone(UTC).date())),
            SQL("usage.utc_day <= {}").format(parameters.add(part.end.astimezone(UTC).date())),
        ]
    column = Identifier(part.grain.column)
    in_hours = part.grain.step == "hour"
    start = part.start if in_hours else local_day(part.start, query.zone)
    end = part.end if in_hours else local_day(part.end, query.zone)
    bounds: list[Composable] = [
        SQL("usage.{} >= {}").format(column, parameters.add(start)),
        SQL("usage.{} < {}").format(column, parameters.add(end)),
    ]
    if part.grain.span:
        # Who is in no request any more, after a rebuild, is still there with zeros.
        bounds.append(SQL("usage.span = {}").format(parameters.add(part.grain.span)))
        bounds.append(SQL("usage.requests > 0"))
    return bounds


def dimension_sql(dimension: str, parameters: Parameters) -> Composable:
    if dimension == "user":
        return SQL("usage.user_id")
    if dimension == COST_CENTER:
        value: Composable = owners.OWNER
    elif dimension.startswith(TAG_PREFIX):
        tag = parameters.add(dimension.removeprefix(TAG_PREFIX))
        value = SQL("(attribution.tags ->> {}::text)").format(tag)
    else:
        assert dimension in DIMENSIONS
        value = SQL("attribution.{}").format(Identifier(dimension))
    return SQL("coalesce(nullif({}, ''), {})").format(value, Literal(UNATTRIBUTED))


def condition(each: Filter, parameters: Parameters, known: Known) -> Composable:
    values: list[object] = list(each.values)
    cast = "text"
    column = dimension_sql(each.dimension, parameters)
    if each.dimension == "user":
        values = [known.user_ids[value] for value in each.values if value in known.user_ids]
        cast = "integer"
    elif each.dimension in ATTRIBUTED:
        # The bare column: of an expression over it the planner does not know how much it keeps.
        column = SQL("attribution.{}").format(Identifier(each.dimension))
        values += [""] if UNATTRIBUTED in values else []
    return SQL("{} {}({}::{}[])").format(
        column,
        SQL("<> ALL" if each.exclude else "= ANY"),
        parameters.add(values),
        SQL(cast),
    )


def users_condition(users: Sequence[int] | None, parameters: Parameters) -> list[Composable]:
    if users is None:
        return []
    return [SQL("usage.user_id = ANY({}::integer[])").format(parameters.add(list(users)))]
