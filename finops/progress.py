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

from finops.models import Operation
from finops.operations import wording

LINE_SECONDS = 10.0


def progress_bar() -> Progress:
    """On standard error; tasks are added with `events=0` and counted on by `count_events`."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def count_events(progress: Progress, task: TaskID, events: int, *, completed: float) -> None:
    """Show `events` more, and that `completed` of the task's total is done."""
    counted = progress.tasks[task].fields["events"] + events
    progress.update(task, completed=completed, events=counted)


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
