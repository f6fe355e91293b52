"""What is stored of a user, and the beginning of an erasure."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from finops import audit
from finops.access import Reader
from finops.models import Erasure
from finops.rollups import one
from finops.sql import statement
from ingest.cardinality import OVERFLOW
from ingest.user_names import HASHED, hashed

# Ingest reloads every 1.5 s; a commit that had the old number in hand has ended by then too.
SETTLED = timedelta(seconds=10)
LABEL = re.compile(r"erased-[0-9a-f]{16}")
# So short a name stands for other things nearly everywhere.
EVERYDAY_CHARACTERS = 2


class UnknownUser(LookupError):
    """No event was ever sent for a user of this name."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored of a user. `also` says what else has the same name; `alike` are other users
    whose names differ in nothing but case."""

    stored_as: str
    requests: int
    first: date | None
    last: date | None
    also: tuple[str, ...]
    alike: tuple[str, ...]


def find(name: str) -> Found:
    """Raises UnknownUser."""
    with connection.cursor() as cursor:
        user_id, stored_as = _user(cursor, name)
        cursor.execute(
            "SELECT coalesce(sum(requests), 0)::bigint, min(day), max(day) FROM rollup_user_day"
            " WHERE user_id = %s AND requests > 0",
            [user_id],
        )
        requests, first, last = one(cursor)
        cursor.execute(statement("names_of_other_things"), {"name": name})
        also = [what for (what,) in cursor.fetchall()]
        cursor.execute(
            "SELECT name FROM end_user WHERE lower(name) = lower(%s) AND id <> %s"
            " ORDER BY name LIMIT 5",
            [name, user_id],
        )
        alike = tuple(each for (each,) in cursor.fetchall())
    if len(name) <= EVERYDAY_CHARACTERS:
        also.append("parts of many words")
    return Found(stored_as, requests, first, last, tuple(also), alike)


def begin(
    name: str, by: Reader | str, now: datetime, *, is_everywhere: bool = True, address: str = ""
) -> Erasure:
    """Take the name from the user at once; proceed() does the rest. Raises UnknownUser."""
    label = f"erased-{secrets.token_hex(8)}"
    with transaction.atomic(), connection.cursor() as cursor:
        user_id, stored_as = _user(cursor, name, lock=True)
        cursor.execute("UPDATE end_user SET name = %s WHERE id = %s", [label, user_id])
        # Who had the usage has it still.
        cursor.execute(statement("rename_rule_users"), {"names": [stored_as], "labels": [label]})
        other = hashed(settings.USER_HASH_KEY, name)
        erasure = Erasure.objects.create(
            name=name,
            hashed_name="" if HASHED.fullmatch(name) and name == stored_as else other,
            user_id=user_id,
            label=label,
            is_everywhere=is_everywhere,
            asked_by=by if isinstance(by, str) else audit.name_of(by),
            asked_at=now,
            changed={"end_user": 1},
        )
        after = {"other_records": is_everywhere}
        audit.record("user.erase", label, at=now, by=by, after=after, address=address)
    return erasure


def _user(cursor: CursorWrapper, name: str, *, lock: bool = False) -> tuple[int, str]:
    """Number and stored name; a name in the clear stands for its hash too. UnknownUser."""
    cursor.execute(
        "SELECT id, name FROM end_user WHERE name = ANY(%s) AND id <> 0"
        " ORDER BY name = %s DESC LIMIT 1" + (" FOR UPDATE" if lock else ""),
        [[name, hashed(settings.USER_HASH_KEY, name)], name],
    )
    row = cursor.fetchone()
    if row is None or name == OVERFLOW or LABEL.fullmatch(name):
        raise UnknownUser(name)
    return int(row[0]), str(row[1])
