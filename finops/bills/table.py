"""A month's reconciliation as a table: one row per provider, model and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from finops.bills.months import Reconciliation
from finops.reconciliation import PARTS

HEADER = (
    *("month", "day", "provider", "model", "status", "ours", "billed", "difference"),
    *(*PARTS, "requests", "unpriced_requests", "currency"),
)
BY_ACCOUNT = (*HEADER[:3], "account", *HEADER[3:])


def header(found: Reconciliation) -> tuple[str, ...]:
    return BY_ACCOUNT if found.by_account else HEADER


def rows(found: Reconciliation, text: Callable[[str], str]) -> Iterator[list[str]]:
    """Cells as `header` names them; names go through `text`, which makes them harmless. What is not
    billed by amount has no difference."""
    for cell in found.cells:
        yield [
            f"{found.month:%Y-%m}",
            cell.key.day.isoformat(),
            text(cell.key.provider),
            *([text(cell.key.account)] if found.by_account else []),
            text(cell.key.model),
            cell.status,
            *(plain(each) for each in (cell.ours, cell.billed, cell.difference)),
            *(plain(cell.parts.get(name)) for name in PARTS),
            str(cell.requests),
            str(cell.unpriced_requests),
            found.currency,
        ]


def plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"
