"""An event as it is sent: one line of JSON."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from .answers import plain


def encoded(fields: Mapping[str, Any], at: float) -> tuple[str, bytes]:
    """The event's id and its line. `at` is Unix time. TypeError for what is no JSON."""
    event = {name: value for name, value in fields.items() if value is not None}
    event_id = str(event.setdefault("id", uuid.uuid4().hex))
    event.setdefault("timestamp", datetime.fromtimestamp(at, UTC))
    if isinstance(event["timestamp"], int | float):
        event["timestamp"] = datetime.fromtimestamp(event["timestamp"], UTC)
    return event_id, json.dumps(event, default=_plain, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, Decimal | date | uuid.UUID):
        return str(value)
    dumped = plain(value)
    if dumped is value:
        raise TypeError(f"{type(value).__name__} is nothing that an event can hold")
    return dumped
