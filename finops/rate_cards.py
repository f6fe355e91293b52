"""The rate card handed to the ingest process: the ledger in force, in memory."""

from __future__ import annotations

from django.db import connection

from finops import ledger
from finops.pricing.matching import match
from finops.pricing.resolution import RateCard


def load(version: int | None) -> RateCard | None:
    """A card newer than `version` (None: any), or None when the ledger has not changed.

    Cheap when nothing changed: one count over a few thousand rows. Called every second or two
    from a thread that no request brackets, so it drops a connection the database has closed.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    current = ledger.version()
    if current == version:
        return None
    match("openai", "gpt-5")  # reads the catalogue (0.3 s) now rather than in the first request
    return RateCard(ledger.current_lines(), current)
