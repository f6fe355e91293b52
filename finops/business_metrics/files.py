"""Values as people and programs send them: lines of a CSV file, or members of a JSON list. All of
them are read before any is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from finops.cells import FORMULA_STARTS
from finops.csv_lines import MOST_LINES, MOST_PROBLEMS, NotReadable, Problem, rows
from finops.periods import FIRST_YEAR, LAST_YEAR, MONTH
from finops.query import MAX_VALUE_LENGTH, is_text
from finops.unit_economics import Terms

DAY = re.compile(r"\d{4}-\d\d-\d\d")
LARGEST = Decimal(10) ** 18
DECIMALS = 12
# In the place of a value: what was sent before is not known any more.
UNKNOWN = "unknown"
OWN_COLUMNS = ("period", "value", "currency")


@dataclass(frozen=True, slots=True)
class Line:
    """`value` is None where it is taken back. `number` is that of the line, or of the member."""

    number: int
    day: date
    is_month: bool
    keys: tuple[str, ...]
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Read:
    """`problems` are the first ones; `problem_count` are all."""

    lines: Sequence[Line]
    problems: Sequence[Problem]
    problem_count: int


def read_csv(file: BinaryIO, terms: Terms, currency: str, stored: Callable[[str], str]) -> Read:
    """`currency` is the reporting one; `stored` says how a user is kept. Raises NotReadable."""

    def refuse_header(header: Sequence[str]) -> None:
        wanted = ("period", "value", *terms.dimensions)
        if missing := [name for name in wanted if name not in header]:
            raise NotReadable(
                f"Its first line must name the columns, with commas between them: "
                f"{','.join(wanted)}. It has no {missing[0]}."
            )
        known = (*OWN_COLUMNS, *terms.dimensions)
        if others := [name for name in header if name and name not in known]:
            raise NotReadable(
                f"{terms.name} has no column {others[0][:80]!r}; its columns are "
                f"{', '.join(wanted)}."
            )

    return read_rows(rows(file, refuse_header), terms, currency, stored)


def read_json(given: object, terms: Terms, currency: str, stored: Callable[[str], str]) -> Read:
    """A list of objects with the same names; numbers are text, or were read as decimals. Raises
    NotReadable."""
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise NotReadable('Write {"values": [{"period": "2026-10-01", "value": "12"}]}.')
    if len(given) > MOST_LINES:
        raise NotReadable(f"It has more than {MOST_LINES:,} values.")
    listed = ((number, texts(each)) for number, each in enumerate(given, start=1))
    return read_rows(listed, terms, currency, stored)


def texts(member: Mapping[Any, object]) -> dict[str, str]:
    """As the columns of a file have it; what is neither text nor a number is left as it is written
    by Python, which is nothing that may stand there."""
    found = {}
    for name, value in member.items():
        if value is None:
            found[str(name)] = UNKNOWN if name == "value" else ""
        elif isinstance(value, Decimal):
            found[str(name)] = f"{value:f}" if value.is_finite() else str(value)
        else:
            found[str(name)] = str(value)
    return found


def read_rows(
    given: Iterable[tuple[int, dict[str, str]]],
    terms: Terms,
    currency: str,
    stored: Callable[[str], str],
) -> Read:
    found: list[Line] = []
    problems: list[Problem] = []
    seen: dict[tuple[date, bool, tuple[str, ...]], int] = {}
    for number, row in given:
        line, wrong = read_row(number, row, terms, currency, stored)
        if line is not None:
            place = (line.day, line.is_month, line.keys)
            if place in seen:
                wrong["period"] = f"says the same day and values as line {seen[place]}."
            seen.setdefault(place, number)
            found.append(line)
        problems += [Problem(number, field, message) for field, message in wrong.items()]
    if not found and not problems:
        raise NotReadable("It has no values.")
    problems += overlaps(found, terms)
    problems.sort(key=lambda each: each.line)
    return Read(found, problems[:MOST_PROBLEMS], len(problems))


def read_row(
    number: int,
    row: Mapping[str, str],
    terms: Terms,
    currency: str,
    stored: Callable[[str], str],
) -> tuple[Line | None, dict[str, str]]:
    if row.get("") == "more":
        said = "has more cells than the first line; are commas in it between quotes?"
        return None, {"columns": said}
    wrong: dict[str, str] = {}
    for name in row:
        if name not in OWN_COLUMNS and name not in terms.dimensions:
            wrong[name[:80]] = (
                f"is no field; known are {', '.join(('period', 'value', *terms.dimensions))}."
            )
    day, is_month = period_of(row.get("period", ""), wrong)
    value = value_of(row.get("value", ""), terms, wrong)
    keys = [key_of(name, row.get(name, ""), stored, wrong) for name in terms.dimensions]
    named = row.get("currency", "")
    if named and not terms.is_money:
        wrong["currency"] = "is only for money; leave it out."
    elif named and named.upper() != currency:
        wrong["currency"] = (
            f"{named[:20]!r} is not the reporting currency: convert the amounts to {currency}."
        )
    if wrong or day is None:
        return None, wrong
    return Line(number, day, is_month, tuple(keys), value), {}


def period_of(text: str, wrong: dict[str, str]) -> tuple[date | None, bool]:
    is_month = bool(MONTH.fullmatch(text))
    try:
        if is_month or DAY.fullmatch(text):
            day = date.fromisoformat(f"{text}-01" if is_month else text)
            if FIRST_YEAR <= day.year < LAST_YEAR:
                return day, is_month
    except ValueError:
        pass
    said = f"{text[:40]!r} is no day or month" if text else "is empty"
    wrong["period"] = f"{said}; write a day like 2026-10-01 or a month like 2026-10."
    return None, False


def value_of(text: str, terms: Terms, wrong: dict[str, str]) -> Decimal | None:
    if text == UNKNOWN:
        return None
    if not text:
        wrong["value"] = f"is empty; write a number, or {UNKNOWN} to take back what was sent."
        return None
    try:
        value = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        is_formula = text.lstrip().startswith(FORMULA_STARTS)
        said = "is a formula; write its result" if is_formula else "is no number; write it"
        wrong["value"] = f"{text[:40]!r} {said} like 1250 or 99.50, without thousands' separators."
    elif abs(value) >= LARGEST or value != round(value, DECIMALS):
        wrong["value"] = f"write less than 10^18, with at most {DECIMALS} decimals."
    elif value < 0 and not terms.is_money:
        wrong["value"] = "is below zero, which no count is."
    return value


def key_of(name: str, text: str, stored: Callable[[str], str], wrong: dict[str, str]) -> str:
    if not text:
        wrong[name] = "is empty; write Unattributed for what has none."
    elif len(text) > MAX_VALUE_LENGTH or not is_text(text):
        wrong[name] = f"write at most {MAX_VALUE_LENGTH} characters of plain text."
    return stored(text) if name == "user" and text else text


def overlaps(found: Sequence[Line], terms: Terms) -> list[Problem]:
    """Days beside their whole month, of what adds up: they would count twice."""
    if not terms.adds_up:
        return []
    months = {line.day: line.number for line in reversed(found) if line.is_month}
    return [
        Problem(
            line.number,
            "period",
            f"is a day of {line.day:%Y-%m}, which line {months[line.day.replace(day=1)]} gives as "
            "a whole: give either the month or its days.",
        )
        for line in found
        if not line.is_month and line.day.replace(day=1) in months
    ]
