"""The list of rules as a CSV file: a column for each dimension that a rule asks for, a line a rule,
in their order. What is written is what is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Protocol

from finops.cells import text_cell
from finops.csv_lines import MOST_PROBLEMS, NotReadable, Problem, rows
from finops.ownership.conditions import FIRST, LAST, Days, check
from finops.query import TAG_PREFIX

TERMS = ("cost_center", "effective_from", "effective_to")


@dataclass(frozen=True, slots=True)
class FileRule:
    line: int
    conditions: Mapping[str, str]
    cost_center: str
    days: Days


@dataclass(frozen=True, slots=True)
class Read:
    """`problems` are the first ones; `problem_count` are all."""

    rules: Sequence[FileRule]
    problems: Sequence[Problem]
    problem_count: int


# A rule by what it says from which day on.
Beginning = tuple[tuple[tuple[str, str], ...], str, date]


def beginning(conditions: Mapping[str, str], code: str, days: Days) -> Beginning:
    return tuple(sorted(conditions.items())), code, days.start or FIRST


class HasTerms(Protocol):
    """A rule as the database has it."""

    conditions: dict[str, str]
    cost_center: str
    effective_from: date | None
    effective_to: date | None


def read(
    file: BinaryIO,
    centers: Mapping[str, bool],
    activated: set[str],
    stored: Callable[[Mapping[str, str]], dict[str, str]],
    standing: Collection[Beginning] = (),
) -> Read:
    """The rules of a file. `centers` are the known codes and whether they are in use; `stored` says
    how conditions are kept. A rule that is `standing` goes on, or ends, though its cost center or
    tag is not in use any more. Raises NotReadable."""
    found: list[FileRule] = []
    problems: list[Problem] = []
    for number, row in rows(file, refuse_header):
        rule, wrong = read_row(number, row, centers, activated)
        kept = FileRule(number, stored(rule.conditions), rule.cost_center, rule.days)
        if wrong and beginning(kept.conditions, kept.cost_center, kept.days) in standing:
            tags = {name.removeprefix(TAG_PREFIX) for name in rule.conditions}
            _, wrong = read_row(number, row, dict.fromkeys(centers, True), activated | tags)
        problems += wrong
        if not wrong:
            found.append(kept)
    problems += overlaps(found)
    problems.sort(key=lambda each: each.line)
    return Read(found, problems[:MOST_PROBLEMS], len(problems))


def refuse_header(header: Sequence[str]) -> None:
    if "cost_center" not in header:
        raise NotReadable(
            "Its first line must name the columns, with commas between them: cost_center, each "
            "dimension that is a condition, such as team or feature, and effective_from and "
            "effective_to where days matter."
        )


def read_row(
    number: int, row: dict[str, str], centers: Mapping[str, bool], activated: set[str]
) -> tuple[FileRule, list[Problem]]:
    wrong: dict[str, str] = {}
    if "" in row:
        said = "has more cells than the first line; are commas in it between quotes?"
        return FileRule(number, {}, "", Days()), [Problem(number, "columns", said)]
    code = row.get("cost_center", "")
    if not code:
        wrong["cost_center"] = "is empty."
    elif code not in centers:
        wrong["cost_center"] = f"there is no cost center {code[:80]!r}; make it first."
    elif not centers[code]:
        wrong["cost_center"] = f"{code[:80]!r} is not in use any more."
    days = {name: day(name, row, wrong) for name in ("effective_from", "effective_to")}
    rule = FileRule(
        number,
        {name: value for name, value in row.items() if name not in TERMS},
        code,
        Days(*days.values()),
    )
    wrong = {**check(rule.conditions, rule.days, activated), **wrong}
    return rule, [Problem(number, field, message) for field, message in wrong.items()]


def day(name: str, row: Mapping[str, str], wrong: dict[str, str]) -> date | None:
    text = row.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        wrong[name] = f"{text[:40]!r} is no day; write it as 2026-10-01."
        return None


def overlaps(found: Iterable[FileRule]) -> list[Problem]:
    """Lines that ask for the same as an earlier one on some of its days."""
    same: dict[tuple[tuple[str, str], ...], list[FileRule]] = {}
    for rule in found:
        same.setdefault(tuple(sorted(rule.conditions.items())), []).append(rule)
    wrong = []
    for rules in same.values():
        rules.sort(key=lambda each: (each.days.start or FIRST, each.days.end or LAST))
        last = rules[0]
        for rule in rules[1:]:
            if rule.days.overlaps(last.days):
                first, second = sorted((last, rule), key=lambda each: each.line)
                message = (
                    f"asks for the same as line {first.line}, which holds {first.days}; "
                    f"this one holds {second.days}."
                )
                wrong.append(Problem(second.line, "conditions", message))
            last = max(last, rule, key=lambda each: each.days.end or LAST)
    return wrong


def written(rules: Iterable[HasTerms], dimensions: Sequence[str]) -> Iterator[str]:
    """The lines of the file, the header first. `dimensions` are all that any rule asks for."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow([*dimensions, *TERMS])
    yield take(line)
    for rule in rules:
        conditions = [safe(rule.conditions.get(name, "")) for name in dimensions]
        days = [
            each.isoformat() if each else "" for each in (rule.effective_from, rule.effective_to)
        ]
        writer.writerow([*conditions, safe(rule.cost_center), *days])
        yield take(line)


def take(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def safe(text: str) -> str:
    """A cell that no spreadsheet runs. What is written with an apostrophe before it is read without
    it, so those of its own have another one, as have blanks at its ends."""
    if text.startswith("'") or text != text.strip():
        return f"'{text}"
    return text_cell(text)
