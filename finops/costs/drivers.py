"""What costs are made of, for each group of two or more periods: requests, tokens by bucket, and
what each bucket cost. Users' rollups know no buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finops.costs import leaders
from finops.costs.metrics import Sums, added
from finops.costs.owners import find_known
from finops.costs.reading import Reading, Usage, read_usage
from finops.costs.runs import find_unsettled, labels, name_users, read_named
from finops.costs.snapshots import read_freshness, snapshot
from finops.costs.statements import Statement, Top
from finops.costs.tables import is_per_user
from finops.query import CostQuery
from finops.rollups import refuse_other_zone

OF_USERS = (
    "effective_cost",
    "list_cost",
    "requests",
    "unpriced_requests",
    "input_tokens",
    "output_tokens",
    "unpriced_tokens",
)
BY_BUCKET = (
    *OF_USERS,
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "input_cost",
    "cache_read_cost",
    "cache_creation_cost",
    "output_cost",
    "request_cost",
)
# With more combinations of attribution than this only the first few of the finest dimensions tell
# groups apart: a bridge of so many takes seconds.
PRICED_BY = 3
MOST_GROUPS = 5_000

# Whether it is Other, and the keys.
Name = tuple[bool, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Drivers:
    """The sums of each period, in the order of the queries: group → sums by column."""

    group_by: tuple[str, ...]
    has_buckets: bool
    periods: tuple[dict[Name, Sums], ...]


def drivers(queries: Sequence[CostQuery], finest: Sequence[str]) -> Drivers:
    """The sums of the queries, which differ in their periods alone, by their group_by and by the
    `finest` dimensions, as far as there are not too many groups.

    Of users, the `limit` that cost most in any of the periods are named, by themselves. Raises
    InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    first = queries[0].replace(metrics=("effective_cost",), granularity="total", compare=False)
    with snapshot() as cursor:
        refuse_other_zone(cursor, first.zone)
        freshness = read_freshness(cursor, first.reader_teams)
        known = find_known(cursor, first)
        per_user = is_per_user(first, known)
        columns: tuple[str, ...] = OF_USERS if per_user else BY_BUCKET
        reading = Reading(cursor, freshness, known, find_unsettled(cursor))
        group_by = first.group_by
        is_of_users = "user" in group_by
        if not is_of_users:
            more = finest if are_few(reading) else finest[:PRICED_BY]
            group_by = tuple(dict.fromkeys((*group_by, *more)))
        asked = [
            first.replace(
                period=each.period,
                group_by=group_by,
                metrics=columns,
                limit=first.limit if is_of_users else None,
            )
            for each in queries
        ]
        read = (
            read_leading(reading, asked)
            if is_of_users
            else [read_usage(reading, each, None) for each in asked]
        )
        periods = tuple(
            named(reading, each, usage) for each, usage in zip(asked, read, strict=True)
        )
    return Drivers(group_by, not per_user, periods)


def are_few(reading: Reading) -> bool:
    [(attributions,)] = reading.fetch(Statement("SELECT count(*) FROM attribution", {}))
    return bool(attributions <= MOST_GROUPS)


def read_leading(reading: Reading, queries: Sequence[CostQuery]) -> list[Usage]:
    """The same groups of each query: those that are among the first of any."""
    ranked = Top(rank_by="effective_cost")
    keys: dict[tuple[Any, ...], None] = {}
    for each in queries:
        usage = leaders.read(reading, each) or read_usage(reading, each, ranked)
        keys.update(dict.fromkeys(group for _, is_other, group in usage.groups if not is_other))
    return [read_named(reading, each, Top(list(keys))) for each in queries]


def named(reading: Reading, query: CostQuery, usage: Usage) -> dict[Name, Sums]:
    users = name_users(reading.cursor, query, usage)
    held: dict[Name, list[Sums]] = {}
    for (_, is_other, keys), sums in usage.groups.items():
        # A user may be called Unattributed, as requests without a user are.
        held.setdefault((is_other, labels(keys, is_other, users)), []).append(sums)
    return {name: added(found) for name, found in held.items()}
