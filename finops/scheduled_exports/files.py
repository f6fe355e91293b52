"""The file of a run, made anew on each attempt; of a closed month it is the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from finops.books import drafts, frozen, streaming
from finops.cells import csv_pieces
from finops.cost_items import MonthAllocation
from finops.cost_items.table import HEADER
from finops.models import ExportSchedule, StatementVersion

Format = ExportSchedule.Format


@dataclass(frozen=True, slots=True)
class Closed:
    """A version of a closed month; its lines are read as they are written out."""

    statement: StatementVersion

    @property
    def month(self) -> date:
        return self.statement.month


Source = Closed | MonthAllocation


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is what the file begins with."""

    name: str
    suffix: str
    content_type: str
    parts: Callable[[Source], Iterator[bytes]]


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

    name: str
    content_type: str
    size: int
    sha256: str
    md5: bytes
    summary: Summary


def csv_parts(source: Source) -> Iterator[bytes]:
    if isinstance(source, Closed):
        rows = streaming.rows_of_statement(source.statement)
    else:
        rows = frozen.rows_of_file(source)
    return (piece.encode() for piece in csv_pieces(HEADER, rows))


KINDS: Mapping[str, Kind] = {
    Format.CSV: Kind("allocation", "csv", "text/csv; charset=utf-8", csv_parts)
}


def make(format: str, month: date, version: int | None, now: datetime, file: IO[bytes]) -> Made:
    """Write it into `file`: of this version, or of the month as it stands, closed or not. Raises as
    cost_items.of_month, and StatementVersion.DoesNotExist."""
    source, kind = source_of(month, version, now), KINDS[format]
    summary = summary_of(source)
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for part in kind.parts(source):
        sha256.update(part)
        md5.update(part)
        size += file.write(part)
    file.flush()
    standing = f"v{summary.version}" if summary.version else "draft"
    name = f"{kind.name}-{month:%Y-%m}-{standing}.{kind.suffix}"
    return Made(name, kind.content_type, size, sha256.hexdigest(), md5.digest(), summary)


def source_of(month: date, version: int | None, now: datetime) -> Source:
    if version:
        return Closed(StatementVersion.objects.get(month=month, version=version))
    if newest := streaming.newest(month):
        return Closed(StatementVersion.objects.get(pk=newest.pk))
    return drafts.of_month(month, now=now)


def summary_of(source: Source) -> Summary:
    if isinstance(source, Closed):
        held = source.statement
        unpriced = int(held.totals["unpriced_requests"])
        return Summary(held.month, held.version, held.currency, held.totals, unpriced, 0)
    totals = frozen.totals_of(source.allocation.totals)
    unpriced, pending = source.coverage.unpriced_requests, source.freshness.pending_events
    return Summary(source.month, None, source.currency, totals, unpriced, pending)
