"""An event as it is sent: one line of JSON."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from .answers import plain

LONGEST_ID = 200


def encoded(fields: Mapping[str, Any], at: float) -> tuple[str, bytes]:
    """The event's id and its line. `at` is Unix time. TypeError for what is no JSON, or no id."""
    event = {name: value for name, value in fields.items() if value is not None}
    event_id = event["id"] = _id(event.get("id"))
    event.setdefault("timestamp", datetime.fromtimestamp(at, UTC))
    if isinstance(event["timestamp"], int | float):
        event["timestamp"] = datetime.fromtimestamp(event["timestamp"], UTC)
    return event_id, json.dumps(event, default=_plain, allow_nan=False).encode()


def _id(given: Any) -> str:
    """Numbers and UUIDs are written out; ValueError for what is no id, as the server has them."""
    if given is None:
        return uuid.uuid4().hex
    if isinstance(given, bool) or not isinstance(given, str | int | uuid.UUID):
        raise TypeError(f"an id is a string, a whole number or a UUID, not {type(given).__name__}")
    event_id = str(given)
    if not 1 <= len(event_id) <= LONGEST_ID:
        raise ValueError(f"an id has 1 to {LONGEST_ID} characters")
    return event_id


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, Decimal | date | uuid.UUID):
        return str(value)
    dumped = plain(value)
    if dumped is value:
        raise TypeError(f"{type(value).__name__} is nothing that an event can hold")
    return dumped
