"""What users used beyond an amount, per day or per month: what a limit would have kept from them.

A settled day or month is a row for each user, which an index finds by cost; so limits that few
reach are read in milliseconds, however many users there are. With filters everybody is added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from psycopg.sql import SQL, Composed

from finops.costs.leaders import spans_of
from finops.costs.parameters import Parameters
from finops.costs.parts import part_of_usage
from finops.costs.reading import Reading, held_segments
from finops.costs.runs import opened
from finops.costs.statements import Statement
from finops.costs.tables import Segment
from finops.costs.user_ranking import COLUMNS, by_user, numbers_of_nobody
from finops.query import CostQuery
from finops.sql import statement


@dataclass(frozen=True, slots=True)
class Excess:
    """What lies beyond `amount` in each step of the query: how much in all, of how many users, in
    how many of their steps, and how many requests it stands for, each taken to cost the same in
    its step."""

    amount: Decimal
    cost: Decimal
    users: int
    steps: int
    requests: Decimal


def largest_step(query: CostQuery) -> Decimal:
    """The most that one user cost in one day or month of the query, as its granularity says."""
    with opened(query) as reading:
        nobodies, asked = list(numbers_of_nobody(reading)), by_user(query, query.granularity)
        parts = held_segments(reading, asked, per_user=True)
        whole = [part for part in parts if part.grain.span == query.granularity]
        spans = [span for part in whole for span in spans_of(part, query)]
        parameters = {
            "spans": [name for name, _ in spans],
            "starts": [start for _, start in spans],
            "depth": len(nobodies) + 1,
        }
        leading = reading.fetch(Statement(statement("leading_users"), parameters))
        most = [cost for _, number, cost in leading if number not in nobodies]
        if others := [part for part in parts if part not in whole]:
            [(cost,)] = reading.fetch(largest_statement(reading, asked, others, nobodies))
            most.append(cost or Decimal(0))
    return max(most, default=Decimal(0))


def excesses(query: CostQuery, amounts: Sequence[Decimal]) -> list[Excess]:
    """Of each amount above zero, in the order given; the query's granularity is day or month.

    Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    if not amounts:
        return []
    with opened(query) as reading:
        rows = reading.fetch(excess_statement(reading, query, amounts))
    found = {amount: Excess(amount, *rest) for amount, *rest in rows}
    nothing = (Decimal(0), 0, 0, Decimal(0))
    return [found.get(amount) or Excess(amount, *nothing) for amount in amounts]


def largest_statement(
    reading: Reading, asked: CostQuery, parts: Sequence[Segment], nobodies: list[int]
) -> Statement:
    """One row: the most that one user cost in one step of these parts."""
    parameters = Parameters()
    text = SQL("SELECT max(cost)\nFROM (\n{}\n) AS held").format(
        held_steps(reading, asked, parts, nobodies, None, parameters)
    )
    return Statement(text, parameters.values)


def excess_statement(reading: Reading, query: CostQuery, amounts: Sequence[Decimal]) -> Statement:
    """One row: an amount, and what lies beyond it."""
    parameters, asked = Parameters(), by_user(query, query.granularity)
    parts = held_segments(reading, asked, per_user=True)
    nobodies = list(numbers_of_nobody(reading))
    text = SQL(
        """
WITH held AS MATERIALIZED (
{held}
)
SELECT
    amount, sum(cost - amount) AS cost, count(DISTINCT user_id) AS users, count(*) AS steps,
    sum(requests * (cost - amount) / cost) AS requests
FROM held
JOIN unnest({amounts}::numeric[]) AS asked (amount) ON cost > amount
GROUP BY amount
"""
    ).format(
        held=held_steps(reading, asked, parts, nobodies, min(amounts), parameters),
        amounts=parameters.add(list(amounts)),
    )
    return Statement(text, parameters.values)


def held_steps(
    reading: Reading,
    asked: CostQuery,
    parts: Sequence[Segment],
    nobodies: list[int],
    least: Decimal | None,
    parameters: Parameters,
) -> Composed:
    """One row: one user in one step, in which they cost more than `least`.

    Where the table has just that row for a step, the others are left out before they are added up.
    """
    single = SQL(
        "    SELECT * FROM (\n{part}\n    ) AS step WHERE effective_cost > {least}::numeric"
    )
    read = []
    for each in parts:
        part = part_of_usage(asked, each, COLUMNS, parameters, reading.known)
        is_single = least is not None and each.grain.span == asked.granularity
        read.append(single.format(part=part, least=parameters.add(least)) if is_single else part)
    return SQL(
        """    SELECT
        bucket, key_0 AS user_id, sum(requests) AS requests, sum(effective_cost) AS cost
    FROM (
{parts}
    ) AS part
    WHERE key_0 <> ALL({nobodies}::integer[])
    GROUP BY bucket, key_0
    HAVING {least}::numeric IS NULL OR sum(effective_cost) > {least}::numeric"""
    ).format(
        parts=SQL("\n    UNION ALL\n").join(read),
        nobodies=parameters.add(nobodies),
        least=parameters.add(least),
    )
