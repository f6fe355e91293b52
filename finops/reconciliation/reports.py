"""Reads what somebody uploads: finds out what it is, and gives its lines or says what is wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from finops.reconciliation import anthropic_reports, billing_csv, openai_reports
from finops.reconciliation.billing_csv import CUR_COLUMNS, FOCUS_COLUMNS, ColumnMapping
from finops.reconciliation.fields import Fields, objects
from finops.reconciliation.lines import BillLine, UnreadableBill, merged

MOST_LINES = 2_000_000
DEEPEST = 20
BEYOND = "\x00beyond"
KNOWN = (
    "an OpenAI usage or cost report (JSON), an Anthropic usage or cost report (JSON) or console "
    "CSV, FOCUS CSV, an AWS cost and usage report (CSV), or any CSV with a mapping of its columns"
)


@dataclass(frozen=True, slots=True)
class Report:
    """`has_more`: the provider has further pages, which are not in it."""

    lines: tuple[BillLine, ...]
    has_more: bool = False


def read(
    content: bytes, *, mapping: ColumnMapping | None = None, day: date | None = None
) -> Report:
    """The lines of a report, in no particular order. `day` is that of results which name none.
    Raises UnreadableBill."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    fields = Fields()
    if text.lstrip()[:1] in {"{", "["}:
        found, has_more = from_json(text, fields, day)
    else:
        found, has_more = list(from_csv(text, fields, mapping)), False
    if not found and not fields.problems:
        fields.wrong("The file", f"has no line of a bill. It may be {KNOWN}.")
    if fields.problems:
        raise UnreadableBill(fields.problems)
    return Report(tuple(merged(found)), has_more)


def from_json(text: str, fields: Fields, day: date | None) -> tuple[list[BillLine], bool]:
    try:
        held = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        fields.wrong("The file", f"is no JSON: {error}")
        return [], False
    found: list[BillLine] = []
    has_more = False
    for where, page in pages(held):
        has_more = has_more or page.get("has_more") is True
        if openai_reports.is_page(page):
            found += openai_reports.lines(page, fields, where)
        elif anthropic_reports.is_page(page):
            found += anthropic_reports.lines(page, fields, where)
        elif anthropic_reports.is_usage(page):
            if day is None:
                fields.wrong(where or "The file", "is one result without a day: say which")
            else:
                found += anthropic_reports.result_lines(page, day, fields, where)
    return found, has_more


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
    rows = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=delimiter, restval="", restkey=BEYOND
    )
    try:
        columns = {name.strip() for name in rows.fieldnames or ()}
        for number, row in enumerate(rows, start=2):
            if number > MOST_LINES:
                fields.wrong("The file", f"has more than {MOST_LINES:,} lines; part it")
                return
            if BEYOND in row:
                fields.wrong(f"line {number}", "has more cells than there are columns")
            plain = {str(name).strip(): value for name, value in row.items() if name != BEYOND}
            yield from csv_row(plain, columns, fields, f"line {number}", mapping)
    except csv.Error as error:
        fields.wrong(f"line {rows.line_num}", f"cannot be read: {error}")


def csv_row(
    row: Mapping[str, str],
    columns: set[str],
    fields: Fields,
    place: str,
    mapping: ColumnMapping | None,
) -> Iterator[BillLine]:
    if mapping is not None:
        yield from billing_csv.mapped_lines(row, mapping, fields, place)
    elif columns >= FOCUS_COLUMNS:
        yield from one(billing_csv.focus_line(row, fields, place))
    elif columns >= anthropic_reports.CSV_COLUMNS:
        yield from anthropic_reports.csv_lines(row, fields, place)
    elif billing_csv.cur_names(dict.fromkeys(columns, "")).keys() >= CUR_COLUMNS:
        yield from one(billing_csv.cur_line(billing_csv.cur_names(row), fields, place))
    elif not fields.problems:
        known = ", ".join(sorted(columns))[:200]
        fields.wrong("The file", f"has columns that say nothing here ({known}). It may be {KNOWN}.")


def one(line: BillLine | None) -> Iterator[BillLine]:
    if line is not None:
        yield line
