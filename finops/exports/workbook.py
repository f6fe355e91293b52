"""A month's allocation as a workbook: a summary, the rows of the CSV file, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from finops.allocation import Line, LineKey
from finops.allocation.lines import in_all
from finops.cost_items import MonthAllocation, wording
from finops.cost_items.table import HEADER, money
from finops.exports.months import MonthFile
from finops.exports.sheets import Book, Cell, Table, legal
from finops.models import CostCenter, CostItem
from finops.periods import InvalidQuery

MONEY = ("direct_cost", "shared_cost", "idle_cost", "adjustment", "total_cost")
SUMMARY = ("cost_center", "name", "requests", "input_tokens", "output_tokens", *MONEY)
SHARES = ("item", "column", "cost_center", "amount", "method", "measure", "weight", "of_weight")
ADJUSTMENTS = (*LineKey._fields, "amount", "of_month", "version", "reason")
FEES = ("fee", "used_fee", "unused_fee", "covered_direct_cost")
CAPACITY = ("name", "kind", "unit", "capacity", "used", "beyond", *FEES, "until")
LABELS = 32  # characters, of what stands above the summary
# 1,000 lines take 0.16 s of CPU; the process in front waits 120 s for an answer to begin.
MOST_WAITED_FOR = 250_000
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def file_of(found: MonthFile) -> IO[bytes]:
    """A temporary file, to be read from its beginning; who closes it removes it. Raises
    InvalidQuery where somebody would wait too long for it."""
    if (count := found.count()) > MOST_WAITED_FOR:
        raise InvalidQuery(
            "month",
            f"has {count:,} lines, and a workbook of more than {MOST_WAITED_FOR:,} takes longer "
            "than anybody waits: take the CSV file, which has them all",
        )
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115
    write(found, file)
    file.seek(0)
    return file


def write(found: MonthFile, file: IO[bytes]) -> None:
    """Into a file that can be read and sought. Memory does not grow with the number of lines."""
    book = Book(file)
    summary = book.sheet("Summary")
    centers = detail(book, found)
    summary.write_string(0, 0, f"Allocation of {found.head.month:%B %Y}", book.title)
    said = list(about(found))
    for row, (name, value) in enumerate(said, 2):
        summary.write_string(row, 0, name)
        summary.write_string(row, 1, legal(value), book.text)
    by_center(book, summary, len(said) + 3, centers, names_of(found, centers))
    for write_sheet in (shares, adjustments, capacity):
        write_sheet(book, found.head)
    book.close()


def about(found: MonthFile) -> Iterator[tuple[str, str]]:
    head, statement = found.head, found.statement
    yield "Month", f"{head.month:%Y-%m}"
    yield "Status", head.status
    if statement:
        yield "Version", str(statement.version)
    if statement and not head.is_narrowed:
        yield "Closed", f"{instant(statement.closed_at)} by {statement.closed_by}"
        yield "SHA-256 of the CSV file", statement.checksum
    yield "Currency", head.currency
    if head.freshness.rolled_up_to:
        yield "Events up to", instant(head.freshness.rolled_up_to)
    if pending := head.freshness.pending_events:
        yield "Events that wait to be counted", f"{pending:,}"
    if not head.is_narrowed and (unpriced := head.coverage.unpriced_requests):
        yield "Requests without a price", f"{unpriced:,}: their cost is not in these figures"
    if head.is_running:
        yield "The month runs", "What is paid by the month is here in full, capacity so far"
    if head.is_narrowed:
        yield "Shown", "The lines of your teams, with what they bear of shared cost"
    yield (
        "Digits",
        "Spreadsheets keep 15 digits of a number. Amounts with more have all of them as text in "
        "the folded columns at the right, named (exact), and in the CSV file",
    )


def instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def detail(book: Book, found: MonthFile) -> dict[str, Line]:
    """The rows of the CSV file; the sums of each cost center."""
    table = Table(book, "Detail", HEADER, MONEY)
    sums: dict[str, Line] = {}
    head, month = found.head, f"{found.head.month:%Y-%m}"
    # As in the CSV file, whether it was sent or not.
    status = "closed" if found.statement else head.status
    for line in found.lines:
        cells: list[Cell] = [month, *line.key, *line.usage.counts, *money(line).values()]
        table.add([*cells, head.currency, status])
        center = line.key.cost_center
        sums[center] = in_all((sums[center], line)) if center in sums else line
    table.end()
    return sums


def names_of(found: MonthFile, centers: Collection[str]) -> Mapping[str, str]:
    """Of cost centers; in a statement as they were when it was closed."""
    if found.statement:
        return {code: each["name"] for code, each in found.statement.centers.items()}
    return dict(CostCenter.objects.filter(code__in=centers).values_list("code", "name"))


def by_center(
    book: Book, sheet: Any, top: int, sums: dict[str, Line], names: Mapping[str, str]
) -> None:
    """The dearest first, and all of them."""
    table = Table(book, "Summary", SUMMARY, MONEY, sheet=sheet, top=top, first_width=LABELS)
    for center, line in sorted(sums.items(), key=lambda pair: (-pair[1].total_cost, pair[0])):
        table.add([center, names.get(center, ""), *line.usage.counts, *money(line).values()])
    whole = in_all(sums.values())
    table.add(["Total", "", *whole.usage.counts, *money(whole).values()], is_total=True)
    table.end()


def shares(book: Book, head: MonthAllocation) -> None:
    """What each cost center bears of what is shared out, and why."""
    if not head.allocation.shares:
        return
    table = Table(book, "Shares", (*SHARES, "why"), ("amount",))
    for each in head.allocation.shares:
        table.add(
            [
                *(each.name, each.column, each.cost_center, each.amount, each.method),
                *(each.measure, each.weight, each.of_weight, wording.reason(each)),
            ]
        )
    table.end()


def adjustments(book: Book, head: MonthAllocation) -> None:
    """What closed months came to later."""
    if not head.allocation.adjustments:
        return
    table = Table(book, "Adjustments", ADJUSTMENTS, ("amount",))
    for each in head.allocation.adjustments:
        table.add([*each.key, each.amount, f"{each.month:%Y-%m}", each.version, each.reason])
    table.end()


def capacity(book: Book, head: MonthAllocation) -> None:
    """Paid capacity, used and not."""
    if not head.capacity:
        return
    table = Table(book, "Capacity", CAPACITY, FEES)
    for use in head.capacity:
        held = use.utilization
        amounts: tuple[Decimal, ...] = (held.fee, held.used_fee, held.unused_fee, held.covered)
        size = (held.capacity, held.used, held.beyond)
        label = str(CostItem.Kind(use.kind).label)
        table.add([use.name, label, use.unit, *size, *amounts, instant(use.until)])
    table.end()
