"""Reads what somebody uploads: finds out what it is, and gives its lines or says what is wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from typing import Any

from finops.reconciliation import anthropic_reports, billing_csv, openai_reports
from finops.reconciliation.billing_csv import CUR_COLUMNS, FOCUS_COLUMNS, ColumnMapping
from finops.reconciliation.fields import Fields, objects
from finops.reconciliation.lines import BillLine, LeftOut, UnreadableBill, merged

# What a web process reads in some seconds.
MOST_LINES = 300_000
MOST_UNPACKED = 64 * 2**20
DEEPEST = 20
Reader = Callable[[Mapping[str, str], Fields, str], Iterable[BillLine]]
KNOWN = (
    "an OpenAI usage or cost report (JSON), an Anthropic usage or cost report (JSON) or console "
    "CSV, FOCUS CSV, an AWS cost and usage report (CSV), any CSV with a mapping of its columns, or "
    "one of these packed with gzip"
)


@dataclass(frozen=True, slots=True)
class Report:
    """`has_more`: the provider has further pages, which are not in it. `empty` are days of which a
    provider's costs say that nothing was billed; `left_out` is what is no inference."""

    lines: tuple[BillLine, ...]
    has_more: bool = False
    empty: Mapping[str, frozenset[date]] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)


@dataclass(slots=True)
class Pages:
    """What answers of an API say, page by page."""

    lines: list[BillLine] = field(default_factory=list)
    has_more: bool = False
    empty: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))


def read(
    content: bytes, *, mapping: ColumnMapping | None = None, day: date | None = None
) -> Report:
    """The lines of a report, in no particular order. `day` is that of results which name none.
    Raises UnreadableBill."""
    text, fields = text_of(content), Fields()
    if text.lstrip()[:1] in {"{", "["}:
        held = from_json(text, fields, day)
        lines = merged(held.lines)
    else:
        held = Pages()
        lines = merged(from_csv(text, fields, mapping))
    if not lines and not fields.problems:
        out = fields.left_out.lines
        besides = f" {out:,} lines are of other things than inference." if out else ""
        fields.wrong("The file", f"has no line of a bill.{besides} It may be {KNOWN}.")
    if fields.problems:
        raise UnreadableBill(fields.said())
    empty = {provider: frozenset(found) for provider, found in held.empty.items()}
    return Report(tuple(lines), held.has_more, empty, fields.left_out)


def text_of(content: bytes) -> str:
    """Of a file, or of one that is packed with gzip. Raises UnreadableBill."""
    if content.startswith(b"\x1f\x8b"):
        content = unpacked(content)
    if not content.strip():
        raise UnreadableBill(["The file is empty."])
    if content.startswith(b"PK\x03\x04"):
        raise UnreadableBill(
            ["The file is a workbook or an archive. Save the sheet as CSV UTF-8, or unpack it."]
        )
    try:
        if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\x00" in content:
            raise UnreadableBill(["The file is no text. Save it as CSV UTF-8."]) from None
        return content.decode("latin-1")


def unpacked(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            found = file.read(MOST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableBill([f"The file cannot be unpacked: {error}."]) from error
    if len(found) > MOST_UNPACKED:
        most = f"{MOST_UNPACKED // 2**20} MiB"
        raise UnreadableBill([f"The file is larger than {most} when it is unpacked: part it."])
    return found


def from_json(text: str, fields: Fields, day: date | None) -> Pages:
    found = Pages()
    try:
        held = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        fields.wrong("The file", f"is no JSON: {error}")
        return found
    for where, page in pages(held):
        found.has_more = found.has_more or page.get("has_more") is True
        if openai_reports.is_page(page):
            found.lines += openai_reports.lines(page, fields, where)
            found.empty[openai_reports.PROVIDER].update(openai_reports.empty_days(page))
        elif anthropic_reports.is_page(page):
            found.lines += anthropic_reports.lines(page, fields, where)
            found.empty[anthropic_reports.PROVIDER].update(anthropic_reports.empty_days(page))
        elif anthropic_reports.is_usage(page):
            if day is None:
                fields.wrong(where or "The file", "is one result without a day: say which")
            else:
                found.lines += anthropic_reports.result_lines(page, day, fields, where)
    return found


def pages(value: Any, where: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every page in it, wherever it is: whoever saves answers wraps them somehow."""
    if isinstance(value, Mapping):
        is_page = any(objects(bucket.get("results")) for bucket in objects(value.get("data")))
        if is_page or anthropic_reports.is_usage(value):
            yield where, value
            return
    if depth == DEEPEST:
        return
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for name, each in inner:
        yield from pages(each, f"{where}{name}.", depth + 1)


def from_csv(text: str, fields: Fields, mapping: ColumnMapping | None) -> Iterator[BillLine]:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [name.strip() for name in next(rows, [])]
        reader = reader_of(columns, fields, mapping)
        if reader is None:
            return
        names = [billing_csv.cur_name(name) for name in columns] if reader is CUR else columns
        for count, cells in enumerate(rows, start=1):
            if count > MOST_LINES:
                fields.wrong("The file", f"has more than {MOST_LINES:,} lines; part it")
                return
            if len(cells) > len(names):
                fields.wrong(f"line {rows.line_num}", "has more cells than there are columns")
            elif cells:
                row = dict(zip_longest(names, cells, fillvalue=""))
                yield from reader(row, fields, f"line {rows.line_num}")
    except csv.Error as error:
        fields.wrong(f"line {rows.line_num}", f"cannot be read: {error}")


def reader_of(columns: list[str], fields: Fields, mapping: ColumnMapping | None) -> Reader | None:
    """What reads the rows of such a table; None, on record, where nothing does."""
    held = set(columns)
    known = ", ".join(columns)[:200]
    if mapping is not None:
        for name in mapping.columns.values():
            if name not in held:
                fields.wrong("The file", f"has no column {name!r}; its columns are {known}")
        return None if fields.problems else partial(mapped, mapping)
    if held >= FOCUS_COLUMNS:
        return billed_of(billing_csv.focus_line)
    if held >= anthropic_reports.CSV_COLUMNS:
        return anthropic_reports.csv_lines
    if {billing_csv.cur_name(name) for name in columns} >= CUR_COLUMNS:
        return CUR
    fields.wrong("The file", f"has columns that say nothing here ({known}). It may be {KNOWN}.")
    return None


def mapped(
    mapping: ColumnMapping, row: Mapping[str, str], fields: Fields, place: str
) -> Iterator[BillLine]:
    return billing_csv.mapped_lines(row, mapping, fields, place)


def billed_of(read_one: Callable[[Mapping[str, str], Fields, str], BillLine | None]) -> Reader:
    """As a reader of any number of lines."""

    def read_row(row: Mapping[str, str], fields: Fields, place: str) -> Iterator[BillLine]:
        line = read_one(row, fields, place)
        if line is not None:
            yield line

    return read_row


CUR = billed_of(billing_csv.cur_line)
