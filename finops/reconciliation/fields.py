"""Reads single values of a report; what is wrong is said with its place, and all of it at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

FIRST_YEAR, LAST_YEAR = 2015, 2100
MOST_PROBLEMS = 100
LONGEST = 200
LARGEST = Decimal(10) ** 24
FINEST = 30
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
CURRENCY = re.compile(r"[A-Za-z]{3}")


@dataclass(slots=True)
class Fields:
    """Collects what is wrong with a report."""

    problems: list[str] = field(default_factory=list)

    def wrong(self, place: str, message: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{place}: {message}")

    def number(self, place: str, value: Any) -> Decimal | None:
        """None where there is none, and, on record, where it cannot be read."""
        if value is None or value == "":
            return None
        text = str(value).strip()
        if isinstance(value, bool) or not PLAIN.fullmatch(text) or len(text) > LONGEST:
            self.wrong(place, f"{text[:40]!r} is no plain decimal number, such as 1234.56")
            return None
        try:
            found = Decimal(text)
        except InvalidOperation:
            found = Decimal("NaN")
        # So that whatever is added to whatever stays exact.
        is_fine = found.is_finite() and int(found.as_tuple().exponent) >= -FINEST
        if not is_fine or abs(found) >= LARGEST:
            self.wrong(place, f"{text[:40]!r} is out of range")
            return None
        return found

    def day(self, place: str, value: Any) -> date | None:
        """The day of UTC of a date, an instant, or seconds since 1970."""
        found = None
        text = str(value).strip()
        try:
            if isinstance(value, int) and not isinstance(value, bool):
                found = datetime.fromtimestamp(value, UTC).date()
            elif len(text) <= len("2026-10-01"):
                found = date.fromisoformat(text)
            else:
                instant = datetime.fromisoformat(text.replace(" UTC", "Z"))
                found = (instant.astimezone(UTC) if instant.tzinfo else instant).date()
        except (ValueError, OverflowError, OSError):
            found = None
        if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            self.wrong(place, f"{text[:40]!r} is no day; write one like 2026-10-01")
            return None
        return found

    def span(self, place: str, start: Any, end: Any) -> date | None:
        """The day of a bucket of time, which may be of an hour but of no more than a day."""
        day = self.day(f"{place} start", start)
        if day is None or end is None:
            return day
        last = self.day(f"{place} end", end)
        if last is not None and last - day > timedelta(days=1):
            self.wrong(place, "is of several days; have the report made by day")
            return None
        return day

    def text(self, place: str, value: Any) -> str:
        if value is None:
            return ""
        text = str(value).strip()
        if len(text) > LONGEST or "\x00" in text:
            self.wrong(place, f"must be text of at most {LONGEST} characters")
        return text[:LONGEST].replace("\x00", "")

    def currency(self, place: str, value: Any) -> str:
        text = str(value or "USD").strip()
        if not CURRENCY.fullmatch(text):
            self.wrong(place, f"{text[:40]!r} is no currency such as USD")
        return text.upper()[:3]


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Those of a list that are JSON objects."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
