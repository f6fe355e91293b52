"""The steps of operations, each short enough that nobody waits for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from psycopg.errors import DeadlockDetected, SerializationFailure

from finops.locks import Lock, alone
from finops.models import Operation
from finops.operations import rating, rebuilding, retention
from finops.operations.endings import finish
from finops.operations.rating import BEGUN_AGAIN
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
# About a minute and a half of the worker's turns.
TRIES = 30
TRIED = "tries"
CAUSES = {
    "53100": "The disk of the database is full.",
    "53200": "The database lacks memory for a step.",
    "57014": "A step took longer than the database's statement_timeout allows.",
    "55P03": "A step waited too long for a lock in the database.",
}
UNKNOWN = "A step failed; the log of the worker, or of the command, says why."


def proceed(now: datetime, zone: ZoneInfo, has_time: Callable[[], bool]) -> list[Operation]:
    """Do steps of what waits, the oldest first, while there is time; returns what ended.

    Whoever else is at it is left alone. What fails is tried again the next time, up to TRIES times
    in a row; what waits for somebody does so for as long as it takes. Those after it go on.
    Raises DatabaseError where the database is away.
    """
    ended: list[Operation] = []
    passed: set[int] = set()
    with alone(Lock.OPERATIONS) as is_alone:
        while is_alone and has_time():
            operation = _next(passed)
            if operation is None:
                break
            try:
                if not _advance(operation, now, zone):
                    finish(operation, State.DONE, "", now)
                    ended.append(operation)
            except Busy as busy:
                passed.add(operation.pk)
                _say(operation, str(busy))
            except REFUSED as refused:
                _stop(operation, str(refused), now, ended)
            except Exception as error:
                if _is_away():
                    raise
                passed.add(operation.pk)
                _failed(operation, error, now, ended)
    return ended


def _next(passed: set[int]) -> Operation | None:
    waiting = Operation.objects.filter(
        kind__in=KINDS, state__in=(State.WAITING, State.RUNNING), finished_at=None
    )
    return waiting.exclude(pk__in=passed).order_by("pk").first()


def _is_away() -> bool:
    """Whether the connection is lost, and with it the lock of whoever works."""
    return connection.connection is None or connection.connection.closed


def _failed(operation: Operation, error: Exception, now: datetime, ended: list[Operation]) -> None:
    """Told in a sentence: what the database says of a row may hold what nobody here may read."""
    if isinstance(error.__cause__, DeadlockDetected | SerializationFailure):
        _say(operation, str(Busy()))
        return
    log.error("%s", operation, exc_info=error)
    tries = operation.terms.get(TRIED, 0) + 1
    reason = CAUSES.get(getattr(error.__cause__, "sqlstate", None) or "", UNKNOWN)
    if tries >= TRIES:
        _stop(operation, f"{reason} Given up after {tries} tries in a row.", now, ended)
        return
    Operation.objects.filter(pk=operation.pk).update(terms={**operation.terms, TRIED: tries})
    _say(operation, f"{reason} Tried again ({tries} of {TRIES}).")


def _say(operation: Operation, said: str) -> None:
    """Until a step is done: what is told for good is kept beside."""
    Operation.objects.filter(pk=operation.pk, finished_at=None).exclude(message=said).update(
        message=said
    )


def _succeeded(operation: Operation, former: str) -> None:
    """Nothing is in its way any more; what this step itself had to say stays."""
    Operation.objects.filter(pk=operation.pk, message=former).exclude(
        message__startswith=BEGUN_AGAIN
    ).exclude(message="").update(message="")
    if TRIED in operation.terms:
        kept = Operation.objects.values_list("terms", flat=True).get(pk=operation.pk)
        terms = {name: value for name, value in kept.items() if name != TRIED}
        Operation.objects.filter(pk=operation.pk).update(terms=terms)


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
    begun, former = time.monotonic(), operation.message
    is_more = steps.step(operation, now, zone)
    _succeeded(operation, former)
    Operation.objects.filter(pk=operation.pk).update(
        worked_seconds=F("worked_seconds") + (time.monotonic() - begun), heartbeat_at=Now()
    )
    return is_more


def _stop(operation: Operation, said: str, now: datetime, ended: list[Operation]) -> None:
    log.warning("%s: %s", operation, said)
    finish(operation, State.FAILED, said, now)
    ended.append(operation)
