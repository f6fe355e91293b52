"""Answers as CSV: RFC 4180, streamed, harmless in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.http import StreamingHttpResponse

from finops.cells import csv_pieces, text_cell

__all__ = ["csv_response", "text_cell"]


def csv_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> StreamingHttpResponse:
    """What fails after the first piece breaks the connection: no file ends as if it were whole."""
    return StreamingHttpResponse(
        csv_pieces(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
