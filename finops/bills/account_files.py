"""The list of accounts of bills as a CSV file: what is written is what is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator

from django.core.exceptions import ValidationError

from finops.bills.accounts import HEADER, MOST, Mapped, read
from finops.csv_lines import plain
from finops.reconciliation import UnreadableBill
from finops.reconciliation.reports import text_of

MOST_SAID = 100


def rows(held: Iterable[Mapped], text: Callable[[str], str]) -> Iterator[list[str]]:
    """As HEADER; names go through `text`, which makes them harmless."""
    for each in held:
        by = {each.dimension: text(each.value)}
        yield [text(each.provider), text(each.account), by.get("service", ""), by.get("team", "")]


def accounts_in(content: bytes) -> list[Mapped]:
    """Raises ValidationError of `file`, with a message for each line that is wrong."""
    try:
        table = csv.reader(io.StringIO(text_of(content), newline=""), strict=True)
        header = [name.strip().lower() for name in next(table, [])]
        if missing := [name for name in HEADER if name not in header]:
            raise ValidationError(
                {"file": f"Its first line must name the columns {', '.join(HEADER)}, with commas "
                 f"between them; {', '.join(missing)} is missing."}
            )  # fmt: skip
        return accounts_of(header, table)
    except UnreadableBill as error:
        raise ValidationError({"file": list(error.problems)}) from error
    except csv.Error as error:
        raise ValidationError({"file": f"It is no CSV: {error}."}) from error


def accounts_of(header: list[str], table: Iterable[list[str]]) -> list[Mapped]:
    found: dict[tuple[str, str], Mapped] = {}
    problems: list[str] = []
    for number, cells in enumerate(table, start=2):
        if number > MOST + 1:
            problems.append(f"It has more than {MOST:,} lines.")
            break
        if not any(cells):
            continue
        try:
            each = read({name: plain(cell) for name, cell in zip(header, cells, strict=False)})
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                problems.append(f"Line {number}, {name}: {' '.join(messages)}")
            continue
        if (each.provider, each.account) in found:
            problems.append(f"Line {number}, account: it is in the file twice.")
        found[each.provider, each.account] = each
    if problems:
        raise ValidationError({"file": problems[:MOST_SAID]})
    return list(found.values())
