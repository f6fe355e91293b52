"""The name in features, services, tags and the like: labels change, numbers of rows stay."""

from __future__ import annotations

import json

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from finops.erasures import mentions
from finops.erasures.names import Names
from finops.rollups import one
from finops.sql import statement
from ingest.attribution import fingerprint
from ingest.facts import Attribution


def search(cursor: CursorWrapper, names: Names) -> None:
    """Attributions of this user alone lose the name wherever it stands in them; others as a word,
    if that is wanted."""
    cursor.execute(statement("attributions_with_name"), names.parameters())
    for number, is_own in cursor.fetchall():
        if is_own or names.erasure.is_everywhere:
            _rename(cursor, names, number, names.anywhere if is_own else names.as_word)
    mentions.search(cursor, names, "attribution")


def _rename(cursor: CursorWrapper, names: Names, number: int, pattern: str) -> None:
    parameters = {**names.parameters(), "id": number, "pattern": pattern}
    with transaction.atomic():
        cursor.execute(statement("attribution_without_name"), parameters)
        *values, tags = one(cursor)
        changed = Attribution._make([*values, tuple(sorted(json.loads(tags).items()))])
        cursor.execute(
            statement("rename_attribution"),
            {**changed._asdict(), "id": number, "tags": tags, "fingerprint": fingerprint(changed)},
        )
        mentions.add_changed(names, "attribution", cursor.rowcount)
