"""The file of a run, made anew on each attempt; of a closed month it says the same every time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from finops.books import charges, frozen, streaming
from finops.cells import csv_pieces
from finops.cost_items.table import HEADER
from finops.exports import months, workbook
from finops.exports.months import MonthFile
from finops.focus import cells
from finops.focus.columns import NAMES
from finops.models import ExportSchedule

Format = ExportSchedule.Format
AT_ONCE = 1024 * 1024
CSV = "text/csv; charset=utf-8"


class Superseded(ValueError):
    """Only the newest version of a month can be had in this format."""

    def __init__(self, month: date, version: int, newest: str) -> None:
        super().__init__(
            f"Version {version} of {month:%B %Y} is not the newest any more, which is {newest}."
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is what the file begins with."""

    name: str
    suffix: str
    content_type: str
    write: Callable[[MonthFile, datetime, IO[bytes]], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is said of the month beside its file; amounts as plain decimals, by their columns."""

    month: date
    version: int | None  # None of a draft
    currency: str
    amounts: Mapping[str, str]
    unpriced: int
    pending: int


@dataclass(frozen=True, slots=True)
class Made:
    """What lies in the file; digests are of its bytes."""

    name: str  # with the version, or that it is a draft
    plain_name: str
    content_type: str
    size: int
    sha256: str
    md5: bytes
    summary: Summary


def write_csv(found: MonthFile, now: datetime, file: IO[bytes]) -> None:
    if found.statement:
        rows: Iterable[list[str]] = streaming.rows_of_statement(found.statement)
    else:
        rows = frozen.rows_of_file(found.head)
    file.writelines(piece.encode() for piece in csv_pieces(HEADER, rows))


def write_xlsx(found: MonthFile, now: datetime, file: IO[bytes]) -> None:
    workbook.write(found, file)


def write_focus(found: MonthFile, now: datetime, file: IO[bytes]) -> None:
    """Raises Superseded."""
    month = found.head.month
    if found.statement:
        newest = streaming.newest(month)
        if newest is None or newest.pk != found.statement.pk:
            name = f"version {newest.version}" if newest else "open again"
            raise Superseded(month, found.statement.version, name)
    rows = cells.lines(charges.rows(month, now=now, reader_teams=None))
    file.writelines(piece.encode() for piece in csv_pieces(NAMES, rows))


KINDS: Mapping[str, Kind] = {
    Format.CSV: Kind("allocation", "csv", CSV, write_csv),
    Format.XLSX: Kind("allocation", "xlsx", workbook.CONTENT_TYPE, write_xlsx),
    Format.FOCUS: Kind("allocation", "focus.csv", CSV, write_focus),
}


def make(format: str, month: date, version: int | None, now: datetime, file: IO[bytes]) -> Made:
    """Write it into `file`: of this version, or of the month as it stands, closed or not. Raises as
    cost_items.of_month, Superseded, and StatementVersion.DoesNotExist."""
    kind = KINDS[format]
    if version:
        found = months.of_statement(frozen.statement_of(month, version))
    else:
        found = months.of_month(month, now=now)
    kind.write(found, now, file)
    file.flush()
    summary = summary_of(found)
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    file.seek(0)
    while part := file.read(AT_ONCE):
        sha256.update(part)
        md5.update(part)
    size = os.fstat(file.fileno()).st_size
    standing = f"v{summary.version}" if summary.version else "draft"
    name = f"{kind.name}-{month:%Y-%m}"
    names = f"{name}-{standing}.{kind.suffix}", f"{name}.{kind.suffix}"
    return Made(*names, kind.content_type, size, sha256.hexdigest(), md5.digest(), summary)


def summary_of(found: MonthFile) -> Summary:
    head = found.head
    if found.statement:
        amounts, version = found.statement.totals, found.statement.version
    else:
        amounts, version = frozen.totals_of(head.allocation.totals), None
    unpriced, pending = head.coverage.unpriced_requests, head.freshness.pending_events
    return Summary(head.month, version, head.currency, amounts, unpriced, pending)
