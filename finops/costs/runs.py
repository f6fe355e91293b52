"""Runs a query in one snapshot: reads sums, derives metrics, names keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from finops.costs.metrics import PERCENTILES, Sums, derive, rank
from finops.costs.results import (
    OTHER,
    UNATTRIBUTED,
    CostResult,
    CostRow,
    Coverage,
    Freshness,
    Value,
)
from finops.costs.snapshots import read_freshness, snapshot
from finops.costs.statements import (
    COSTS,
    COUNTS,
    MAX_ROWS,
    RANKS,
    Key,
    Statement,
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


def run(query: CostQuery) -> CostResult:
    """Answer the query. Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged."""
    with snapshot() as cursor:
        refuse_other_zone(cursor, query.zone)
        freshness = read_freshness(cursor)
        user_ids = find_users(cursor, query)
        usage = read_usage(cursor, query, user_ids, ranked_top(cursor, query, user_ids))
        before = None
        if query.compare:
            earlier = query.replace(period=previous(query.period, query.zone), compare=False)
            # The same groups by name, so that each can be set against its former self.
            then = read_usage(cursor, earlier, user_ids, named(query, usage))
            before = result(cursor, earlier, then, freshness)
        return result(cursor, query, usage, freshness, before)


def ranked_top(
    cursor: CursorWrapper, query: CostQuery, user_ids: dict[str, int]
) -> list[tuple[Key, ...]] | None:
    """The groups to name where the first metric is none that SQL can rank by, else None."""
    if not (query.limit and query.group_by) or query.metrics[0] in RANKS:
        return None
    metrics = query.metrics[:1]
    whole = query.replace(granularity="total", limit=None, metrics=metrics)
    groups = read_usage(cursor, whole, user_ids, None).groups
    values = {keys: derive(metrics, sums)[metrics[0]] for (_, _, keys), sums in groups.items()}
    return sorted(values, key=lambda keys: rank(values[keys], keys))[: query.limit]


def named(query: CostQuery, usage: Usage) -> list[tuple[Key, ...]] | None:
    """The groups of a limited answer that are not Other; None where there is no limit."""
    if not (query.limit and query.group_by):
        return None
    return list(dict.fromkeys(keys for _, is_other, keys in usage.groups if not is_other))


def read_usage(
    cursor: CursorWrapper,
    query: CostQuery,
    user_ids: dict[str, int],
    top: Sequence[tuple[Key, ...]] | None,
) -> Usage:
    histograms = sorted({PERCENTILES[name][0] for name in query.metrics if name in PERCENTILES})
    is_limited = bool(query.limit and query.group_by) and top is None
    statement = sums_statement(
        query,
        segments(query, per_user=is_per_user(query)),
        histograms=histograms,
        rank_by=query.metrics[0] if is_limited else None,
        top=top,
        user_ids=user_ids,
    )
    rows = fetch(cursor, statement)
    if len(rows) > MAX_ROWS + 1:
        raise InvalidQuery("limit", f"the answer has more than {MAX_ROWS:,} rows; give a limit")
    usage = Usage({}, Sums({}, {}))
    for row in rows:
        group, sums = read_row(row, len(query.group_by), histograms)
        if row[0]:
            usage = Usage(usage.groups, sums)
        else:
            usage.groups[group] = sums
    for name in histograms:
        merged = b"".join(sums.histograms[name] for sums in usage.groups.values())
        usage.total.histograms[name] = merged
    if counts_users(query):
        count_users(cursor, query, user_ids, named(query, usage), usage)
    return usage


def count_users(
    cursor: CursorWrapper,
    query: CostQuery,
    user_ids: dict[str, int],
    top: Sequence[tuple[Key, ...]] | None,
    usage: Usage,
) -> None:
    """Adds the numbers of distinct users, which cannot be added up from those of groups."""
    parts = segments(query, per_user=True)
    statement = users_statement(query, parts, top=top, user_ids=user_ids)
    for is_total, bucket, is_other, *keys, users in fetch(cursor, statement):
        if is_total:
            usage.total.users = users
        elif (bucket, is_other, tuple(keys)) in usage.groups:
            usage.groups[bucket, is_other, tuple(keys)].users = users


def read_row(row: tuple[Any, ...], keys: int, histograms: Iterable[str]) -> tuple[Group, Sums]:
    values = iter(row[3 + keys :])
    counts = {name: int(next(values) or 0) for name in COUNTS}
    costs = {name: next(values) or Decimal(0) for name in COSTS}
    held = {name: bytes(next(values) or b"") for name in histograms}
    return (row[1], row[2], row[3 : 3 + keys]), Sums(counts, costs, held)


def result(
    cursor: CursorWrapper,
    query: CostQuery,
    usage: Usage,
    freshness: Freshness,
    before: CostResult | None = None,
) -> CostResult:
    users = name_users(cursor, query, usage)
    rows = [
        CostRow(
            start=instant(bucket, query.zone),
            keys=labels(query, keys, is_other, users),
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
        freshness=freshness,
        coverage=Coverage(usage.total.priced_requests, usage.total.counts["unpriced_requests"]),
        previous=before,
    )


def order(row: CostRow) -> tuple[float, bool, tuple[bool, Value, str]]:
    """By time, the largest first, Other last."""
    first = next(iter(row.values.values()))
    return row.start.timestamp() if row.start else 0, row.is_other, rank(first, row.keys)


def labels(
    query: CostQuery, keys: tuple[Key, ...], is_other: bool, users: dict[int, str]
) -> tuple[str, ...]:
    if is_other:
        return (OTHER,) * len(keys)
    return tuple(users[key] if isinstance(key, int) else key for key in keys)


def instant(bucket: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    if bucket is None or isinstance(bucket, datetime):
        return bucket
    return start_of_day(bucket, zone)


def find_users(cursor: CursorWrapper, query: CostQuery) -> dict[str, int]:
    """The numbers of the users that filters name; who is unknown has none."""
    names = [name for each in query.filters if each.dimension == "user" for name in each.values]
    if not names:
        return {}
    cursor.execute("SELECT name, id FROM end_user WHERE name = ANY(%s)", [names])
    return {**dict(cursor.fetchall()), **({UNATTRIBUTED: 0} if UNATTRIBUTED in names else {})}


def name_users(cursor: CursorWrapper, query: CostQuery, usage: Usage) -> dict[int, str]:
    if "user" not in query.group_by:
        return {}
    at = query.group_by.index("user")
    ids = list({keys[at] for _, is_other, keys in usage.groups if not is_other})
    cursor.execute("SELECT id, name FROM end_user WHERE id = ANY(%s)", [ids])
    return {**dict(cursor.fetchall()), 0: UNATTRIBUTED}


def fetch(cursor: CursorWrapper, statement: Statement) -> list[tuple[Any, ...]]:
    cursor.execute(statement.text, statement.parameters)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
