"""What a command shows of the operation that it asked for, and works on, until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from finops import operations
from finops.models import Operation
from finops.progress import operation_progress

# The worker may be at it, or a lock be held: looked for again after so long.
PATIENCE_SECONDS = 0.2
PROGRAM = "manage.py"


def follow(
    operation: Operation, stderr: OutputWrapper, tell: Callable[[Operation], None] | None = None
) -> Operation:
    """Do steps of the queue until this operation has ended, and show how far it is.

    `tell` is called whenever it got further. Raises CommandError where it was stopped.
    """
    try:
        with operation_progress(str(operation), stderr.isatty()) as show:
            for now in _states(operation.pk):
                show(now)
                if tell:
                    tell(now)
                operation = now
    except KeyboardInterrupt:
        _leave(operation)
    if operation.state in (Operation.State.FAILED, Operation.State.CANCELLED):
        raise CommandError(operation.message)
    return operation


def _states(pk: int) -> Iterator[Operation]:
    """The operation as it is, whenever that may have changed, up to its end."""
    while True:
        operation = Operation.objects.get(pk=pk)
        yield operation
        if operation.finished_at:
            return
        _do_a_step()
        after = Operation.objects.filter(pk=pk).values_list("done", "finished_at").get()
        if after == (operation.done, operation.finished_at):
            time.sleep(PATIENCE_SECONDS)


def _do_a_step() -> None:
    once = iter((True,))
    operations.proceed(timezone.now(), settings.REPORTING_ZONE, lambda: next(once, False))


def _leave(operation: Operation) -> None:
    """Ctrl-C: whoever stops the command means the work."""
    try:
        operations.pause(operation, by=PROGRAM, now=timezone.now())
    except operations.NotPossible as refused:
        operation.refresh_from_db()
        if not operation.finished_at:
            raise CommandError(f"{refused} The worker goes on with it.") from None
        return
    raise CommandError(
        f"Paused after {operation.done:,} of {operation.total:,} {operation.unit}. The same "
        "command goes on from there, and so does Resume on the page Settings, Operations."
    )
