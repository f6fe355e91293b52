"""Pausing, resuming and cancelling, on record; a step that is under way is finished."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from finops import audit
from finops.access import Reader
from finops.models import Operation
from finops.operations import wording
from finops.operations.endings import finish

State = Operation.State


class NotPossible(ValueError):
    """The operation is not in a state for this; the message is for people."""


def pause(operation: Operation, *, by: Reader | str, now: datetime, address: str = "") -> None:
    _turn(operation, (State.WAITING, State.RUNNING), State.PAUSED, "pause", by, now, address)


def resume(operation: Operation, *, by: Reader | str, now: datetime, address: str = "") -> None:
    _turn(operation, (State.PAUSED,), State.WAITING, "resume", by, now, address)


def cancel(operation: Operation, *, by: Reader | str, now: datetime, address: str = "") -> None:
    """What is done stays done. Raises NotPossible."""
    _refuse_refold(operation)
    name = by if isinstance(by, str) else audit.name_of(by)
    with transaction.atomic():
        operation.refresh_from_db()
        said = f"Cancelled by {name}. {wording.left_in_the_middle(operation)}"
        if not finish(operation, State.CANCELLED, said, now):
            raise NotPossible("It has ended already.")
        _record(operation, "cancel", by, now, address)


def _turn(
    operation: Operation,
    before: tuple[Operation.State, ...],
    after: Operation.State,
    verb: str,
    by: Reader | str,
    now: datetime,
    address: str,
) -> None:
    _refuse_refold(operation)
    with transaction.atomic():
        found = Operation.objects.filter(pk=operation.pk, finished_at=None, state__in=before)
        if not found.update(state=after):
            raise NotPossible(f"It cannot {verb}: it has ended, or is {after.label} already.")
        operation.refresh_from_db()
        _record(operation, verb, by, now, address)


def _refuse_refold(operation: Operation) -> None:
    if operation.kind == Operation.Kind.REFOLD:
        raise NotPossible(
            "Folding everything anew can be neither paused nor cancelled: until it ends, figures "
            "are missing."
        )


def _record(operation: Operation, verb: str, by: Reader | str, now: datetime, address: str) -> None:
    audit.record(
        f"operation.{verb}",
        str(operation),
        at=now,
        by=by,
        after={"done": operation.done, "total": operation.total, "unit": operation.unit},
        address=address,
    )
