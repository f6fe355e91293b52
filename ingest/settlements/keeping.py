"""Settlements kept until they are applied, in the transaction of the events they came with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from psycopg import Connection

from ingest.batches import Outcome, Submission, as_json
from ingest.corrections import Said
from ingest.user_names import Naming

KEEP = (Path(__file__).parent.parent / "sql/keep_settlements.sql").read_text()


def keep(
    connection: Connection,
    submissions: Sequence[Submission],
    outcomes: Sequence[Outcome],
    naming: Naming,
) -> None:
    """Write every settlement that is not known yet, and count them in the outcomes."""
    given = [
        (number, submission, settlement)
        for number, submission in enumerate(submissions)
        if submission.settlements
        for settlement in submission.settlements
    ]
    if not given:
        return
    rows = connection.execute(
        KEEP,
        {
            "event_key": [UUID(bytes=each.key) for _, _, each in given],
            "corrects_key": [UUID(bytes=each.corrects) for _, _, each in given],
            "key_id": [submission.scope.key_id for _, submission, _ in given],
            "source": [submission.scope.source for _, submission, _ in given],
            "format": [submission.format for _, submission, _ in given],
            "received_at": [submission.received_at for _, submission, _ in given],
            "made_at": [each.made_at for _, _, each in given],
            "said": [as_json(_stored(each.said, naming)) for _, _, each in given],
        },
    )
    new = {place for (place,) in rows.fetchall()}
    for place, (number, _, _) in enumerate(given):
        if place in new:
            outcomes[number].settlements += 1
        else:
            outcomes[number].duplicates += 1


def _stored(said: Said, naming: Naming) -> Said:
    """Users are named here as they are where names are hashed."""
    if not said.user:
        return said
    return msgspec.structs.replace(said, user=naming.stored(said.user))
