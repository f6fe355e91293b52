"""A page of requests, the most expensive first, within one day.

No index is kept by cost, which every event would pay for: each page reads the day's events, and
its plan needs no more than that. Longer periods are refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from psycopg.sql import SQL

from finops.costs.owners import find_known
from finops.costs.parameters import Parameters
from finops.costs.snapshots import snapshot
from finops.costs.tables import EVENT
from finops.periods import InvalidQuery, Period
from finops.query import CostQuery
from finops.requests.listing import FIRST_KEY, fetch, filters_sql, owners_sql
from finops.requests.results import RequestPage, UsageRequest
from finops.requests.rows import read_row
from finops.rollups import refuse_other_zone
from finops.sql import statement

# The day on which clocks are set back.
LONGEST = timedelta(hours=25)
CURSOR_ERRORS = (
    *(ValueError, TypeError, AttributeError, OverflowError),
    *(binascii.Error, InvalidOperation),
)
# What has no price comes last; the cost of a reversal is below zero.
UNPRICED = Decimal("-1E+40")


@dataclass(frozen=True, slots=True)
class Place:
    """Everything before it, in the order (cost, started_at, event_key), is still to come."""

    cost: Decimal
    started_at: datetime
    event_key: UUID


def can_be_sorted(period: Period) -> bool:
    return period.end - period.start <= LONGEST


def costliest(query: CostQuery, cursor: str | None, size: int) -> RequestPage:
    """At most `size` requests of the query's period and filters, from the cursor on.

    Raises InvalidQuery (also for a cursor that is none of ours and for more than a day),
    costs.QueryTooSlow, or rollups.ZoneChanged.
    """
    if not can_be_sorted(query.period):
        raise InvalidQuery("sort", "by cost works within one day; choose 24h or a single day")
    place = read_cursor(cursor) if cursor else Place(Decimal("Infinity"), datetime.max, FIRST_KEY)
    parameters = Parameters()
    with snapshot() as database:
        refuse_other_zone(database, query.zone)
        known = find_known(database, query, owned=True)
        text = SQL(
            """{columns}{owners}
WHERE usage.started_at >= {start}
    AND usage.started_at < {end}
    AND usage.day >= {first_day}
    AND usage.day <= {last_day}
    AND (coalesce(usage.effective_cost, {unpriced}), usage.started_at, usage.event_key)
        < ({cost}, {started_at}, {event_key})
    AND ingest_batch.folded_at IS NOT NULL{filters}
ORDER BY coalesce(usage.effective_cost, {unpriced}) DESC, usage.started_at DESC,
    usage.event_key DESC
LIMIT {size}"""
        ).format(
            columns=SQL(statement("request_columns")),
            owners=owners_sql(query, EVENT, parameters, known),
            start=parameters.add(query.period.start),
            end=parameters.add(query.period.end),
            first_day=parameters.add(query.period.start.astimezone(UTC).date()),
            last_day=parameters.add(query.period.end.astimezone(UTC).date()),
            unpriced=parameters.add(UNPRICED),
            cost=parameters.add(place.cost),
            started_at=parameters.add(place.started_at.replace(tzinfo=UTC)),
            event_key=parameters.add(place.event_key),
            filters=filters_sql(query, parameters, known),
            size=parameters.add(size + 1),
        )
        rows = [read_row(row) for row in fetch(database, text, parameters)]
    following = write_cursor(rows[size - 1]) if len(rows) > size else None
    return RequestPage(rows[:size], following)


def write_cursor(last: UsageRequest) -> str:
    cost = last.costs["effective_cost"]
    place = [str(UNPRICED if cost is None else cost), last.started_at.isoformat(), last.event_key]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Place:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        cost, started_at, event_key = json.loads(base64.urlsafe_b64decode(padded))
        instant, amount = datetime.fromisoformat(started_at), Decimal(cost)
        if instant.tzinfo is None or not amount.is_finite() or abs(amount.adjusted()) > 40:
            raise ValueError("no place")
        return Place(amount, instant.astimezone(UTC), UUID(event_key))
    except CURSOR_ERRORS as error:
        raise InvalidQuery("cursor", "is not one that a page sorted by cost has given") from error
