"""What came in: events by step of time, by key and by client, what was refused and why.

Read from ingest_batch, which has a row per commit and key; nothing is counted per event.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from finops.costs import snapshot
from finops.models import CardinalityOverflow, RejectedExample
from finops.sql import statement
from ingest import notebook, overflows

STEPS = {
    "3h": (timedelta(hours=3), timedelta(minutes=2)),
    "24h": (timedelta(hours=24), timedelta(minutes=15)),
    "7d": (timedelta(days=7), timedelta(hours=2)),
}


@dataclass(frozen=True, slots=True)
class Window:
    """Whole steps of time, the last one still filling. `end` is after now."""

    name: str
    start: datetime
    end: datetime
    step: timedelta


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose keys: `teams` is None for all of them, `key_id` None for each of those."""

    teams: frozenset[str] | None
    key_id: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    start: datetime
    accepted: int
    duplicates: int
    rejected: int
    batches: int


@dataclass(frozen=True, slots=True)
class Sender:
    """What one key or one client brought; `prefix` and `service` are "" for a client."""

    name: str
    prefix: str
    service: str
    team: str
    accepted: int
    duplicates: int
    rejected: int
    unknown_fields: int
    batches: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The events of one key that were refused for one reason."""

    reason: str
    key_id: int
    prefix: str
    service: str
    events: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class UnknownName:
    name: str
    services: list[str]
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Settlements:
    """That arrived: what has become of them."""

    applied: int = 0
    waiting: int = 0
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class Intake:
    """All of one window, of one moment."""

    steps: list[Step]
    keys: list[Sender]
    clients: list[Sender]
    refused: list[Refused]
    unknown_names: list[UnknownName]
    last_at: datetime | None
    settlements: Settlements = Settlements()


@dataclass(frozen=True, slots=True)
class Arrival:
    """The way of one event. `folded_at` is None until it is rolled up."""

    received_at: datetime
    committed_at: datetime
    folded_at: datetime | None
    team: str
    is_priced: bool


def window(name: str, now: datetime) -> Window:
    """The last so many hours, from a whole step on. KeyError for a name that is not in STEPS."""
    span, step = STEPS[name]
    end = datetime.fromtimestamp(
        (now.timestamp() // step.total_seconds() + 1) * step.total_seconds(), tz=now.tzinfo
    )
    return Window(name, end - span, end, step)


def read(scope: Scope, within: Window) -> Intake:
    """Raises QueryTooSlow."""
    given: dict[str, Any] = {
        "teams": None if scope.teams is None else sorted(scope.teams),
        "key_id": scope.key_id,
        "start": within.start,
        "end": within.end,
        "step": within.step,
    }
    with snapshot() as cursor:

        def rows(name: str) -> list[tuple[Any, ...]]:
            cursor.execute(statement(name), given)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

        last = rows("intake_last")
        return Intake(
            [Step(*row) for row in rows("intake_steps")],
            [_key(*row) for row in rows("intake_by_key")],
            [_client(*row) for row in rows("intake_by_client")],
            [_refused(*row) for row in rows("intake_rejections")],
            [UnknownName(*row) for row in rows("intake_unknown_names")],
            last[0][0] if last else None,
            Settlements(*rows("intake_settlements")[0]),
        )


def _key(key_id: int, prefix: str | None, source: str, team: str | None, *rest: Any) -> Sender:
    accepted, duplicates, rejected, unknown, batches, last_at = rest
    name = prefix or f"key {key_id}, removed"
    counts = (accepted, duplicates, rejected, unknown, batches)
    return Sender(name, prefix or "", source, team or "", *counts, last_at)


def _client(
    name: str, accepted: int, duplicates: int, rejected: int, batches: int, last_at: datetime
) -> Sender:
    return Sender(
        name or "(no name)", "", "", "", accepted, duplicates, rejected, 0, batches, last_at
    )


def _refused(reason: str, key_id: int, prefix: str | None, *rest: Any) -> Refused:
    return Refused(reason, key_id, prefix or f"key {key_id}, removed", *rest)


def examples(refused: list[Refused], most: int) -> dict[tuple[str, int], list[RejectedExample]]:
    """The latest examples of each reason and key that was refused; those of no others."""
    wanted = {(each.reason, each.key_id) for each in refused}
    found: dict[tuple[str, int], list[RejectedExample]] = {}
    rows = RejectedExample.objects.filter(
        key_id__in={key_id for _, key_id in wanted}, reason__in={reason for reason, _ in wanted}
    )
    for row in rows.order_by("-id"):
        held = found.setdefault((row.reason, row.key_id), [])
        if (row.reason, row.key_id) in wanted and len(held) < most:
            held.append(row)
    return found


def forget_old(now: datetime) -> None:
    """Examples and overflows that are past what is kept of them, also where nothing new comes in:
    the ingest process forgets them only when it notes another."""
    RejectedExample.objects.filter(received_at__lt=now - notebook.KEPT).delete()
    CardinalityOverflow.objects.filter(last_at__lt=now - overflows.KEPT).delete()


def arrival(event_key: UUID, day: date) -> Arrival | None:
    """How far one event has come; None while it is not committed."""
    with connection.cursor() as cursor:
        cursor.execute(statement("event_arrival"), {"event_key": event_key, "day": day})
        row = cursor.fetchone()
    return Arrival(*row) if row else None


def attribution_values() -> dict[str, int]:
    """Dimension → how many values of it count against its limit."""
    with connection.cursor() as cursor:
        cursor.execute(statement("attribution_values"))
        return dict(cursor.fetchall())


def as_lines(shape: dict[str, Any]) -> str:
    """An example's shape as people read JSON."""
    return json.dumps(shape, indent=2, ensure_ascii=False)
