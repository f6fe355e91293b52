"""A page of requests, newest first.

Rollups say on which days and in which hours there are any, so that a rare filter over a long
period reads a few hours of events and not all of them. Only folded events are listed: those that
the figures count.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Composable, Composed

from finops.costs import owners
from finops.costs.owners import COST_CENTER, Known, find_known
from finops.costs.parameters import Parameters
from finops.costs.parts import condition, day_sql
from finops.costs.snapshots import snapshot
from finops.costs.tables import DAY, EVENT, HOUR, Grain
from finops.periods import InvalidQuery, local_day, start_of_day
from finops.query import CostQuery
from finops.requests.results import RequestPage, UsageRequest
from finops.requests.rows import read_row
from finops.rollups import refuse_other_zone
from finops.sql import statement

FIRST_KEY = UUID(int=2**128 - 1)
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Position:
    """Everything before it, in the order (started_at, event_key), is still to come."""

    started_at: datetime
    event_key: UUID


def page(query: CostQuery, cursor: str | None, size: int) -> RequestPage:
    """At most `size` requests of the query's period and filters, from the cursor on.

    Raises InvalidQuery (also for a cursor that is none of ours), costs.QueryTooSlow, or
    rollups.ZoneChanged.
    """
    position = read_cursor(cursor) if cursor else Position(query.period.end, FIRST_KEY)
    rows: list[UsageRequest] = []
    with snapshot() as database:
        refuse_other_zone(database, query.zone)
        known = find_known(database, query, owned=True)
        for start, end in spans_with_requests(database, query, known, position):
            rows += read_span(database, query, known, (start, end), position, size + 1 - len(rows))
            if len(rows) > size:
                return RequestPage(rows[:size], write_cursor(rows[size - 1]))
    return RequestPage(rows, None)


def spans_with_requests(
    database: CursorWrapper, query: CostQuery, known: Known, position: Position
) -> Iterator[tuple[datetime, datetime]]:
    """Spans of time, newest first, that hold requests of the query: hours, or whole days where
    users are filtered, of whom no hours are kept."""
    until = min(query.period.end, position.started_at + timedelta(microseconds=1))
    for day in days_with_requests(database, query, known, until):
        start = max(start_of_day(day, query.zone), query.period.start)
        end = min(start_of_day(day + timedelta(days=1), query.zone), until)
        if known.needs_users(by_filters(query)):
            yield start, end
            continue
        for hour in hours_with_requests(database, query, known, (start, end)):
            yield max(hour, start), min(hour + ONE_HOUR, end)


def days_with_requests(
    database: CursorWrapper, query: CostQuery, known: Known, until: datetime
) -> list[date]:
    """The days of the period that may hold requests of the query, newest first."""
    parameters = Parameters()
    span = {
        "first": parameters.add(local_day(query.period.start, query.zone)),
        "last": parameters.add(local_day(until - timedelta(microseconds=1), query.zone)),
    }
    text = SQL(
        "SELECT DISTINCT day FROM rollup_day AS usage{}"
        " WHERE day BETWEEN {first} AND {last}{}{} ORDER BY day DESC"
    ).format(
        attribution_sql(query, DAY, parameters, known),
        filters_sql(query, parameters, known, with_users=False),
        SQL("").join(
            SQL(
                " AND (EXISTS (SELECT 1 FROM rollup_user_total AS total WHERE span = 'day'"
                " AND start = usage.day AND user_id = ANY({}::integer[]) AND total.requests > 0)"
                " OR EXISTS (SELECT 1 FROM rollup_unsettled WHERE day = usage.day))"
            ).format(
                parameters.add(
                    [known.user_ids[name] for name in each.values if name in known.user_ids]
                )
            )
            for each in query.filters
            if each.dimension == "user" and not each.exclude
        ),
        **span,
    )
    return [row[0] for row in fetch(database, text, parameters)]


def hours_with_requests(
    database: CursorWrapper,
    query: CostQuery,
    known: Known,
    span: tuple[datetime, datetime],
) -> list[datetime]:
    parameters = Parameters()
    text = SQL(
        "SELECT DISTINCT hour FROM rollup_hour AS usage{} WHERE hour > {} AND hour < {}{}"
        " ORDER BY hour DESC"
    ).format(
        attribution_sql(query, HOUR, parameters, known),
        # The hour in which the span begins may begin before it.
        parameters.add(span[0] - ONE_HOUR),
        parameters.add(span[1]),
        filters_sql(query, parameters, known, with_users=False),
    )
    return [row[0].astimezone(UTC) for row in fetch(database, text, parameters)]


def read_span(
    database: CursorWrapper,
    query: CostQuery,
    known: Known,
    span: tuple[datetime, datetime],
    position: Position,
    size: int,
) -> list[UsageRequest]:
    text, parameters = span_sql(query, known, span, position, size)
    return [read_row(row) for row in fetch(database, text, parameters)]


def span_sql(
    query: CostQuery,
    known: Known,
    span: tuple[datetime, datetime],
    position: Position,
    size: int | None,
) -> tuple[Composed, Parameters]:
    """At most `size` requests of the span (None: all). Uses the index usage_event_started_at of the
    one or two days of it."""
    parameters = Parameters()
    text = SQL(
        """{columns}{owners}
WHERE usage.started_at >= {start}
    AND usage.started_at < {end}
    AND usage.day >= {first_day}
    AND usage.day <= {last_day}
    AND (usage.started_at, usage.event_key) < ({position}, {event_key})
    AND ingest_batch.folded_at IS NOT NULL{filters}
ORDER BY usage.started_at DESC, usage.event_key DESC
LIMIT {size}"""
    ).format(
        columns=SQL(statement("request_columns")),
        owners=owners_sql(query, EVENT, parameters, known),
        start=parameters.add(span[0]),
        end=parameters.add(span[1]),
        first_day=parameters.add(span[0].astimezone(UTC).date()),
        last_day=parameters.add(span[1].astimezone(UTC).date()),
        position=parameters.add(position.started_at),
        event_key=parameters.add(position.event_key),
        filters=filters_sql(query, parameters, known),
        size=parameters.add(size),
    )
    return text, parameters


def by_filters(query: CostQuery) -> CostQuery:
    """Requests are listed, not grouped."""
    return query.replace(group_by=())


def attribution_sql(
    query: CostQuery, grain: Grain, parameters: Parameters, known: Known
) -> Composable:
    """What the query's filters read beside `usage`."""
    if not query.filters:
        return SQL("")
    found = SQL(" JOIN attribution ON attribution.id = usage.attribution_id\n")
    if all(each.dimension != COST_CENTER for each in query.filters):
        return found
    return found + owners_sql(query, grain, parameters, known)


def owners_sql(query: CostQuery, grain: Grain, parameters: Parameters, known: Known) -> Composable:
    day = day_sql(query, grain, parameters)
    return owners.joins(day, known.owned, parameters, has_users=grain is EVENT)


def filters_sql(
    query: CostQuery, parameters: Parameters, known: Known, *, with_users: bool = True
) -> Composed:
    """`with_users`, also what differs among the users of one attribution."""
    apart = {"user", *([COST_CENTER] if known.owned.by_user else [])}
    return SQL("").join(
        SQL(" AND {}").format(condition(each, parameters, known))
        for each in query.filters
        if with_users or each.dimension not in apart
    )


def fetch(database: CursorWrapper, text: Composed, parameters: Parameters) -> list[tuple[Any, ...]]:
    database.execute(text, parameters.values)
    rows: list[tuple[Any, ...]] = database.fetchall()
    return rows


def write_cursor(last: UsageRequest) -> str:
    text = json.dumps([last.started_at.isoformat(), last.event_key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Position:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        started_at, event_key = json.loads(base64.urlsafe_b64decode(padded))
        instant = datetime.fromisoformat(started_at)
        if instant.tzinfo is None:
            raise ValueError("naive")
        return Position(instant.astimezone(UTC), UUID(event_key))
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise InvalidQuery("cursor", "is not one that a page of requests has given") from error
