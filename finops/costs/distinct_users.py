"""How many users there are, which is not the sum over groups: a user of two counts once in both.

A settled day holds the numbers of its users in one value for each attribution. Joining those and
counting each number once takes a few milliseconds for millions of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finops.costs.metrics import Sums, added, known_cost
from finops.costs.reading import Group, Reading, Usage, held, named, read_sums
from finops.costs.statements import users_statement
from finops.costs.tables import segments_of_users
from finops.query import CostQuery

NUMBER = np.dtype(">i4")
COLUMNS = ("effective_cost", "requests", "unpriced_requests")
# Numbers so much larger than there are of them are sorted; a flag for each would take longer.
SPARSE = 64


def count(reading: Reading, query: CostQuery, usage: Usage) -> None:
    """Adds the numbers of users to the groups of `usage` and to its total, and, where it is asked
    what each costs, the cost of their requests."""
    parts = held(reading, query, segments_of_users(query, reading.unsettled), per_user=True)
    columns = COLUMNS if "cost_per_user" in query.metrics else ()
    rows = reading.fetch(
        users_statement(query, parts, reading.user_ids, columns, named(query, usage))
    )
    of_groups: dict[Group, list[tuple[bytes, Sums]]] = {}
    for is_other, bucket, *values in rows:
        keys = tuple(values[: len(query.group_by)])
        users, *theirs = values[len(keys) :]
        found = (users, read_sums(theirs, columns, ()))
        of_groups.setdefault((bucket, is_other, keys), []).append(found)
    nobody = (b"", read_sums([None] * len(columns), columns, ()))
    for group, sums in usage.groups.items():
        tell(sums, of_groups.get(group, [nobody]))
    tell(usage.total, [each for found in of_groups.values() for each in found] or [nobody])


def tell(sums: Sums, found: Sequence[tuple[bytes, Sums]]) -> None:
    sums.users = distinct(b"".join(users for users, _ in found))
    theirs = added([of_theirs for _, of_theirs in found])
    if theirs.sums:
        sums.users_cost = known_cost(theirs, "effective_cost")


def distinct(users: bytes) -> int:
    """How many different numbers there are, of 4 bytes each, none negative."""
    numbers = np.frombuffer(users, dtype=NUMBER)
    if not len(numbers):
        return 0
    largest = int(numbers.max())
    if largest > SPARSE * len(numbers):
        return len(np.unique(numbers))
    is_there = np.zeros(largest + 1, dtype=np.bool_)
    is_there[numbers] = True
    return int(np.count_nonzero(is_there))
