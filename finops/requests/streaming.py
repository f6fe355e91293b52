"""All requests behind a figure, newest first, as they are read: any number in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from finops.costs.owners import Known, find_known
from finops.costs.snapshots import snapshot
from finops.query import CostQuery
from finops.requests.listing import FIRST_KEY, Position, span_sql, spans_with_requests
from finops.requests.results import UsageRequest
from finops.requests.rows import read_row
from finops.rollups import refuse_other_zone

AT_ONCE = 2_000
# Whoever stops reading for so long is let go, with a file that does not end: a snapshot that stays
# open keeps the database from tidying up.
PATIENCE_MILLISECONDS = 120_000


def stream(query: CostQuery) -> Iterator[UsageRequest]:
    """The requests of the query's period and filters, in the order of listing.page, as one moment
    saw them: that in which the first of them is read. Until then nothing is open, so that whoever
    answers may still write.

    Raises InvalidQuery, costs.QueryTooSlow, or rollups.ZoneChanged where it cannot be answered.
    """
    with snapshot() as database:
        spans_of(database, query, Position(query.period.end, FIRST_KEY))
    return rows_of(query)


def rows_of(query: CostQuery) -> Iterator[UsageRequest]:
    position = Position(query.period.end, FIRST_KEY)
    with snapshot() as database:
        database.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
            [str(PATIENCE_MILLISECONDS)],
        )
        known, spans = spans_of(database, query, position)
        for span in spans:
            yield from rows_of_span(query, known, span, position)


def spans_of(
    database: CursorWrapper, query: CostQuery, position: Position
) -> tuple[Known, list[tuple[datetime, datetime]]]:
    """What the query's names are, and when there were requests."""
    refuse_other_zone(database, query.zone)
    known = find_known(database, query, owned=True)
    return known, list(spans_with_requests(database, query, known, position))


def rows_of_span(
    query: CostQuery, known: Known, span: tuple[datetime, datetime], position: Position
) -> Iterator[UsageRequest]:
    """Through a cursor of the server, which hands over so many rows at once."""
    text, parameters = span_sql(query, known, span, position, None)
    cursor: CursorWrapper
    with connection.chunked_cursor() as cursor:
        cursor.execute(text, parameters.values)
        while rows := cursor.fetchmany(AT_ONCE):
            yield from map(read_row, rows)
