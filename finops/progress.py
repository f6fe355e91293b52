"""The bar that commands show on the terminal while they work; elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from finops.formats import span_of
from finops.models import Operation
from finops.operations import wording

LINE_SECONDS = 10.0


def progress_bar() -> Progress:
    """On standard error; tasks are added with `events=0, rate=""`, and `count_events` goes on."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def count_events(progress: Progress, task: TaskID, events: int, *, completed: float) -> None:
    """Show `events` more, and that `completed` of the task's total is done."""
    shown = progress.tasks[task]
    counted = shown.fields["events"] + events
    rate = f"{counted / shown.elapsed:,.0f} events/s" if shown.elapsed else ""
    progress.update(task, completed=completed, events=counted, rate=rate)
    said_at = shown.fields.get("said_at", 0.0)
    if not progress.console.is_terminal and (shown.elapsed or 0.0) - said_at >= LINE_SECONDS:
        left = f", {span_of(shown.time_remaining)} left" if shown.time_remaining else ""
        progress.console.print(
            f"{shown.description}: {shown.percentage:.0f} %, {counted:,} events, {rate}{left}"
        )
        progress.update(task, said_at=shown.elapsed)


@contextmanager
def operation_progress(name: str, is_terminal: bool) -> Iterator[Callable[[Operation], None]]:
    """What to call with the operation whenever it got further."""
    if not is_terminal:
        yield _lines(name)
        return
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[line]}"),
        console=Console(stderr=True),
    )
    task = progress.add_task(name, total=None, line="waiting")

    def show(operation: Operation) -> None:
        waits = operation.state in (Operation.State.WAITING, Operation.State.PAUSED)
        line = f"{operation.state}: {wording.progress(operation)}"
        progress.update(
            task,
            total=operation.total or None,
            completed=operation.total * operation.share,
            line=line if waits else wording.progress(operation),
        )

    with progress:
        yield show


def _lines(name: str) -> Callable[[Operation], None]:
    """A line when it begins to show progress, every ten seconds, and at the end."""
    said_at, said = float("-inf"), ""

    def show(operation: Operation) -> None:
        nonlocal said_at, said
        line = f"{name}: {operation.state}: {wording.progress(operation)}"
        is_due = time.monotonic() - said_at >= LINE_SECONDS or operation.finished_at
        if is_due and line != said:
            print(line, file=sys.stderr, flush=True)
            said_at, said = time.monotonic(), line

    return show
