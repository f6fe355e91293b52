"""Runs a query in one snapshot: reads sums, derives metrics, names keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

from finops.costs.metrics import Sums, derive, needed_columns, needed_histograms, rank
from finops.costs.results import (
    OTHER,
    UNATTRIBUTED,
    CostResult,
    CostRow,
    Coverage,
    Freshness,
    Value,
)
from finops.costs.snapshots import find_users, read_freshness, snapshot
from finops.costs.statements import (
    MAX_ROWS,
    RANKS,
    Key,
    Statement,
    Top,
    sums_statement,
    users_statement,
)
from finops.costs.tables import counts_users, is_per_user, segments
from finops.periods import previous, start_of_day
from finops.query import CostQuery, InvalidQuery
from finops.rollups import refuse_other_zone

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
    user_ids: dict[str, int]
    unsettled: frozenset[date]

    def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        """In binary, which Django's cursor does not offer: histograms would be twice as long."""
        with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
            return cursor.execute(statement.text, statement.parameters, binary=True).fetchall()


def run(query: CostQuery) -> CostResult:
    """Answer the query. Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged."""
    with snapshot() as cursor:
        refuse_other_zone(cursor, query.zone)
        reading = Reading(
            cursor, read_freshness(cursor), find_users(cursor, query), find_unsettled(cursor)
        )
        usage = read_usage(reading, query, chosen_top(reading, query))
        before = None
        if query.compare:
            earlier = query.replace(period=previous(query.period, query.zone), compare=False)
            # The same groups by name, so that each can be set against its former self.
            before = result(reading, earlier, read_usage(reading, earlier, named(query, usage)))
        return result(reading, query, usage, before)


def chosen_top(reading: Reading, query: CostQuery) -> Top | None:
    """Which groups to name, where there is a limit."""
    if not (query.limit and query.group_by):
        return None
    metrics = query.metrics[:1]
    if metrics[0] in RANKS:
        return Top(rank_by=metrics[0])
    whole = query.replace(granularity="total", limit=None, metrics=metrics)
    groups = read_usage(reading, whole, None).groups
    values = {keys: derive(metrics, sums)[metrics[0]] for (_, _, keys), sums in groups.items()}
    return Top(sorted(values, key=lambda keys: rank(values[keys], keys))[: query.limit])


def named(query: CostQuery, usage: Usage) -> Top | None:
    """The groups of a limited answer that are not Other."""
    if not (query.limit and query.group_by):
        return None
    return Top(list(dict.fromkeys(keys for _, is_other, keys in usage.groups if not is_other)))


def read_usage(reading: Reading, query: CostQuery, top: Top | None) -> Usage:
    columns, histograms = needed_columns(query.metrics), needed_histograms(query.metrics)
    parts = segments(query, reading.unsettled, per_user=is_per_user(query))
    rows = reading.fetch(sums_statement(query, parts, reading.user_ids, columns, histograms, top))
    if len(rows) > MAX_ROWS + 1:
        raise InvalidQuery("limit", f"the answer has more than {MAX_ROWS:,} rows; give a limit")
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
        total.histograms[name] = b"".join(sums.histograms[name] for sums in groups.values())
    usage = Usage(groups, total)
    if counts_users(query):
        count_users(reading, query, named(query, usage), usage)
    return usage


def read_sums(values: Sequence[Any], columns: Sequence[str], histograms: Sequence[str]) -> Sums:
    numbers = [value or Decimal(0) for value in values[: len(columns)]]
    joined = [bytes(value or b"") for value in values[len(columns) :]]
    return Sums(
        dict(zip(columns, numbers, strict=True)), dict(zip(histograms, joined, strict=True))
    )


def count_users(reading: Reading, query: CostQuery, top: Top | None, usage: Usage) -> None:
    """Adds the numbers of distinct users, which are not the sums of those of groups."""
    parts = segments(query, reading.unsettled, per_user=True)
    rows = reading.fetch(users_statement(query, parts, reading.user_ids, top))
    for is_total, bucket, is_other, *keys, users in rows:
        sums = usage.total if is_total else usage.groups[bucket, is_other, tuple(keys)]
        sums.users = users


def result(
    reading: Reading, query: CostQuery, usage: Usage, before: CostResult | None = None
) -> CostResult:
    users = name_users(reading.cursor, query, usage)
    rows = [
        CostRow(
            start=instant(bucket, query.zone),
            keys=labels(keys, is_other, users),
            values=derive(query.metrics, sums),
            is_other=is_other,
        )
        for (bucket, is_other, keys), sums in usage.groups.items()
    ]
    return CostResult(
        query=query,
        currency=settings.CURRENCY,
        rows=sorted(rows, key=order),
        totals=derive(query.metrics, usage.total),
        freshness=reading.freshness,
        coverage=Coverage(usage.total.priced_requests, usage.total.count("unpriced_requests")),
        previous=before,
    )


def order(row: CostRow) -> tuple[float, bool, tuple[bool, Value, str]]:
    """By time, the largest first, Other last."""
    first = next(iter(row.values.values()))
    return row.start.timestamp() if row.start else 0, row.is_other, rank(first, row.keys)


def labels(keys: tuple[Key, ...], is_other: bool, users: dict[int, str]) -> tuple[str, ...]:
    if is_other:
        return (OTHER,) * len(keys)
    return tuple(users[key] if isinstance(key, int) else key for key in keys)


def instant(bucket: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    if bucket is None:
        return None
    if isinstance(bucket, datetime):
        return bucket.astimezone(UTC)
    return start_of_day(bucket, zone)


def name_users(cursor: CursorWrapper, query: CostQuery, usage: Usage) -> dict[int, str]:
    if "user" not in query.group_by:
        return {}
    at = query.group_by.index("user")
    ids = list({keys[at] for _, is_other, keys in usage.groups if not is_other})
    cursor.execute("SELECT id, name FROM end_user WHERE id = ANY(%s)", [ids])
    return {**dict(cursor.fetchall()), 0: UNATTRIBUTED}


def find_unsettled(cursor: CursorWrapper) -> frozenset[date]:
    cursor.execute("SELECT day FROM rollup_unsettled")
    return frozenset(row[0] for row in cursor.fetchall())
