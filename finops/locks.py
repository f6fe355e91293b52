"""One at a time: whoever looks before they write, where the answer must not change meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import IntEnum

from django.db import connection

from ingest.settlements.applying import STORED_EVENTS_LOCK


class Lock(IntEnum):
    """Advisory locks of the database; the numbers only have to differ."""

    SETUP = 0x666972_7374  # "first"
    PEOPLE = 0x61646D696E  # "admin"
    NAMES = 0x6E616D6573  # "names" of people and teams
    SERVICES = 0x73657276  # "serv", names of services
    # Who changes the events or the rollups of a day, other than a fold, and who drops events: two
    # runs over the same day would each add their difference. Settlements depend on them too.
    RERATING = STORED_EVENTS_LOCK
    RATING_JOBS = 0x_FA27_0007  # one worker at a time does these
    ERASURES = 0x_FA27_0009  # and these
    OPERATIONS = 0x_FA27_000C  # and these; commands too
    ENFORCEMENT = 0x656E66  # "enf": one worker at a time hands figures over
    ANOMALIES = 0x616E6F6D  # "anom": one worker at a time judges series
    OWNERSHIP = 0x6F776E  # "own": who changes who pays, and who looks up what rules come to
    COST_ITEMS = 0x6974656D  # "item": positions and filters concern all of them
    BILLS = 0x62696C6C  # "bill": what an import takes the place of, and true-ups of a month
    EXCHANGE_RATES = 0x65786368  # "exch": what is known of a day, and what an import adds
    BUSINESS_METRICS = 0x6D657472  # "metr": what values take the place of
    BOOKS = 0x626F6F6B  # "book": one month closes, or is opened again, at a time
    CLOSED_MONTHS = 0x636C6F73  # "clos": one worker at a time keeps up with what they came to
    OPERATIONS_ASKED = 0x_FA27_000B  # the same one, asked for twice at once, is one


def hold(lock: Lock) -> None:
    """Wait until nobody else holds the lock, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock.value])


def try_hold(lock: Lock) -> bool:
    """As `hold`, but False at once where somebody else holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock.value])
        [is_held] = cursor.fetchone()
    return bool(is_held)


@contextmanager
def held(*locks: Lock) -> Iterator[None]:
    """As `hold`, until the block ends: what a transaction in it sees begins after that."""
    with connection.cursor() as cursor, ExitStack() as ending:
        for lock in locks:
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock.value])
            ending.callback(cursor.execute, "SELECT pg_advisory_unlock(%s)", [lock.value])
        yield


@contextmanager
def alone(lock: Lock) -> Iterator[bool]:
    """Whether nobody else holds the lock at this moment; then it is held until the block ends,
    however many transactions there are in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock.value])
        [is_alone] = cursor.fetchone()
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock.value])
