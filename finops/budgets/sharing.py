"""Questions of many budgets as few queries: those that differ in one value of one filter are one
query grouped by that dimension, since a request has one value of it and so is in one group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from finops.periods import bucket_starts
from finops.query import CostQuery, Filter

# Rows of one answer, and as many values as a statement takes in its stride.
MOST_ROWS = 40_000
MOST_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Shared:
    """One query, and which of its groups answers which question; one alone is answered by all."""

    query: CostQuery
    parts: tuple[tuple[str, CostQuery], ...] = ()


def shared(questions: Iterable[CostQuery]) -> list[Shared]:
    """The queries that answer all of these, each question in one of them."""
    asked = list(dict.fromkeys(questions))
    ways = {question: list(groupings(question)) for question in asked}
    popular = Counter(rest for found in ways.values() for rest, _ in found)
    groups: defaultdict[CostQuery, list[tuple[str, CostQuery]]] = defaultdict(list)
    single = []
    for question in asked:
        best = max(ways[question], key=lambda way: popular[way[0]], default=None)
        if best is None or popular[best[0]] == 1:
            single.append(Shared(question))
        else:
            groups[best[0]].append((best[1], question))
    return [*single, *(each for rest, parts in groups.items() for each in portions(rest, parts))]


def groupings(question: CostQuery) -> Iterator[tuple[CostQuery, str]]:
    """Each way to take one filter of one value off: the query grouped by its dimension instead, and
    the value. Users are stored by other names where those are hashed, and so are left alone."""
    if question.group_by:
        return
    for each in question.filters:
        if len(each.values) == 1 and not each.exclude and each.dimension != "user":
            rest = tuple(other for other in question.filters if other is not each)
            grouped = question.replace(filters=rest, group_by=(each.dimension,))
            yield grouped, each.values[0]


def portions(rest: CostQuery, parts: list[tuple[str, CostQuery]]) -> Iterator[Shared]:
    if len(parts) == 1:
        yield Shared(parts[0][1])
        return
    steps = len(bucket_starts(rest.period, rest.granularity, rest.zone)) or 1
    size = max(min(MOST_ROWS // steps, MOST_VALUES), 1)
    for at in range(0, len(parts), size):
        some = tuple(parts[at : at + size])
        kept = Filter(rest.group_by[0], tuple(sorted({value for value, _ in some})))
        yield Shared(rest.replace(filters=(*rest.filters, kept)), some)
