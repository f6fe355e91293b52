"""Runs a query in one snapshot: reads sums, derives metrics, names keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from finops.costs import distinct_users, leaders, percentiles
from finops.costs.changes import horizon, naming
from finops.costs.metrics import derive, rank
from finops.costs.owners import find_known
from finops.costs.reading import Reading, Usage, named, read_usage
from finops.costs.results import (
    OTHER,
    UNATTRIBUTED,
    CostResult,
    CostRow,
    Coverage,
    Value,
)
from finops.costs.snapshots import read_freshness, snapshot
from finops.costs.statements import (
    RANKS,
    Key,
    Top,
)
from finops.costs.tables import counts_users
from finops.periods import previous, start_of_day
from finops.query import CostQuery
from finops.rollups import refuse_other_zone


@dataclass(frozen=True, slots=True)
class Answers:
    """Results in the order of their queries, and the horizon of the snapshot and its naming
    (changes.py)."""

    results: list[CostResult]
    horizon: int
    naming: str


def run(query: CostQuery) -> CostResult:
    """Answer the query. Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged."""
    with opened(query) as reading:
        return answer(reading, query)


@contextmanager
def opened(query: CostQuery) -> Iterator[Reading]:
    """One snapshot to read the query in. Raises what `run` does."""
    with snapshot() as cursor:
        refuse_other_zone(cursor, query.zone)
        freshness = read_freshness(cursor, query.reader_teams)
        yield Reading(cursor, freshness, find_known(cursor, query), find_unsettled(cursor))


def run_all(queries: Sequence[CostQuery], milliseconds: int | None = None) -> Answers:
    """Answer queries of everybody's usage in one snapshot, as `run` does each of them; none may
    take longer than so many milliseconds."""
    assert all(query.reader_teams is None for query in queries)
    with snapshot(milliseconds) as cursor:
        for zone in {query.zone for query in queries}:
            refuse_other_zone(cursor, zone)
        freshness, unsettled = read_freshness(cursor), find_unsettled(cursor)
        results = [
            answer(Reading(cursor, freshness, find_known(cursor, query), unsettled), query)
            for query in queries
        ]
        return Answers(results, horizon(cursor), naming(cursor))


def answer(reading: Reading, query: CostQuery) -> CostResult:
    usage = distinct_users.read(reading, query) or with_users(
        reading,
        query,
        leaders.read(reading, query)
        or percentiles.read(reading, query)
        or read_usage(reading, query, chosen_top(reading, query)),
    )
    before = None
    if query.compare:
        earlier = query.replace(period=previous(query.period, query.zone), compare=False)
        # The same groups by name, so that each can be set against its former self.
        then = read_named(reading, earlier, named(query, usage))
        before = result(reading, earlier, with_users(reading, earlier, then))
    return result(reading, query, usage, before)


def with_users(reading: Reading, query: CostQuery, usage: Usage) -> Usage:
    """The same, with the numbers of users where they are asked for."""
    if counts_users(query):
        distinct_users.count(reading, query, usage)
    return usage


def read_named(reading: Reading, query: CostQuery, top: Top | None) -> Usage:
    if top and top.keys and leaders.are_asked_for(query):
        return leaders.read_named(reading, query, top.keys)
    return read_usage(reading, query, top)


def chosen_top(reading: Reading, query: CostQuery) -> Top | None:
    """Which groups to name, where there is a limit."""
    if not (query.limit and query.group_by):
        return None
    metrics = query.metrics[:1]
    if metrics[0] in RANKS:
        return Top(rank_by=metrics[0])
    whole = query.replace(granularity="total", limit=None, metrics=metrics)
    groups = with_users(reading, whole, read_usage(reading, whole, None)).groups
    values = {keys: derive(metrics, sums)[metrics[0]] for (_, _, keys), sums in groups.items()}
    return Top(sorted(values, key=lambda keys: rank(values[keys], keys))[: query.limit])


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
