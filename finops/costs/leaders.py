"""The groups by user that cost most, found without adding up everybody.

An index holds the users of each settled span by cost. Who is in none of the spans' leading lists
costs at most the sum of what the lists end with; when that is less than the last place needs,
nobody else can be among the first (the threshold algorithm of Fagin, Lotem and Naor). The few that
can are added up exactly, and Other is what remains of the total.

A group by user and feature, or a part of a day, costs no more than its user does on the whole days
of the period: so the lists tell of those too who may be among the first. A settlement takes back
what it replaces at the same moment and of the same attribution, so nothing is ever less than zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext

from finops.costs.metrics import EXACT_DIGITS, Sums
from finops.costs.owners import Known
from finops.costs.reading import Group, Reading, Usage, held_segments, read_usage
from finops.costs.statements import Key, Statement, Top, sums_statement
from finops.costs.tables import Segment, ceiling, floor
from finops.periods import Period, local_day, next_bucket_day
from finops.query import CostQuery
from finops.sql import statement

RANKED = ("effective_cost", "billed_cost")
# Lists this much longer than the answer prove it for all but very even usage.
DEPTH = 5
SHORTEST_LIST = 300
MAX_CANDIDATES = 1_000
# Of how many users groups are added up first: of so many times the answer's, at least of so many.
FEWEST_LEADERS = 16
LEADERS = 1.5


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
        """Everybody who may be among the first `limit` users; None where the lists cannot tell."""
        places = sorted(self.least().values(), reverse=True)[:limit]
        return self.rivals(places[-1] if len(places) == limit else Decimal(0))

    def rivals(self, needed: Decimal) -> list[int] | None:
        """Everybody who may cost as much; None where the lists cannot tell, or they are many."""
        beyond = sum(self.bounds, Decimal(0))
        if beyond >= needed and not self.is_complete:
            return None
        least = self.least()
        found = [
            user
            for user, costs in self.seen.items()
            if least[user] + beyond - sum((self.bounds[n] for n in costs), Decimal(0)) >= needed
        ]
        return found if len(found) <= MAX_CANDIDATES else None

    def leading(self, count: int) -> list[int]:
        """Those who were seen to cost most."""
        least = self.least()
        return sorted(least, key=lambda user: -least[user])[:count]

    def least(self) -> dict[int, Decimal]:
        return {user: sum(costs.values(), Decimal(0)) for user, costs in self.seen.items()}


def are_asked_for(query: CostQuery) -> bool:
    return "user" in query.group_by and query.limit is not None and not query.filters


def read(reading: Reading, query: CostQuery) -> Usage | None:
    """The answer to a question for the most expensive users, or groups of theirs; None where this
    cannot prove it."""
    if not are_asked_for(query) or query.metrics[0] not in RANKED or query.limit is None:
        return None
    by_user = users_of_whole_days(query)
    parts = held_segments(reading, by_user, per_user=True)
    if not any(part.grain.span for part in parts):
        return None  # Nothing has settled: to read everybody once is as quick.
    depth = max(query.limit * DEPTH, SHORTEST_LIST)
    first: list[int] | None
    with localcontext(prec=EXACT_DIGITS):
        found = standings(reading, by_user, parts, depth)
        if query.group_by != by_user.group_by:
            first = found.leading(max(int(query.limit * LEADERS), FEWEST_LEADERS))
        elif query.period != by_user.period:
            first = found.leading(min(depth, MAX_CANDIDATES))
        else:
            first = found.candidates(query.limit)
    if not first or len(first) > MAX_CANDIDATES:
        return None
    top = Top(rank_by=query.metrics[0])
    ranked = read_usage(reading, query, top, first)
    with localcontext(prec=EXACT_DIGITS):
        rivals = found.rivals(last_place(ranked, query.limit))
    if rivals is None:
        return None
    if not set(rivals) <= set(first):
        ranked = read_usage(reading, query, top, rivals)
    return with_rest(reading, query, ranked)


def users_of_whole_days(query: CostQuery) -> CostQuery:
    """Who used the days that hold the period."""
    period = Period(
        floor(query.period.start, "day", query.zone),
        ceiling(query.period.end, "day", query.zone),
        query.period.label,
    )
    return query.replace(group_by=("user",), granularity="total", period=period)


def last_place(usage: Usage, limit: int) -> Decimal:
    """What the last of the first `limit` groups costs; nothing where there are fewer."""
    costs: dict[tuple[Key, ...], Decimal] = {}
    for (_, is_other, keys), sums in usage.groups.items():
        if not is_other:
            costs[keys] = costs.get(keys, Decimal(0)) + sums.sums["effective_cost"]
    return min(costs.values()) if len(costs) == limit else Decimal(0)


def read_named(reading: Reading, query: CostQuery, keys: Sequence[tuple[Key, ...]]) -> Usage:
    """These groups, and Other."""
    at = query.group_by.index("user")
    users = list({key[at] for key in keys})
    return with_rest(reading, query, read_usage(reading, query, Top(keys), users))


def standings(
    reading: Reading, query: CostQuery, parts: Sequence[Segment], depth: int
) -> Standings:
    """The leading lists of a question for the users of whole days."""
    spans = [span for part in parts for span in spans_of(part, query)]
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
        found.add_list(leading_users_of(reading, query.replace(limit=depth), others), depth)
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
        sums_statement(query, parts, Known(), columns, (), Top(rank_by="effective_cost"))
    )
    entries = [(row[3], row[4]) for row in rows if not (row[0] or row[2])]
    return sorted(entries, key=lambda entry: -entry[1])


def with_rest(reading: Reading, query: CostQuery, usage: Usage) -> Usage:
    """The groups that are named, and as Other what is left of everything."""
    everything = read_usage(reading, query.replace(group_by=(), limit=None), None)
    groups: dict[Group, Sums] = {
        group: sums for group, sums in usage.groups.items() if not group[1]
    }
    with localcontext(prec=EXACT_DIGITS):
        left = {bucket: dict(sums.sums) for (bucket, _, _), sums in everything.groups.items()}
        for (bucket, _, _), part in groups.items():
            for name, amount in part.sums.items():
                left[bucket][name] -= amount
    for bucket, rest in left.items():
        if rest["requests"]:
            groups[bucket, True, (None,) * len(query.group_by)] = Sums(rest)
    return Usage(groups, everything.total)
