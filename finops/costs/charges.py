"""What requests used, by day, owner, labels and the price lines that rated them.

Rollups know no price lines: this reads events, one day of the reporting zone at a time, so that
memory holds one day's groups however long the period is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg import Cursor
from psycopg.sql import SQL, Composed, Identifier, Literal

from finops.allocation import LineKey
from finops.costs.owners import Known, joins, read_owners
from finops.costs.parameters import Parameters
from finops.costs.parts import dimension_sql
from finops.costs.snapshots import snapshot
from finops.costs.statements import comma
from finops.focus.usage import Labels, PricedUsage
from finops.periods import days
from finops.pricing.formula import Quantities

# A day of ten million events takes a few seconds.
MILLISECONDS = 600_000
TOKENS = (
    *("uncached_input_tokens", "cache_read_input_tokens", "cache_creation_5m_input_tokens"),
    *("cache_creation_1h_input_tokens", "input_audio_tokens", "text_output_tokens"),
    *("reasoning_output_tokens", "output_audio_tokens"),
)
GROUPS = ("attribution_id", "price_id", "contract_price_id", "fixing_id", "user_id")
PLACES = len(LineKey._fields) + len(Labels._fields) + 4
# Added up once by the numbers of attributions, which is quick, and again by what they say.
USED_AT_PRICES = SQL(
    """
-- One row: what the requests with a price of one day [start, end), of equal owner, line and labels,
-- used at the same price lines and exchange rates. A reversal takes back what its request used.
-- Uses usage_event_started_at, or reads the partitions of the day.
SELECT
    {keys},
    {labels}, attribution.tags, usage.price_id, usage.contract_price_id, usage.fixing_id,
    {tokens},
    sum(usage.gpu_seconds), sum(usage.requests)::bigint,
    sum(usage.list_cost), sum(usage.effective_cost)
FROM (
    SELECT
        {groups},
        {sums},
        coalesce(sum(gpu_seconds), 0) AS gpu_seconds,
        sum(CASE WHEN reverses_key IS NULL THEN 1 ELSE -1 END) AS requests,
        sum(list_cost) AS list_cost,
        sum(effective_cost) AS effective_cost
    FROM usage_event
    WHERE started_at >= {start} AND started_at < {end}
        AND day >= {first_day} AND day <= {last_day}
        AND effective_cost IS NOT NULL
        AND batch_id NOT IN (SELECT id FROM ingest_batch WHERE folded_at IS NULL)
    GROUP BY {groups}
) AS usage
JOIN attribution ON attribution.id = usage.attribution_id
    {joins}
WHERE {teams}::text[] IS NULL OR attribution.team = ANY({teams}::text[])
GROUP BY {places}
ORDER BY {places}
"""
)


def read_priced_usage(
    first: date, end: date, zone: ZoneInfo, teams: Collection[str] | None = None
) -> Iterator[PricedUsage]:
    """Of every day from the first until before `end`, in order, of these teams (None: of all). All
    of it is of one moment: the snapshot stays open until the last is read."""
    with snapshot(MILLISECONDS) as cursor:
        known = Known(owners=read_owners(cursor))
        day = first
        while day < end:
            yield from read_day(day, zone, known, teams)
            day += timedelta(days=1)


def read_day(
    day: date, zone: ZoneInfo, known: Known, teams: Collection[str] | None
) -> Iterator[PricedUsage]:
    parameters = Parameters()
    text = statement(day, zone, known, teams, parameters)
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        for row in cursor.execute(text, parameters.values, binary=True).fetchall():
            yield usage_of(day, row)


def statement(
    day: date,
    zone: ZoneInfo,
    known: Known,
    teams: Collection[str] | None,
    parameters: Parameters,
) -> Composed:
    period = days(day, day + timedelta(days=1), zone)
    by_user = known.owned.by_user
    own_day = SQL("{}::date").format(parameters.share("own_day", day))
    return USED_AT_PRICES.format(
        keys=comma([dimension_sql(name, parameters) for name in LineKey._fields]),
        labels=comma([SQL("attribution.{}").format(Identifier(name)) for name in Labels._fields]),
        tokens=comma([SQL("sum(usage.{})::bigint").format(Identifier(name)) for name in TOKENS]),
        groups=comma([Identifier(name) for name in (GROUPS if by_user else GROUPS[:-1])]),
        sums=comma([SQL("sum({0}) AS {0}").format(Identifier(name)) for name in TOKENS]),
        start=parameters.share("start", period.start),
        end=parameters.share("end", period.end),
        first_day=parameters.share("first_day", period.start.astimezone(UTC).date()),
        last_day=parameters.share("last_day", period.end.astimezone(UTC).date()),
        joins=joins(own_day, known.owned, parameters, has_users=by_user),
        teams=parameters.share("teams", None if teams is None else list(teams)),
        places=comma([Literal(n + 1) for n in range(PLACES)]),
    )


def usage_of(day: date, row: tuple[Any, ...]) -> PricedUsage:
    keys, rest = row[: len(LineKey._fields)], row[len(LineKey._fields) :]
    labels, rest = rest[: len(Labels._fields)], rest[len(Labels._fields) :]
    tags, price, contract, fixing, *quantities, list_cost, cost = rest
    return PricedUsage(
        day,
        LineKey(*keys),
        Labels(*labels),
        tags,
        price,
        contract,
        fixing,
        Quantities(*quantities),
        list_cost,
        cost,
    )
