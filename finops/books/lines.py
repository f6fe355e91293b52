"""Lines of a statement, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from typing import Any

from finops.allocation import Line, LineKey, Usage
from finops.models import StatementLine, StatementVersion

AT_ONCE = 5_000
COUNTS = tuple(each.name for each in fields(Usage))
SUMS = (*COUNTS, "shared_cost", "idle_cost", "adjustment")
COLUMNS = ("id", *LineKey._fields, *SUMS)
KEY_END = len(LineKey._fields)
USAGE_END = KEY_END + len(COUNTS)


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
            yield line_of(row[1:])
        last = page[-1][0]


def line_of(values: Sequence[Any]) -> Line:
    """Of a key's names and SUMS."""
    usage = Usage(*values[KEY_END:USAGE_END])
    return Line(LineKey(*values[:KEY_END]), usage, *values[USAGE_END:])
