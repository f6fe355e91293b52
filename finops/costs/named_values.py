"""Which values usage has, whatever it cost and whenever it was."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from finops.costs.snapshots import user_numbers
from finops.sql import statement


def named_values(dimensions: Collection[str]) -> dict[str, set[str]]:
    """Those of each of these dimensions, not of users: dimension → values."""
    found: dict[str, set[str]] = {each: set() for each in dimensions}
    with connection.cursor() as cursor:
        cursor.execute(statement("named_values"), {"dimensions": sorted(found)})
        for dimension, value in cursor.fetchall():
            found[dimension].add(value)
    return found


def named_users(names: Collection[str]) -> set[str]:
    """Those of these names that usage has, in the clear or as a hash."""
    with connection.cursor() as cursor:
        return set(user_numbers(cursor, names))
