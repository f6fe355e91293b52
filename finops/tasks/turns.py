"""What may take long has two of the worker's threads and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

# Of the worker's threads (finops/startup.py). One of the others folds, one is for the night, one
# sends alerts, one judges anomalies, and two evaluate budgets: one of them may wait for what is
# slow to read.
LONG = BoundedSemaphore(2)


@contextmanager
def long() -> Iterator[bool]:
    """Whether what may take long may begin; otherwise its next turn comes soon."""
    is_free = LONG.acquire(blocking=False)
    try:
        yield is_free
    finally:
        if is_free:
            LONG.release()
