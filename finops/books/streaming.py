"""A month's file row by row: of a closed month in flat memory, however many lines it has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import fields
from datetime import date, datetime

from finops.allocation import Line, LineKey, Usage
from finops.books import drafts, frozen
from finops.books.months import State
from finops.cells import text_cell
from finops.cost_items.table import row_of
from finops.models import BooksMonth, StatementLine, StatementVersion

AT_ONCE = 5_000
COUNTS = tuple(each.name for each in fields(Usage))
COLUMNS = ("id", *LineKey._fields, *COUNTS, "shared_cost", "idle_cost", "adjustment")
KEY_END, USAGE_END = 1 + len(LineKey._fields), 1 + len(LineKey._fields) + len(COUNTS)


def rows_of_month(
    month: date, *, now: datetime, reader_teams: Collection[str] | None = None
) -> Iterable[list[str]]:
    """The rows of the month's file, as cost_items.table.HEADER names them. What can be wrong is
    raised before the first of them: as drafts.of_month."""
    if statement := newest(month):
        return rows_of_statement(statement, reader_teams)
    return frozen.rows_of_file(drafts.of_month(month, now=now, reader_teams=reader_teams))


def newest(month: date) -> StatementVersion | None:
    """Of a month that is closed; without the JSON that its file has not."""
    held = BooksMonth.objects.filter(month=month).exclude(state=State.DRAFT).first()
    if held is None:
        return None
    return StatementVersion.objects.only("month", "version", "currency", "checksum").get(
        month=month, version=held.version
    )


def rows_of_statement(
    statement: StatementVersion,
    teams: Collection[str] | None = None,
    text: Callable[[str], str] = text_cell,
) -> Iterator[list[str]]:
    """Those of these teams (None: of all). Whether it was sent or not, the file says closed."""
    for line in lines_of_statement(statement, teams):
        yield row_of(line, statement.month, statement.currency, "closed", text)


def lines_of_statement(
    statement: StatementVersion, teams: Collection[str] | None = None
) -> Iterator[Line]:
    """In the order of their keys, in which they were written. Uses statement_line_in_order.

    They never change, so that pages of them belong together without a transaction that stays open
    for as long as somebody downloads.
    """
    wanted = StatementLine.objects.filter(statement_id=statement.pk).order_by("id")
    if teams is not None:
        wanted = wanted.filter(team__in=list(teams))
    last = 0
    while page := list(wanted.filter(id__gt=last).values_list(*COLUMNS)[:AT_ONCE]):
        for row in page:
            yield Line(LineKey(*row[1:KEY_END]), Usage(*row[KEY_END:USAGE_END]), *row[USAGE_END:])
        last = page[-1][0]
