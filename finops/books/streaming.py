"""A month's file row by row: of a closed month in flat memory, however many lines it has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime

from finops.books import drafts, frozen, months
from finops.books.lines import lines_of_statement
from finops.cells import text_cell
from finops.cost_items.table import row_of
from finops.models import StatementVersion


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
    held = months.closed_as(month)
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
