"""A month as files have it: what is said of the whole, and its lines, which may be very many."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from finops.allocation import Allocation, Line
from finops.books import drafts, frozen
from finops.books.lines import lines_of_statement
from finops.books.months import closed_as
from finops.cost_items import ChargeSum, MonthAllocation
from finops.cost_items.months import Status, seen_by
from finops.costs import Coverage, Freshness
from finops.models import StatementLine, StatementVersion


@dataclass(frozen=True, slots=True)
class MonthFile:
    """`head` has the lines of a draft; those of a closed month, of which `statement` is a version,
    are read when they are wanted."""

    head: MonthAllocation
    statement: StatementVersion | None
    teams: Collection[str] | None

    @property
    def lines(self) -> Iterable[Line]:
        if self.statement is None:
            return self.head.allocation.lines
        return lines_of_statement(self.statement, self.teams)

    def count(self) -> int:
        if self.statement is None:
            return len(self.head.allocation.lines)
        return StatementLine.objects.filter(statement_id=self.statement.pk).count()


def of_month(
    month: date, *, now: datetime, reader_teams: Collection[str] | None = None
) -> MonthFile:
    """As far as a reader of these teams (None: of all) sees it. Raises as drafts.of_month."""
    held = closed_as(month)
    if held is None:
        return MonthFile(drafts.of_month(month, now=now, reader_teams=reader_teams), None, None)
    statement = frozen.statement_of(month, held.version)
    return of_statement(statement, cast(Status, held.state), reader_teams)


def of_statement(
    statement: StatementVersion,
    status: Status = "closed",
    reader_teams: Collection[str] | None = None,
) -> MonthFile:
    """A closed month, without its lines."""
    whole = Allocation(
        (),
        tuple(frozen.shares_of(statement)),
        tuple(frozen.adjustments_of(statement)),
    )
    requests, unpriced = (int(statement.totals[n]) for n in ("requests", "unpriced_requests"))
    head = MonthAllocation(
        month=statement.month,
        allocation=whole,
        charges=tuple(frozen.of_text(ChargeSum, each) for each in statement.charges),
        capacity=frozen.uses_of(statement),
        items={},
        freshness=Freshness(statement.rolled_up_to, 0),
        coverage=Coverage(requests - unpriced, unpriced),
        currency=statement.currency,
        is_running=False,
        status=status,
    )
    return MonthFile(seen_by(reader_teams, head), statement, reader_teams)
