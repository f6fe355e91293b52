"""How an operation ends: once, with what the audit log and the books have to say of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from finops import audit
from finops.models import Operation, RatingRun

State = Operation.State


def finish(operation: Operation, state: Operation.State, message: str, now: datetime) -> bool:
    """False where it has ended already."""
    with transaction.atomic():
        ended = Operation.objects.filter(pk=operation.pk, finished_at=None).update(
            # What it had to say while it worked stays, such as that it began again.
            state=state,
            message=message or F("message"),
            finished_at=now,
        )
        operation.refresh_from_db()
        if not ended:
            return False
        if operation.kind == Operation.Kind.RERATE:
            RatingRun.objects.filter(pk=operation.terms["run"]).update(
                finished_at=now, error=message
            )
        _tell(operation, now)
    return True


def _tell(operation: Operation, now: datetime) -> None:
    """Of what a command asked for; what was asked for on a page is on record since then."""
    program = operation.terms.get("program")
    if not program:
        return
    after: dict[str, Any] = {}
    if operation.state != State.DONE:
        after["stopped"] = operation.message
    if operation.kind == Operation.Kind.REBUILD:
        if not operation.done:
            return
        if operation.terms["trust_events"]:
            after["trust_events"] = True
        subject = f"{operation.what}, {operation.done} days"
        audit.record("rollups.rebuild", subject, at=now, by=program, after=after)
        return
    run = RatingRun.objects.get(pk=operation.terms["run"])
    after = after or {"changed": run.events_changed}
    audit.record(
        "rating.rerate",
        f"requests from {run.start:%Y-%m-%d %H:%M} until {run.end:%Y-%m-%d %H:%M} UTC",
        at=now,
        by=program,
        after={**after, "only_unpriced": run.only_unpriced},
        reason=run.reason,
    )
