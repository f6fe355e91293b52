"""One at a time: whoever looks before they write, where the answer must not change meanwhile."""

from __future__ import annotations

from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """Advisory locks of the database; the numbers only have to differ."""

    SETUP = 0x666972_7374  # "first"
    PEOPLE = 0x61646D696E  # "admin"
    NAMES = 0x6E616D6573  # "names" of people and teams
    SERVICES = 0x73657276  # "serv", names of services


def hold(lock: Lock) -> None:
    """Wait until nobody else holds the lock, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock.value])
