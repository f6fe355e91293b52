"""A month's allocation as a table: one row per cost center, team, feature, provider and model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from finops.allocation import Line
from finops.cost_items.months import MonthAllocation

HEADER = (
    *("month", "cost_center", "team", "feature", "provider", "model"),
    *("requests", "input_tokens", "output_tokens"),
    *("direct_cost", "shared_cost", "idle_cost", "adjustment", "total_cost"),
    *("currency", "status"),
)


def rows(found: MonthAllocation, text: Callable[[str], str]) -> Iterator[list[str]]:
    """Cells as HEADER names them; names go through `text`, which makes them harmless."""
    for line in found.allocation.lines:
        yield row_of(line, found.month, found.currency, found.status, text)


def row_of(
    line: Line, month: date, currency: str, status: str, text: Callable[[str], str]
) -> list[str]:
    amounts = [plain(amount) for amount in money(line).values()]
    names, counts = map(text, line.key), map(str, line.usage.counts)
    return [f"{month:%Y-%m}", *names, *counts, *amounts, currency, status]


def money(line: Line) -> dict[str, Decimal]:
    """The columns of money, in their order."""
    return {
        "direct_cost": line.direct_cost,
        "shared_cost": line.shared_cost,
        "idle_cost": line.idle_cost,
        "adjustment": line.adjustment,
        "total_cost": line.total_cost,
    }


def plain(amount: Decimal) -> str:
    """All digits, without an exponent or trailing zeros."""
    if not amount:
        return "0"
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
