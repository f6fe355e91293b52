"""An answer beside that of the period before: which row belongs to which, and what is missing."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime

from finops.costs.results import CostResult, CostRow
from finops.periods import Period, bucket_starts
from finops.query import CostQuery

# Nights and quiet hours at the start of a record are no gap in it.
TOLERATED = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A group in one step of the period, and in the step of the same number of the one before.

    Either row is None where the group had no usage, either start where its period has no such
    step (as March has days that February lacks) or where there are no steps.
    """

    start: datetime | None
    previous_start: datetime | None
    keys: tuple[str, ...]
    row: CostRow | None
    previous_row: CostRow | None


def pairs(result: CostResult) -> list[Pair]:
    """Every row of both periods once: in the result's order, then what was only before."""
    before = result.previous
    assert before is not None, "the query does not compare"
    starts, earlier = steps(result.query), steps(before.query)
    forward = dict(zip(starts, earlier, strict=False))
    backward = dict(zip(earlier, starts, strict=False))
    left: defaultdict[tuple[object, ...], deque[CostRow]] = defaultdict(deque)
    for row in before.rows:
        # Mostly one: a user may be called Unattributed, as requests without a user are.
        left[row.start, row.is_other, row.keys].append(row)
    found = []
    for row in result.rows:
        then = forward.get(row.start)
        same = left[then, row.is_other, row.keys] if row.start in forward else None
        found.append(Pair(row.start, then, row.keys, row, same.popleft() if same else None))
    found += [
        Pair(backward.get(row.start), row.start, row.keys, None, row)
        for rows in left.values()
        for row in rows
    ]
    return found


def steps(query: CostQuery) -> list[datetime | None]:
    return [*bucket_starts(query.period, query.granularity, query.zone)] or [None]


def is_covered(period: Period, recorded_since: datetime | None) -> bool:
    """Whether usage was recorded for practically all of the period, so that it can be compared."""
    if recorded_since is None:
        return False
    missing = recorded_since - period.start
    return missing * TOLERATED <= period.end - period.start
