"""Tables in a workbook (XLSX), written row by row, so that memory does not grow with them.

A spreadsheet computes in binary floats of 15 decimal digits. Money that has more of them is written
as the nearest such number, to add up and chart with, and its exact decimals as text in a column to
the right of the table; where that column is empty, the number is exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

Cell = str | int | Decimal | None
MOST_ROWS = 1_048_576  # of a sheet, its header one of them
DIGITS = 15
LONGEST = 32_767  # UTF-16 units of one cell, by the format
LEAST_WIDTH, MOST_WIDTH = 9, 48
MONEY = "#,##0.00##########"
# What XML cannot say, escaped or not.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Book:
    """A workbook that goes into a file."""

    def __init__(self, file: IO[bytes]) -> None:
        # Text stays text, whatever it begins with: no formula, address or number is made of it.
        quiet = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")}
        self._workbook = xlsxwriter.Workbook(file, {"constant_memory": True, **quiet})
        made = self._workbook.add_format
        self.head = made({"bold": True, "bottom": 1})
        self.title = made({"bold": True, "font_size": 14})
        self.total = made({"bold": True, "top": 1})
        # Whoever edits the cell, or saves the sheet as CSV, does not make a formula of it either.
        self.text = made({"quote_prefix": True})
        self.count = made({"num_format": "#,##0"})
        self.money = made({"num_format": MONEY})
        self.total_count = made({"bold": True, "top": 1, "num_format": "#,##0"})
        self.total_money = made({"bold": True, "top": 1, "num_format": MONEY})

    def sheet(self, name: str) -> Any:
        return self._workbook.add_worksheet(name)

    def close(self) -> None:
        self._workbook.close()


class Table:
    """Rows below a header; after MOST_ROWS they go on in another sheet of the same columns, if the
    table has sheets of its own. `money` are the names of the columns that have exact text."""

    def __init__(
        self,
        book: Book,
        name: str,
        columns: Sequence[str],
        money: Iterable[str] = (),
        *,
        sheet: Any = None,
        top: int = 0,
        first_width: int = LEAST_WIDTH,
    ) -> None:
        self._book, self._name, self._columns = book, name, tuple(columns)
        named = set(money)
        self._exact = [n for n, column in enumerate(self._columns) if column in named]
        self._number, self._first_width, self._totals = 1, first_width, 0
        self._begin(sheet or book.sheet(name), top)

    def add(self, cells: Sequence[Cell], *, is_total: bool = False) -> None:
        if self._row == MOST_ROWS:
            self.end()
            self._number += 1
            self._begin(self._book.sheet(f"{self._name} {self._number}"), 0)
        for column, cell in enumerate(cells):
            self._put(column, cell, is_total)
        for place, column in enumerate(self._exact, len(self._columns) + 1):
            cell = cells[column]
            if isinstance(cell, Decimal) and not is_exact(cell):
                self._sheet.write_string(self._row, place, f"{cell:f}")
        self._row += 1
        self._totals += is_total

    def end(self) -> None:
        """Widths by what was written, a filter, and the exact text folded away."""
        last = len(self._columns) - 1
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, width)
        if self._top == 0:
            self._sheet.freeze_panes(1, 0)
        filtered = max(self._row - 1 - self._totals, self._top)
        self._sheet.autofilter(self._top, 0, filtered, last)
        if self._exact:
            first = len(self._columns) + 1
            folded = {"level": 1, "hidden": True}
            self._sheet.set_column(first, first + len(self._exact) - 1, 24, None, folded)
            after = first + len(self._exact)
            self._sheet.set_column(after, after, None, None, {"collapsed": True})

    def _begin(self, sheet: Any, top: int) -> None:
        self._sheet, self._top, self._row = sheet, top, top + 1
        self._widths = [width_of(name) for name in self._columns]
        self._widths[0] = max(self._widths[0], self._first_width)
        for column, name in enumerate(self._columns):
            sheet.write_string(top, column, name, self._book.head)
        for place, column in enumerate(self._exact, len(self._columns) + 1):
            sheet.write_string(top, place, f"{self._columns[column]} (exact)", self._book.head)

    def _put(self, column: int, cell: Cell, is_total: bool) -> None:
        book, at = self._book, (self._row, column)
        if isinstance(cell, Decimal):
            shown = f"{cell:,f}"
            self._sheet.write_number(*at, float(cell), book.total_money if is_total else book.money)
        elif isinstance(cell, int):
            shown = f"{cell:,}"
            self._sheet.write_number(*at, cell, book.total_count if is_total else book.count)
        else:
            shown = legal(cell or "")
            if shown or is_total:
                self._sheet.write_string(*at, shown, book.total if is_total else book.text)
        self._widths[column] = max(self._widths[column], width_of(shown))


def is_exact(amount: Decimal) -> bool:
    """Whether a spreadsheet keeps all its digits."""
    digits = amount.as_tuple().digits
    return len(digits) <= DIGITS or len("".join(map(str, digits)).strip("0")) <= DIGITS


def legal(text: str) -> str:
    """What a cell can hold: no character that XML has not, and not more than the format allows."""
    if ILLEGAL.search(text):
        text = ILLEGAL.sub(REPLACEMENT, text)
    if len(text) * 2 > LONGEST and len(text.encode("utf-16-le")) // 2 > LONGEST:
        cut = text.encode("utf-16-le")[: 2 * (LONGEST - 1)].decode("utf-16-le", "ignore")
        text = f"{cut}…"
    # The writer would take it for marked-up text of its own, and pass it into the file as it is.
    return f"'{text}" if text.startswith("<r>") and text.endswith("</r>") else text


def width_of(text: str) -> int:
    """Of a column, in characters; somewhat more, for the filter's button."""
    return min(max(len(text) + 3, LEAST_WIDTH), MOST_WIDTH)
