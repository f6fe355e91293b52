"""Values as FOCUS wants them written: null is empty, instants are UTC, decimals have a point."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finops.cells import text_cell
from finops.focus.columns import NAMES
from finops.focus.months import Row, utc


def lines(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Cells in the order of the columns."""
    for row in rows:
        yield [cell(row.get(name)) for name in NAMES]


def cell(value: Any) -> str:
    match value:
        case None | "":
            return ""
        case Decimal():
            return number(value)
        case datetime():
            return utc(value.astimezone(UTC))
        case dict():
            return json_text(value) if value else ""
        case int():
            return str(value)
    return text_cell(value)


def number(amount: Decimal) -> str:
    """All digits; with a point, as what reads the file tells decimals from whole numbers by it."""
    text = f"{amount:f}" if amount else "0"
    if "." not in text:
        return f"{text}.0"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def json_text(value: Any) -> str:
    """JSON whose decimals keep all their digits."""
    match value:
        case dict():
            return f"{{{', '.join(f'{json_text(k)}: {json_text(v)}' for k, v in value.items())}}}"
        case list():
            return f"[{', '.join(map(json_text, value))}]"
        case Decimal():
            return number(value)
    return json.dumps(value, ensure_ascii=False)
