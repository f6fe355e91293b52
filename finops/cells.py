"""Cells of tables that a spreadsheet opens: text that it would run as a formula is neutralised."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet runs a cell that begins so, some also in full width or after blanks; an apostrophe
# before it makes it text.
FORMULA_STARTS = (
    *"=+-@",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
CONTROL_STARTS = ("\t", "\r", "\n")
# Each piece of an answer costs as much as some rows do.
ROWS_IN_A_PIECE = 200


def text_cell(text: str) -> str:
    """What people have named. Numbers are ours and stay as they are."""
    runs = text.startswith(CONTROL_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
    return "'" + text if runs else text


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_pieces(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table as CSV (RFC 4180): the header at once, then rows together."""
    writer = csv.writer(Echo())
    yield writer.writerow(header)
    held: list[str] = []
    for row in rows:
        held.append(writer.writerow(row))
        if len(held) == ROWS_IN_A_PIECE:
            yield "".join(held)
            held.clear()
    if held:
        yield "".join(held)
