"""The steps of operations, each short enough that nobody waits for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Now

from finops.locks import Lock, alone
from finops.models import Operation
from finops.operations import rating, rebuilding, retention
from finops.operations.endings import finish
from finops.operations.steps import Busy, Steps
from finops.rebuilds import EventsDropped
from finops.rollups import ZoneChanged

log = logging.getLogger(__name__)

State = Operation.State
KINDS: Mapping[str, Steps] = {
    Operation.Kind.RERATE: Steps(rating.begin, rating.step),
    Operation.Kind.REBUILD: Steps(rebuilding.begin, rebuilding.step),
    Operation.Kind.REFOLD: Steps(rebuilding.begin_refold, rebuilding.refold_step),
    Operation.Kind.RETENTION: Steps(retention.begin, retention.step),
}
REFUSED = (EventsDropped, ZoneChanged)


def proceed(now: datetime, zone: ZoneInfo, has_time: Callable[[], bool]) -> list[Operation]:
    """Do steps of what waits, the oldest first, while there is time; returns what ended.

    Whoever else is at it is left alone. What fails for a reason that may pass, such as a lock that
    is not free or a database that is away, is tried again the next time.
    """
    ended: list[Operation] = []
    with alone(Lock.OPERATIONS) as is_alone:
        while is_alone and has_time():
            operation = _next()
            if operation is None:
                break
            try:
                if not _advance(operation, now, zone):
                    finish(operation, State.DONE, "", now)
                    ended.append(operation)
            except Busy:
                break
            except REFUSED as refused:
                _stop(operation, str(refused), now, ended)
            except (OperationalError, InterfaceError):
                raise
            except DatabaseError as error:
                log.exception("%s", operation)
                _stop(operation, f"The database refuses: {error}", now, ended)
    return ended


def _next() -> Operation | None:
    waiting = Operation.objects.filter(
        kind__in=KINDS, state__in=(State.WAITING, State.RUNNING), finished_at=None
    )
    return waiting.order_by("pk").first()


def _advance(operation: Operation, now: datetime, zone: ZoneInfo) -> bool:
    """Do a step; whether there was one left."""
    steps = KINDS[operation.kind]
    if operation.started_at is None:
        steps.begin(operation, zone)
        operation.started_at = now
        operation.save(
            update_fields=["started_at", "start", "end", "total", "unit", "what", "terms"]
        )
    Operation.objects.filter(pk=operation.pk, state=State.WAITING).update(state=State.RUNNING)
    begun = time.monotonic()
    is_more = steps.step(operation, now, zone)
    Operation.objects.filter(pk=operation.pk).update(
        worked_seconds=F("worked_seconds") + (time.monotonic() - begun), heartbeat_at=Now()
    )
    return is_more


def _stop(operation: Operation, said: str, now: datetime, ended: list[Operation]) -> None:
    log.warning("%s: %s", operation, said)
    finish(operation, State.FAILED, said, now)
    ended.append(operation)
