"""Reading the audit log: newest first, a page at a time or all of it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from finops.models import AuditRecord
from finops.periods import InvalidQuery, start_of_day
from finops.query import is_text

PAGE_SIZE = 50
CHUNK = 2_000
NAMES_OFFERED = 500


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which records: by one actor, of one action or all that begin "key.", of one local day."""

    actor: str = ""
    action: str = ""
    day: date | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> LogQuery:
        """Raises InvalidQuery, which names the parameter."""
        actor, action = params.get("actor", "").strip(), params.get("action", "").strip()
        for name, value in (("actor", actor), ("action", action)):
            if not is_text(value):
                raise InvalidQuery(name, "must be text of at most 200 characters")
        day = params.get("day", "").strip()
        try:
            return cls(actor, action, date.fromisoformat(day) if day else None)
        except ValueError:
            raise InvalidQuery("day", f"{day[:80]!r} is no date like 2026-10-01") from None

    def to_params(self) -> dict[str, str]:
        day = self.day.isoformat() if self.day else ""
        params = {"actor": self.actor, "action": self.action, "day": day}
        return {name: value for name, value in params.items() if value}


@dataclass(frozen=True, slots=True)
class LogPage:
    records: list[AuditRecord]
    next_cursor: str | None


def page(query: LogQuery, zone: ZoneInfo, cursor: str = "", size: int = PAGE_SIZE) -> LogPage:
    """The records after the cursor. Raises InvalidQuery where no page has given the cursor."""
    found = _chosen(query, zone)
    if cursor:
        at, number = _read_cursor(cursor)
        found = found.filter(Q(at__lt=at) | Q(at=at, id__lt=number))
    records = list(found[: size + 1])
    following = _write_cursor(records[size - 1]) if len(records) > size else None
    return LogPage(records[:size], following)


def everything(query: LogQuery, zone: ZoneInfo) -> Iterator[AuditRecord]:
    """All of them, read as they are taken: however many there are, few are in memory."""
    return _chosen(query, zone).iterator(CHUNK)


def actors() -> list[str]:
    names = AuditRecord.objects.order_by("actor").values_list("actor", flat=True)
    return list(names.distinct()[:NAMES_OFFERED])


def actions() -> list[str]:
    names = AuditRecord.objects.order_by("action").values_list("action", flat=True)
    return list(names.distinct()[:NAMES_OFFERED])


def _chosen(query: LogQuery, zone: ZoneInfo) -> QuerySet[AuditRecord]:
    found = AuditRecord.objects.order_by("-at", "-id")
    if query.actor:
        found = found.filter(actor=query.actor)
    if query.action:
        begins = query.action.removesuffix(".") + "."
        found = found.filter(Q(action=query.action) | Q(action__startswith=begins))
    if query.day:
        try:
            following = start_of_day(query.day + timedelta(days=1), zone)
            found = found.filter(at__gte=start_of_day(query.day, zone), at__lt=following)
        except OverflowError:
            raise InvalidQuery("day", "lies beyond the calendar") from None
    return found


def _write_cursor(last: AuditRecord) -> str:
    text = f"{last.at.isoformat()} {last.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        at, number = base64.urlsafe_b64decode(padded).decode().split(" ")
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None or not 0 < int(number) < 2**31:
            raise ValueError("not ours")
        return instant, int(number)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise InvalidQuery("cursor", "is not one that a page of the log has given") from error
