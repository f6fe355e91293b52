"""Answers as CSV: RFC 4180, streamed, harmless in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

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


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def text_cell(text: str) -> str:
    """What people have named. Numbers are ours and stay as they are."""
    runs = text.startswith(CONTROL_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
    return "'" + text if runs else text


def csv_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        writer = csv.writer(Echo())
        yield writer.writerow(header)
        for row in rows:
            yield writer.writerow(row)

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
