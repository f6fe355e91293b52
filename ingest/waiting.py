"""Requests that wait for a commit, and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.batches import Outcome, Submission
from ingest.problems import Problem, unavailable

UNCERTAIN = "The commit was not confirmed. Send the same events again: none will count twice."


@dataclass(slots=True, eq=False)
class Waiting:
    submission: Submission
    answer: asyncio.Future[Outcome]


def settle(results: Sequence[tuple[asyncio.Future[Outcome], Outcome | Problem]]) -> None:
    """In the event loop: a commit's answers together, as waking it costs more than one of them."""
    for future, result in results:
        if future.done():
            continue
        if isinstance(result, Problem):
            future.set_exception(result)
        else:
            future.set_result(result)


def give_up(future: asyncio.Future[Outcome]) -> None:
    settle([(future, unavailable(UNCERTAIN, retry_after_seconds=5))])
