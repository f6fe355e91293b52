"""Who used capacity that is paid for by the hour: hours of lines, weighed and added up.

What a unit comes to differs from hour to hour, and hours are kept of attributions. Users are kept
by the day: where rules on users say who pays, a day's part of an attribution is shared among its
users by their tokens, and by their requests where those are what is paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg.sql import SQL, Composable

from finops.costs import owners
from finops.costs.owners import Known
from finops.costs.parameters import Parameters
from finops.costs.parts import condition, dimension_sql, key_names
from finops.costs.statements import Statement, comma
from finops.query import CostQuery

# In the units of paid capacity; and what users have of it.
UNITS: dict[str, Composable] = {
    "tokens": SQL("(usage.input_tokens + usage.output_tokens)"),
    "requests": SQL("usage.requests"),
    "gpu_seconds": SQL("usage.gpu_seconds"),
}
OF_USERS: dict[str, Composable] = {
    **dict.fromkeys(("tokens", "gpu_seconds"), SQL("(input_tokens + output_tokens)")),
    "requests": SQL("requests"),
}


@dataclass(frozen=True, slots=True)
class CoveredHour:
    """One hour (UTC) of capacity: what one unit that was used in it comes to of the fee, and the
    part of its direct cost that the fee pays for."""

    hour: datetime
    per_unit: Decimal
    of_cost: Decimal


@dataclass(frozen=True, slots=True)
class LineUse:
    """Of one group: what its use comes to of the fee, to twelve decimals, and its direct cost that
    the fee pays for."""

    fee: Decimal
    covered: Decimal


def use_statement(
    query: CostQuery, unit: str, hours: Sequence[CoveredHour], known: Known
) -> Statement:
    """The query's groups, as USE has them."""
    parameters = Parameters()
    keys = key_names(query)
    by_user = known.needs_users(query)
    text = USE.format(
        hours=parameters.add([each.hour for each in hours]),
        per_unit=parameters.add([each.per_unit for each in hours]),
        of_cost=parameters.add([each.of_cost for each in hours]),
        zone=parameters.share("zone", query.zone.key),
        unit=UNITS[unit],
        start=parameters.add(query.period.start),
        end=parameters.add(query.period.end),
        conditions=SQL("").join(
            SQL(" AND {}").format(condition(each, parameters, known)) for each in query.filters
        ),
        groups=comma(
            [
                SQL("{} AS {}").format(dimension_sql(dimension, parameters), name)
                for name, dimension in zip(keys, query.group_by, strict=True)
            ]
        ),
        names=comma(keys),
        usage=OF_EACH_USER.format(weight=OF_USERS[unit]) if by_user else SQL("held"),
        owners=owners.joins(SQL("usage.day"), known.owned, parameters, has_users=by_user),
    )
    return Statement(text, parameters.values)


# A row is: one column per key, fee, covered direct cost, and of all of them together the requests
# without a price in hours whose whole cost is covered.
USE = SQL(
    """
WITH paid AS MATERIALIZED (
    SELECT *
    FROM unnest({hours}::timestamptz[], {per_unit}::numeric[], {of_cost}::numeric[])
        AS paid (hour, per_unit, of_cost)
),
-- One row: one day of one attribution.
held AS MATERIALIZED (
    SELECT
        (usage.hour AT TIME ZONE {zone})::date AS day,
        usage.attribution_id,
        sum({unit} * paid.per_unit) AS fee,
        sum(usage.effective_cost * paid.of_cost) AS covered,
        coalesce(sum(usage.unpriced_requests) FILTER (WHERE paid.of_cost = 1), 0) AS unpriced
    FROM rollup_hour AS usage
    JOIN paid ON paid.hour = usage.hour
    JOIN attribution ON attribution.id = usage.attribution_id
    WHERE usage.hour >= {start} AND usage.hour < {end}{conditions}
    GROUP BY 1, 2
)
SELECT
    {groups},
    round(sum(usage.fee), 12) AS fee,
    sum(usage.covered) AS covered,
    (SELECT sum(unpriced) FROM held) AS unpriced
FROM {usage} AS usage
JOIN attribution ON attribution.id = usage.attribution_id
{owners}
GROUP BY {names}
HAVING sum(usage.fee) <> 0 OR sum(usage.covered) <> 0
"""
)
# One row: one day of one user in one attribution. What is covered follows the user's own cost.
OF_EACH_USER = SQL(
    """(
    SELECT
        held.day, held.attribution_id, person.user_id,
        held.fee * coalesce(
            person.weight / nullif(sum(person.weight) OVER own, 0),
            person.requests / nullif(sum(person.requests) OVER own, 0)
        ) AS fee,
        coalesce(
            person.effective_cost
                * round(held.covered / nullif(sum(person.effective_cost) OVER own, 0), 12),
            0
        ) AS covered
    FROM held
    JOIN (
        SELECT day, attribution_id, user_id, requests, effective_cost, {weight}::numeric AS weight
        FROM rollup_user_day
    ) AS person USING (day, attribution_id)
    WINDOW own AS (PARTITION BY held.day, held.attribution_id)
)"""
)
