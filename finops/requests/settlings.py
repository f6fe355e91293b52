"""How the figures of a request came to be replaced: the event, its settlements, and reversals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from uuid import UUID

from django.db import connection

from finops.pricing.formula import EXACT
from finops.query import Filter
from finops.requests.results import UsageRequest
from finops.requests.traces import read_by_key, traced
from finops.sql import statement
from ingest.settlements.applying import reversal_key


@dataclass(frozen=True, slots=True)
class Settling:
    """An event and all that adjusts it: settled rows as they were made, and after each row that
    does not count any more its reversal. The figures of `in_force`, which has its trace, count.

    `tokens` and `costs` are what settling has changed; a cost is None where one of both is unknown.
    """

    rows: list[UsageRequest]
    in_force: UsageRequest

    @property
    def original(self) -> UsageRequest:
        return self.rows[0]

    @property
    def tokens(self) -> dict[str, int]:
        before = self.original.tokens
        return {name: count - before[name] for name, count in self.in_force.tokens.items()}

    @property
    def costs(self) -> dict[str, Decimal | None]:
        before = self.original.costs
        with localcontext(EXACT):
            return {
                name: None if after is None or (was := before[name]) is None else after - was
                for name, after in self.in_force.costs.items()
            }


def settling_of(request: UsageRequest, filters: Sequence[Filter] = ()) -> Settling | None:
    """None of an event that nothing settles, and where `filters` keep a part from the reader."""
    day = request.started_at.date()
    named = request.corrects_key or request.reverses_key or request.event_key
    with connection.cursor() as cursor:
        cursor.execute(statement("settlements_of_event"), {"key": named, "day": day})
        found = cursor.fetchall()
    if not found:
        return None
    original: UUID = found[0][0]
    settled = [key for _, key, _ in found]
    keys = [original, *settled]
    reversals = [reversal_key(key) for key in keys]
    stored = {UUID(row.event_key): row for row in read_by_key([*keys, *reversals], day, None)}
    in_force = next(key for _, key, counts in found if counts)
    rows = [stored[key] for key in (*keys, *reversals) if key in stored]
    if len(rows) != 2 * len(settled) + 1 or not all(row.passes(filters) for row in rows):
        return None
    return Settling(in_order(rows), traced([stored[in_force]])[0])


def counting(request: UsageRequest, settling: Settling | None) -> UsageRequest | None:
    """The row whose figures count for this request's call; `settling` is what settling_of gave.

    None where the figures of this row do not count and the reader may not see those that do.
    """
    if settling:
        return settling.in_force
    if request.kind != "event":
        return None
    taken_back = reversal_key(UUID(request.event_key))
    is_replaced = read_by_key([taken_back], request.started_at.date(), None)
    return None if is_replaced else request


def in_order(rows: Sequence[UsageRequest]) -> list[UsageRequest]:
    """The event, then settled rows as they were made, the reversal of each row right after it."""
    reversal_of = {row.reverses_key: row for row in rows if row.reverses_key}
    ordered = []
    for row in rows:
        if not row.reverses_key:
            ordered += [row, *filter(None, [reversal_of.get(row.event_key)])]
    return ordered
