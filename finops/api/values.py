"""How values leave: money as plain decimals, instants in RFC 3339, unknown as null."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.costs import Value


def plain(amount: Decimal) -> str:
    """All digits, no exponent, no trailing zeros: "0.0123", "12", "0"."""
    text = format(amount, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-0", "0", text == "-0")


def json_value(value: Value) -> str | int | float | None:
    if isinstance(value, Decimal):
        return plain(value)
    return round(value, 3) if isinstance(value, float) else value


def csv_value(value: Value) -> str:
    written = json_value(value)
    return "" if written is None else str(written)


def instant(moment: datetime | None, zone: ZoneInfo | None = None) -> str | None:
    """RFC 3339 with the zone's offset, in UTC without one; UTC is written Z."""
    if moment is None:
        return None
    return moment.astimezone(zone or UTC).isoformat().replace("+00:00", "Z")
