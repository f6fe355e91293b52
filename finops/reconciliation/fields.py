"""Reads single values of a report; what is wrong is said with its place, and all of it at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from finops.reconciliation.lines import LeftOut

FIRST_YEAR, LAST_YEAR = 2015, 2100
MOST_PROBLEMS = 100
LONGEST = 200
MOST_DAYS = 50_000
LARGEST = Decimal(10) ** 24
FINEST = 30
ALIKE_SAID = 5
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
WITH_COMMA = re.compile(r"[+-]?[\d. ']*,\d*")
NUMBERS, QUOTED = re.compile(r"\d+"), re.compile(r"^(['\"]).*?\1")
CURRENCY = re.compile(r"[A-Za-z]{3}")
# What no database keeps: NUL and halves of surrogate pairs.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Fields:
    """Collects what is wrong with a report, and what it has besides inference."""

    problems: list[str] = field(default_factory=list)
    alike: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_out: LeftOut = field(default_factory=LeftOut)
    days: dict[str, date] = field(default_factory=dict)

    def wrong(self, place: str, message: str) -> None:
        """Of one kind the first few are said, the others counted."""
        kind = (NUMBERS.sub("…", place), QUOTED.sub("…", message))
        self.alike[kind] += 1
        if len(self.problems) < MOST_PROBLEMS and self.alike[kind] <= ALIKE_SAID:
            said = f"{place[-LONGEST:]}: {message}"
            self.problems.append(UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", said))

    def said(self) -> list[str]:
        """Everything that is wrong, in a list that a person reads."""
        more = [
            f"{place}: {count - ALIKE_SAID:,} more of the same"
            for (place, _), count in list(self.alike.items())[:MOST_PROBLEMS]
            if count > ALIKE_SAID
        ]
        return [*self.problems, *more[: MOST_PROBLEMS - len(self.problems)]]

    def number(self, place: str, value: Any) -> Decimal | None:
        """None where there is none, and, on record, where it cannot be read."""
        if value is None or value == "":
            return None
        text = str(value).strip()
        if isinstance(value, bool) or not PLAIN.fullmatch(text) or len(text) > LONGEST:
            comma = ": it has a comma" if WITH_COMMA.fullmatch(text) else ""
            self.wrong(place, f"{text[:40]!r} is no plain number such as 1234.56{comma}")
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
        if text in self.days and isinstance(value, str):
            return self.days[text]
        try:
            if isinstance(value, int) and not isinstance(value, bool):
                found = datetime.fromtimestamp(value, UTC).date()
            elif len(text) <= len("2026-10-01"):
                found = date.fromisoformat(text)
            else:
                moment = datetime.fromisoformat(text.replace(" UTC", "Z"))
                found = (moment.astimezone(UTC) if moment.tzinfo else moment).date()
        except (ValueError, OverflowError, OSError):
            found = None
        if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            self.wrong(place, f"{text[:40]!r} is no day; write one like 2026-10-01")
            return None
        if isinstance(value, str) and len(self.days) < MOST_DAYS:
            self.days[text] = found
        return found

    def span(self, place: str, start: Any, end: Any) -> tuple[date, str] | None:
        """The day of a bucket of time, and the part of it where it is of less: see BillLine. None,
        on record, where it is of several days."""
        day = self.day(f"{place} start", start)
        if day is None or end is None or end == "":
            return None if day is None else (day, "")
        last = self.day(f"{place} end", end)
        if last is None:
            return None
        if last - day > timedelta(days=1):
            self.wrong(place, "is of several days; have the report made by day")
            return None
        begins, ends = instant(start), instant(end)
        length = ends - begins if begins and ends else timedelta(days=1)
        if begins is None or length > timedelta(hours=12):
            return day, ""
        return day, f"{begins:%H}" if length > timedelta(minutes=30) else f"{begins:%H:%M}"

    def text(self, place: str, value: Any, longest: int = LONGEST) -> str:
        if value is None:
            return ""
        text = str(value).strip()
        if isinstance(value, list | dict | bool) or len(text) > longest or UNSTORABLE.search(text):
            self.wrong(place, f"must be plain text of at most {longest} characters")
            return ""
        return text

    def provider(self, place: str, value: Any) -> str:
        """In small letters, of which there may be more than of large ones."""
        return self.text(place, self.text(place, value).lower())

    def currency(self, place: str, value: Any) -> str:
        text = str(value or "USD").strip()
        if not CURRENCY.fullmatch(text):
            self.wrong(place, f"{text[:40]!r} is no currency such as USD")
        return text.upper()[:3]


def instant(value: Any) -> datetime | None:
    """None of what is a day, or cannot be read."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        text = str(value).strip().replace(" UTC", "Z")
        found = datetime.fromisoformat(text) if len(text) > len("2026-10-01") else None
    except (ValueError, OverflowError, OSError):
        return None
    return found.astimezone(UTC) if found and found.tzinfo else found and found.replace(tzinfo=UTC)


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Those of a list that are JSON objects."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
