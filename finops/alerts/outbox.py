"""Emptying the outbox: claimed, sent side by side outside of any transaction, recorded."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime

from django.db import DatabaseError

from finops.alerts.claiming import AT_ONCE, Claim, claim
from finops.alerts.recording import record
from finops.channels import Outcome, send

log = logging.getLogger(__name__)


def proceed(clock: Callable[[], datetime], go_on: Callable[[], bool]) -> Iterator[Outcome]:
    """Send what is due until there is nothing left, or `go_on` says no; yields each outcome.

    Any number of workers may do so at once. Between an answer of the other side and its record
    here lies one moment; who dies in it sends that one message twice, under the same id. Raises
    DatabaseError where an answer could not be recorded, once all the others are.
    """
    while go_on() and (claims := claim(clock())):
        failed: DatabaseError | None = None
        with ThreadPoolExecutor(min(len(claims), AT_ONCE)) as pool:
            begun = {pool.submit(send, each.message, each.target): each for each in claims}
            for done in as_completed(begun):
                outcome = done.result()
                try:
                    record(begun[done], outcome, clock(), random.random())
                except DatabaseError as error:
                    failed = error
                else:
                    if outcome.detail:
                        _say(begun[done], outcome)
                    yield outcome
        if failed:
            raise failed


def _say(claim: Claim, outcome: Outcome) -> None:
    """By numbers: titles may hold names of users, which have no place in a log."""
    held = claim.message.alerts
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    log.warning(
        "alert %d%s was not delivered to channel %s (%s): %s",
        held[0].number,
        more,
        claim.target.name,
        outcome.result,
        outcome.detail,
    )
