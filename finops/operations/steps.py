"""What a step of any operation is, and how it notes that it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import F
from django.db.models.functions import Greatest, Least

from finops.models import Operation


class Busy(Exception):
    """Somebody else has what the step needs; it is tried again later. The message says who."""

    def __init__(self, said: str = "It waits for other work on the same data to end.") -> None:
        super().__init__(said)


class Steps(NamedTuple):
    """`begin` fills in how much there is to do; `step` does some, False where none is left."""

    begin: Callable[[Operation, ZoneInfo], None]
    step: Callable[[Operation, datetime, ZoneInfo], bool]


def note(operation: Operation, done_to: datetime, *, events: int, **more: Any) -> None:
    """One unit more is done. Called in the transaction that did it."""
    Operation.objects.filter(pk=operation.pk).update(
        done=Least(F("done") + 1, Greatest(F("total"), F("done"))),
        done_to=done_to,
        events=F("events") + events,
        **more,
    )
