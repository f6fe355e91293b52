"""The bar that commands show on the terminal while they send events."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


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
