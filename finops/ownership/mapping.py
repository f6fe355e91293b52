"""What rules come to, looked up once for each attribution.

Whoever changes rules forgets what they concerned and concern, in the same transaction, and looks
it up again; the worker looks up what is new. Questions depend on neither: see costs/owners.py.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Any

from django.db import connection, transaction

from finops import locks
from finops.locks import Lock
from finops.models import OwnershipState
from finops.sql import statement

# Beyond so many rules it takes longer to find whom they concern than to look up everybody.
MANY = 100
# Rules of one statement.
PORTION = 10_000


@contextmanager
def changing() -> Iterator[None]:
    """A transaction in which nobody else changes rules or looks them up."""
    with transaction.atomic():
        locks.hold(Lock.OWNERSHIP)
        yield
        state, _ = OwnershipState.objects.get_or_create()
        state.version += 1
        state.save()


def forget(conditions: Collection[Mapping[str, str]]) -> None:
    """What rules with these conditions come to is not known any more."""
    if len(conditions) > MANY:
        forget_all()
        return
    with connection.cursor() as cursor:
        given = [json.dumps(dict(each)) for each in conditions if "user" not in each]
        if given:
            cursor.execute(statement("forget_owners_of"), {"conditions": given})


def forget_all() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM attribution_owner")


def look_up() -> int:
    """Look up what is not known; returns how many rows that made. The lock is the caller's."""
    with connection.cursor() as cursor:
        cursor.execute(statement("kinds_of_rules"))
        [(by_attribution, _, has_new)] = cursor.fetchall()
        if not by_attribution:
            cursor.execute("DELETE FROM attribution_owner")
        if not (by_attribution and has_new):
            return 0
        cursor.execute(f"INSERT INTO attribution_owner {statement('owners_of_unmapped')}")
        return int(cursor.rowcount)


def look_up_new() -> int:
    """What is called again and again; nothing where somebody else is at it."""
    with transaction.atomic():
        return look_up() if locks.try_hold(Lock.OWNERSHIP) else 0


def replace(rules: Iterable[tuple[Mapping[str, str], str, date | None, date | None]]) -> None:
    """Let these be all rules, in their order: conditions, cost center, first day, first day after.
    The lock is the caller's."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ownership_rule")
        every, position = iter(rules), 0
        while portion := list(islice(every, PORTION)):
            conditions, centers, starts, ends = zip(*portion, strict=True)
            given: dict[str, Any] = {
                "conditions": [json.dumps(dict(each)) for each in conditions],
                "centers": list(centers),
                "starts": list(starts),
                "ends": list(ends),
                "after": position,
            }
            cursor.execute(statement("insert_rules"), given)
            position += len(portion)
        cursor.execute("ANALYZE ownership_rule")
    forget_all()
    look_up()


def make_room(position: int) -> None:
    """Let no rule have this position: it and those after it move back by one."""
    with connection.cursor() as cursor:
        for table in ("ownership_rule", "attribution_owner"):
            cursor.execute(
                f"UPDATE {table} SET position = position + 1 WHERE position >= %s", [position]
            )
