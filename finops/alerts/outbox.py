"""Emptying the outbox: claimed, sent side by side outside of any transaction, recorded."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime

from finops.alerts.claiming import AT_ONCE, Claim, claim
from finops.alerts.recording import record
from finops.channels import Outcome, send


def proceed(clock: Callable[[], datetime], go_on: Callable[[], bool]) -> Iterator[Outcome]:
    """Send what is due until there is nothing left, or `go_on` says no; yields each outcome.

    Any number of workers may do so at once. Between an answer of the other side and its record
    here lies one moment; who dies in it sends that one message twice, under the same id.
    """
    while go_on() and (claims := claim(clock())):
        with ThreadPoolExecutor(min(len(claims), AT_ONCE)) as pool:
            begun = {pool.submit(send, each.message, each.target): each for each in claims}
            for done in as_completed(begun):
                yield _recorded(begun[done], done.result(), clock())


def _recorded(held: Claim, outcome: Outcome, now: datetime) -> Outcome:
    record(held, outcome, now, random.random())
    return outcome
