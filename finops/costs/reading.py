"""Reads the sums of a query in one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

from finops.costs.metrics import Sums, needed_columns, needed_histograms
from finops.costs.owners import Known
from finops.costs.results import Freshness
from finops.costs.statements import (
    MAX_ROWS,
    Key,
    Statement,
    Top,
    sums_statement,
)
from finops.costs.tables import EVENT, Segment, is_per_user, segments
from finops.histograms import Histogram
from finops.query import CostQuery, InvalidQuery
from finops.sql import statement

# A bucket, whether it is Other, and the keys as the database has them.
Group = tuple[date | datetime | None, bool, tuple[Key, ...]]


@dataclass(frozen=True, slots=True)
class Usage:
    groups: dict[Group, Sums]
    total: Sums


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot, with what statements need to know of it."""

    cursor: CursorWrapper
    freshness: Freshness
    known: Known
    unsettled: frozenset[date]
    # Parts of events that are all there.
    whole: set[Segment] = field(default_factory=set)
    most_rows: int | None = None  # None: as many as any answer may have

    def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        """In binary, which Django's cursor does not offer: histograms would be twice as long."""
        with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
            return cursor.execute(statement.text, statement.parameters, binary=True).fetchall()


def named(query: CostQuery, usage: Usage) -> Top | None:
    """The groups of a limited answer that are not Other."""
    if not (query.limit and query.group_by):
        return None
    return Top(list(dict.fromkeys(keys for _, is_other, keys in usage.groups if not is_other)))


def held_segments(reading: Reading, query: CostQuery, *, per_user: bool) -> list[Segment]:
    """The query's segments. Raises InvalidQuery where one needs events that are dropped."""
    parts = segments(query, reading.unsettled, per_user=per_user)
    return held(reading, query, parts, per_user=per_user)


def held(
    reading: Reading, query: CostQuery, parts: list[Segment], *, per_user: bool
) -> list[Segment]:
    """The parts. Raises InvalidQuery where one needs events that are dropped."""
    for part in parts:
        if part.grain is not EVENT or part in reading.whole:
            continue
        span = {"start": part.start, "end": part.end}
        [(dropped,)] = reading.fetch(Statement(statement("dropped_events"), span))
        if dropped:
            raise InvalidQuery(
                "start",
                f"single events before {dropped + timedelta(days=1)} are gone; choose "
                + whole_steps(query, per_user=per_user),
            )
        reading.whole.add(part)
    return parts


def whole_steps(query: CostQuery, *, per_user: bool) -> str:
    """What is still there when events are not."""
    if not per_user:
        return "whole hours"
    return "granularity day or coarser" if query.granularity == "hour" else "whole days"


def read_usage(
    reading: Reading,
    query: CostQuery,
    top: Top | None,
    only_users: Sequence[int] | None = None,
) -> Usage:
    """The query's sums; `only_users` leaves the usage of everybody else out."""
    columns, histograms = needed_columns(query.metrics), needed_histograms(query.metrics)
    parts = held_segments(reading, query, per_user=is_per_user(query, reading.known))
    most = MAX_ROWS if reading.most_rows is None else reading.most_rows
    asked = (query, parts, reading.known, columns, histograms, top, only_users)
    rows = reading.fetch(sums_statement(*asked, most_rows=most))
    if len(rows) > most + 1:
        raise InvalidQuery(
            "group_by",
            f"the answer has more than {most:,} rows; "
            "filter, choose fewer dimensions, or rank by cost",
        )
    groups = {}
    total = Sums({})
    for is_total, bucket, is_other, *values in rows:
        keys = tuple(values[: len(query.group_by)])
        sums = read_sums(values[len(keys) :], columns, histograms)
        if is_total:
            total = sums
        else:
            groups[bucket, is_other, keys] = sums
    for name in histograms:
        total.histograms[name] = Histogram.merged(sums.histograms[name] for sums in groups.values())
    return Usage(groups, total)


def read_sums(values: Sequence[Any], columns: Sequence[str], histograms: Sequence[str]) -> Sums:
    numbers = [value or Decimal(0) for value in values[: len(columns)]]
    joined = [Histogram.read(value or b"") for value in values[len(columns) :]]
    return Sums(
        dict(zip(columns, numbers, strict=True)), dict(zip(histograms, joined, strict=True))
    )
