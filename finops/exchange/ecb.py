"""The reference rates of the European Central Bank as it publishes them.

eurofxref.csv has one day, eurofxref-hist.csv all since 1999: "Date" and the currencies in the
header, in each line a day, then units for one euro. Days are 2026-11-20 or 20 November 2026, N/A
is a currency that had no rate, and lines end with a comma. Both come zipped. Any table of that
shape is read, so that rates of one's own can be imported too. All of a file is taken or nothing.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from finops.exchange.rates import EURO, is_currency

MOST_BYTES = 8 * 1024 * 1024
MOST_PROBLEMS = 100
# Bounds within which no quotient of two rates is rounded to nothing.
RATE = re.compile(r"[0-9]{1,8}(\.[0-9]{1,12})?")
LEAST = Decimal("0.0001")
UNKNOWN = {"", "N/A"}
ZIP = b"PK\x03\x04"

Rates = dict[date, dict[str, Decimal]]


class WrongFile(ValueError):
    """What is wrong with it, each with its line and column where it has one."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


def parse(content: bytes) -> Rates:
    """The rates by day. Raises WrongFile."""
    rows = list(_rows(_text(content)))
    if not rows:
        raise WrongFile(["The file is empty: choose eurofxref.csv or eurofxref-hist.csv."])
    (line, header), *lines = rows
    currencies, problems = _header(line, header)
    if not problems and not lines:
        problems.append("The file has a header and no rates.")
    if problems:
        raise WrongFile(problems)
    found: Rates = {}
    for line, cells in lines:
        day, rates, wrong = _day(line, cells, currencies)
        problems += wrong
        if day is None:
            continue
        if day in found:
            problems.append(f"Line {line}: {day} is there twice.")
        if not rates and not wrong:
            problems.append(f"Line {line}: {day} has no rate at all.")
        found[day] = rates
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise WrongFile(problems[:MOST_PROBLEMS] + ([f"{more} more."] if more > 0 else []))
    return found


def _text(content: bytes) -> str:
    if content.startswith(ZIP):
        content = _unzipped(content)
    if len(content) > MOST_BYTES:
        raise WrongFile([f"The file is larger than {MOST_BYTES // 1024**2} MiB."])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongFile(
            [f"Byte {error.start + 1} is no UTF-8: save the file as CSV UTF-8."]
        ) from None


def _unzipped(content: bytes) -> bytes:
    """The one file within, read no further than the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise WrongFile([f"The zip file holds {len(names)} CSV files: it may hold one."])
            with archive.open(names[0]) as file:
                return file.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise WrongFile([f"The zip file cannot be read: {error}."]) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise WrongFile([f"Line {reader.line_num}: {error}."]) from None


def _header(line: int, cells: list[str]) -> tuple[list[str], list[str]]:
    """The currencies, and what is wrong; the lines' last comma is no column."""
    names = cells[:-1] if cells[-1] == "" else cells
    problems = []
    if names[0].lower() != "date":
        problems.append(
            f'Line {line}, column 1: the first column is "Date", not {names[0][:40]!r}. '
            "Choose a file like eurofxref.csv of the European Central Bank."
        )
    currencies = names[1:]
    for column, name in enumerate(currencies, 2):
        if not is_currency(name) or name == EURO:
            problems.append(
                f"Line {line}, column {column}: {name[:40]!r} is no currency for one euro; write a "
                "code like USD."
            )
        elif currencies.index(name) != column - 2:
            problems.append(f"Line {line}, column {column}: {name} is there twice.")
    if not currencies:
        problems.append(f"Line {line}: no currency follows the date.")
    return currencies, problems


def _day(
    line: int, cells: list[str], currencies: Sequence[str]
) -> tuple[date | None, dict[str, Decimal], list[str]]:
    day, problems = _date(cells[0]), []
    if day is None:
        problems.append(
            f"Line {line}, column 1: {cells[0][:40]!r} is no day; write 2026-11-20 or "
            "20 November 2026."
        )
    values = cells[1:]
    if len(values) > len(currencies) and not any(values[len(currencies) :]):
        values = values[: len(currencies)]
    if len(values) != len(currencies):
        problems.append(
            f"Line {line}: it has {len(values)} rates for {len(currencies)} currencies."
        )
        return day, {}, problems
    rates = {}
    for column, (currency, text) in enumerate(zip(currencies, values, strict=True), 2):
        if text.upper() in UNKNOWN:
            continue
        if not RATE.fullmatch(text) or Decimal(text) < LEAST:
            problems.append(
                f"Line {line}, column {column} ({currency}): {text[:40]!r} is no rate; write a "
                "number from 0.0001 to 99999999 with a decimal point, or N/A."
            )
            continue
        rates[currency] = Decimal(text)
    return day, rates, problems


def _date(text: str) -> date | None:
    for shape in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text, shape).date()
        except ValueError:
            continue
    return None
