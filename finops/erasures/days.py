"""The name in the events of one UTC day, which is one partition: read once, changed in portions.

Re-rating changes the same rows, so one waits for the other; folding waits for neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from finops.erasures import mentions
from finops.erasures.names import Names
from finops.locks import Lock, alone
from finops.rollups import one
from finops.sql import statement
from ingest import partitions
from ingest.facts import MAX_AHEAD

PORTION = 2_000
COLUMNS = ("event_id", "session", "prompt_hash", "tags", "stages_ms")
Sums = dict[str, str]
# Sums of money must not be rounded, however large and fine they are.
EXACT_DIGITS = 120


def kept() -> set[date]:
    """The UTC days whose events are there."""
    connection.ensure_connection()
    return partitions.existing(connection.connection)


def until(now: datetime) -> set[date]:
    """Those that can have events: partitions are made days ahead, and are empty until then."""
    newest = (now + MAX_AHEAD).astimezone(UTC).date()
    return {day for day in kept() if day <= newest}


def search(cursor: CursorWrapper, names: Names, day: date) -> bool:
    """Take the name from the day's events, and say in the erasure what they add up to before and
    after. A day that retention drops meanwhile is in neither sum.

    False, and nothing is done, while events are rated again: waiting would keep the worker.
    """
    erasure = names.erasure
    parameters = {**names.parameters(), "day": day}
    with alone(Lock.RERATING) as is_free:
        if not is_free:
            return False
        before = sums(cursor, "sums_of_user_events", parameters)
        cursor.execute(statement("events_with_name"), parameters)
        found = cursor.fetchall()
        own = [key for key, is_own in found if is_own]
        _replace(cursor, names, parameters | {"pattern": names.anywhere}, own)
        if erasure.is_everywhere:
            others = [key for key, is_own in found if not is_own]
            _replace(cursor, names, parameters | {"pattern": names.as_word}, others)
        for portion in mentions.portions((key for key, _ in found), PORTION):
            _count(cursor, names, parameters | {"keys": portion})
        after = sums(cursor, "sums_of_user_events", parameters)
    if day not in kept():
        erasure.notes.append(f"The events of {day} were dropped by retention meanwhile.")
        return True
    erasure.sums_before["events"] = added(erasure.sums_before["events"], before)
    erasure.sums_after["events"] = added(erasure.sums_after["events"], after)
    return True


def sums(cursor: CursorWrapper, name: str, parameters: Mapping[str, Any]) -> Sums:
    cursor.execute(statement(name), parameters)
    columns = [column.name for column in cursor.description]
    return {name: str(value) for name, value in zip(columns, one(cursor), strict=True)}


def added(total: Sums, part: Sums) -> Sums:
    with localcontext(prec=EXACT_DIGITS):
        return {name: f"{Decimal(total[name]) + Decimal(part[name]):f}" for name in part}


def _replace(
    cursor: CursorWrapper, names: Names, parameters: dict[str, Any], keys: list[UUID]
) -> None:
    for portion in mentions.portions(keys, PORTION):
        with transaction.atomic():
            cursor.execute(statement("erase_in_events"), {**parameters, "keys": portion})
            mentions.add_changed(names, "usage_event", cursor.rowcount)


def _count(cursor: CursorWrapper, names: Names, parameters: dict[str, Any]) -> None:
    cursor.execute(statement("name_in_events"), parameters)
    row = one(cursor)
    for column, as_word, anywhere in zip(
        COLUMNS, row[: len(COLUMNS)], row[len(COLUMNS) :], strict=True
    ):
        mentions.note(names, f"usage_event.{column}", as_word, anywhere)
