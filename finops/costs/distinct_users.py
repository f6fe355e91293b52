"""How many users there are, which is not the sum over groups: a user of two counts once in both.

A settled day holds the numbers of its users in one value for each attribution. Joining those and
counting each number once takes a few milliseconds for millions of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finops.costs.metrics import Sums, added, derive, known_cost, rank
from finops.costs.percentiles import fits, with_others
from finops.costs.reading import Group, Reading, Usage, held, named, read_sums, read_usage
from finops.costs.statements import Key, Top, users_statement
from finops.costs.tables import segments_of_users
from finops.query import CostQuery

Numbers = NDArray[np.int32]
NUMBER = np.dtype(">i4")
COUNTED = ("users", "cost_per_user")
COLUMNS = ("effective_cost", "requests", "unpriced_requests")
# Numbers so much larger than there are of them are sorted; a flag for each would take longer.
SPARSE = 64


@dataclass(frozen=True, slots=True)
class Users:
    """Who used something, some of them repeated, and sums over their requests."""

    numbers: Numbers
    sums: Sums


def read(reading: Reading, query: CostQuery) -> Usage | None:
    """The answer to a question for the groups with most users, or the dearest ones, of one read;
    None where it is none, or where so many groups may be in so many steps that they are ranked
    first."""
    if not (query.limit and query.group_by and query.metrics[0] in COUNTED):
        return None
    if reading.known.needs_users(query) or not fits(reading, query):
        return None
    usage = read_usage(reading, query.replace(limit=None), None)
    of_groups = users_of_groups(reading, query, None)
    leading = set(largest(query, usage, of_groups)[: query.limit])
    answer = with_others(usage, leading)
    of_answer: dict[Group, list[Users]] = {}
    for (bucket, _, keys), found in of_groups.items():
        group = (bucket, False, keys) if keys in leading else (bucket, True, (None,) * len(keys))
        of_answer.setdefault(group, []).extend(found)
    tell_all(query, answer, of_answer)
    return answer


def largest(
    query: CostQuery, usage: Usage, of_groups: dict[Group, list[Users]]
) -> list[tuple[Key, ...]]:
    """The groups by the first metric over the whole period."""
    metrics = query.metrics[:1]
    sums: dict[tuple[Key, ...], list[Sums]] = {}
    users: dict[tuple[Key, ...], list[Users]] = {}
    for group, each in usage.groups.items():
        sums.setdefault(group[2], []).append(each)
        users.setdefault(group[2], []).extend(of_groups.get(group, ()))
    values = {}
    for keys, parts in sums.items():
        whole = added(parts)
        tell(query, whole, users[keys])
        values[keys] = derive(metrics, whole)[metrics[0]]
    return sorted(values, key=lambda keys: rank(values[keys], keys))


def count(reading: Reading, query: CostQuery, usage: Usage) -> None:
    """Adds the numbers of users to the groups of `usage` and to its total, and, where it is asked
    what each costs, the cost of their requests."""
    tell_all(query, usage, users_of_groups(reading, query, named(query, usage)))


def users_of_groups(
    reading: Reading, query: CostQuery, top: Top | None
) -> dict[Group, list[Users]]:
    """Who the users of each group are; without `top` there is no Other."""
    parts = held(
        reading, query, segments_of_users(query, reading.unsettled, reading.known), per_user=True
    )
    columns = columns_of(query)
    rows = reading.fetch(users_statement(query, parts, reading.known, columns, top))
    found: dict[Group, list[Users]] = {}
    for is_other, bucket, *values in rows:
        keys = tuple(values[: len(query.group_by)])
        users, *theirs = values[len(keys) :]
        numbers = np.frombuffer(users, dtype=NUMBER).astype(np.int32)
        found.setdefault((bucket, is_other, keys), []).append(
            Users(numbers, read_sums(theirs, columns, ()))
        )
    return found


def columns_of(query: CostQuery) -> tuple[str, ...]:
    return COLUMNS if "cost_per_user" in query.metrics else ()


def tell_all(query: CostQuery, usage: Usage, of_groups: dict[Group, list[Users]]) -> None:
    for group, sums in usage.groups.items():
        tell(query, sums, of_groups.get(group, ()))
    tell(query, usage.total, [each for found in of_groups.values() for each in found])


def tell(query: CostQuery, sums: Sums, found: Sequence[Users]) -> None:
    sums.users = distinct([each.numbers for each in found])
    if columns := columns_of(query):
        nobody = read_sums([None] * len(columns), columns, ())
        theirs = added([nobody, *(each.sums for each in found)])
        sums.users_cost = known_cost(theirs, "effective_cost")


def distinct(parts: Sequence[Numbers]) -> int:
    """How many different numbers there are in all, none negative."""
    some = [numbers for numbers in parts if len(numbers)]
    if not some:
        return 0
    largest = max(int(numbers.max()) for numbers in some)
    if largest > SPARSE * sum(map(len, some)):
        return len(np.unique(np.concatenate(some)))
    is_there = np.zeros(largest + 1, dtype=np.bool_)
    for numbers in some:
        is_there[numbers] = True
    return int(np.count_nonzero(is_there))
