"""A load of files, which its command does through the door, as others see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.db.models import F
from django.db.models.functions import Now

from finops.models import Operation
from finops.operations.endings import finish

State = Operation.State


@dataclass
class Loading:
    """The operation of one load; None where the database does not belong to the server that is
    loaded into, or is away. Whatever happens to it, events go on."""

    operation: Operation | None

    def note(self, done: int, *, events: int, seconds: float) -> Operation.State:
        """That `done` units are sent in all, so many events and seconds of work more; returns what
        it should do now."""
        if self.operation is None:
            return State.RUNNING
        try:
            Operation.objects.filter(pk=self.operation.pk).update(
                done=done,
                events=F("events") + events,
                worked_seconds=F("worked_seconds") + seconds,
                heartbeat_at=Now(),
            )
            self.operation.refresh_from_db(fields=["state"])
        except DatabaseError:
            return State.RUNNING
        return State(self.operation.state)

    def run(self) -> None:
        """It goes on after a pause."""
        if self.operation is not None:
            Operation.objects.filter(pk=self.operation.pk, state=State.WAITING).update(
                state=State.RUNNING
            )

    def end(self, state: Operation.State, message: str, now: datetime) -> None:
        if self.operation is None:
            return
        try:
            finish(self.operation, state, message, now)
        except DatabaseError:
            return


def begin_load(what: str, unit: str, total: int, *, now: datetime, by: str) -> Loading:
    """The load of the same files goes on, where one was interrupted."""
    try:
        held = Operation.objects.filter(
            kind=Operation.Kind.LOAD, what=what, total=total, finished_at=None
        ).first()
        if held is None:
            held = Operation.objects.create(
                kind=Operation.Kind.LOAD, what=what, unit=unit, total=total, requested_by=by,
                created_at=now, started_at=now,
            )  # fmt: skip
        held.state, held.heartbeat_at = State.RUNNING, now
        held.save(update_fields=["state", "heartbeat_at"])
    except DatabaseError:
        return Loading(None)
    return Loading(held)
