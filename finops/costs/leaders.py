"""The users who cost most, found without adding up everybody.

An index holds the users of each settled span by cost. Who is in none of the spans' leading lists
costs at most the sum of what the lists end with; when that is less than the last place needs,
nobody else can be among the first (the threshold algorithm of Fagin, Lotem and Naor). The few that
can are added up exactly, and Other is what remains of the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext

from finops.costs.metrics import EXACT_DIGITS, Sums
from finops.costs.reading import Group, Reading, Usage, held_segments, read_usage
from finops.costs.statements import Statement, Top, sums_statement
from finops.costs.tables import Segment
from finops.periods import local_day, next_bucket_day
from finops.query import CostQuery
from finops.sql import statement

RANKED = ("effective_cost", "billed_cost")
# Lists this much longer than the answer prove it for all but very even usage.
DEPTH = 5
MAX_CANDIDATES = 1_000


@dataclass(slots=True)
class Standings:
    """Leading lists: what each user was seen to cost, and what a list says of those not in it."""

    seen: dict[int, dict[int, Decimal]] = field(default_factory=dict)
    bounds: list[Decimal] = field(default_factory=list)
    is_complete: bool = True

    def add_list(self, entries: Sequence[tuple[int, Decimal]], depth: int) -> None:
        """One list, the largest first; a list shorter than `depth` has everybody in it."""
        for user_id, cost in entries:
            self.seen.setdefault(user_id, {})[len(self.bounds)] = cost
        is_cut = len(entries) >= depth
        self.bounds.append(entries[-1][1] if is_cut else Decimal(0))
        self.is_complete &= not is_cut

    def candidates(self, limit: int) -> list[int] | None:
        """Everybody who may be among the first `limit`; None where the lists cannot tell."""
        beyond = sum(self.bounds, Decimal(0))
        least = {user: sum(costs.values(), Decimal(0)) for user, costs in self.seen.items()}
        places = sorted(least.values(), reverse=True)[:limit]
        needed = places[-1] if len(places) == limit else Decimal(0)
        if (beyond and beyond >= needed) or (len(places) < limit and not self.is_complete):
            return None
        found = [
            user
            for user, costs in self.seen.items()
            if least[user] + beyond - sum((self.bounds[n] for n in costs), Decimal(0)) >= needed
        ]
        return found if len(found) <= MAX_CANDIDATES else None


def are_asked_for(query: CostQuery) -> bool:
    return (
        query.group_by == ("user",)
        and query.limit is not None
        and query.granularity != "hour"
        and not query.filters
    )


def read(reading: Reading, query: CostQuery) -> Usage | None:
    """The answer to a question for the most expensive users; None where this cannot prove it."""
    if not are_asked_for(query) or query.metrics[0] not in RANKED or query.limit is None:
        return None
    with localcontext(prec=EXACT_DIGITS):
        candidates = standings(reading, query, query.limit * DEPTH).candidates(query.limit)
    if candidates is None:
        return None
    ranked = read_usage(reading, query, Top(rank_by=query.metrics[0]), candidates)
    users = {keys[0] for _, is_other, keys in ranked.groups if not is_other}
    return with_rest(reading, query, ranked, users)


def read_users(reading: Reading, query: CostQuery, users: Sequence[int]) -> Usage:
    """These users, and Other."""
    return with_rest(
        reading, query, read_usage(reading, query, Top([(user,) for user in users]), users), users
    )


def standings(reading: Reading, query: CostQuery, depth: int) -> Standings:
    whole = query.replace(granularity="total", limit=depth)
    parts = held_segments(reading, whole, per_user=True)
    spans = [span for part in parts for span in spans_of(part, whole)]
    found = Standings()
    lists: dict[int, list[tuple[int, Decimal]]] = {number: [] for number in range(len(spans))}
    parameters = {
        "spans": [name for name, _ in spans],
        "starts": [start for _, start in spans],
        "depth": depth,
    }
    for number, user_id, cost in reading.fetch(Statement(statement("leading_users"), parameters)):
        lists[number - 1].append((user_id, cost))
    for entries in lists.values():
        found.add_list(entries, depth)
    if others := [part for part in parts if part.grain.span is None]:
        found.add_list(leading_users_of(reading, whole, others), depth)
    return found


def spans_of(part: Segment, query: CostQuery) -> list[tuple[str, date]]:
    """The single days, weeks or months of a part that is read from users' totals."""
    spans: list[tuple[str, date]] = []
    if part.grain.span is None:
        return spans
    start = local_day(part.start, query.zone)
    while start < local_day(part.end, query.zone):
        spans.append((part.grain.span, start))
        start = next_bucket_day(start, part.grain.span)
    return spans


def leading_users_of(
    reading: Reading, query: CostQuery, parts: Sequence[Segment]
) -> list[tuple[int, Decimal]]:
    """The list of what has not settled yet, which no index holds."""
    columns = ("effective_cost", "requests")
    rows = reading.fetch(
        sums_statement(query, parts, {}, columns, (), Top(rank_by="effective_cost"))
    )
    entries = [(row[3], row[4]) for row in rows if not (row[0] or row[2])]
    return sorted(entries, key=lambda entry: -entry[1])


def with_rest(
    reading: Reading, query: CostQuery, usage: Usage, users: Sequence[int] | set[int]
) -> Usage:
    """The groups of these users, and as Other what is left of everything."""
    everything = read_usage(reading, query.replace(group_by=(), limit=None), None)
    groups: dict[Group, Sums] = {
        group: sums for group, sums in usage.groups.items() if not group[1] and group[2][0] in users
    }
    with localcontext(prec=EXACT_DIGITS):
        left = {bucket: dict(sums.sums) for (bucket, _, _), sums in everything.groups.items()}
        for (bucket, _, _), part in groups.items():
            for name, amount in part.sums.items():
                left[bucket][name] -= amount
    for bucket, rest in left.items():
        if rest["requests"]:
            groups[bucket, True, (None,)] = Sums(rest)
    return Usage(groups, everything.total)
