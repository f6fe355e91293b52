"""Usage for tests of figures: events read, rated, stored and folded by the product's own code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from psycopg import Connection, Cursor
from psycopg.types.json import JsonbLoader
from psycopg.types.string import TextLoader

from finops import rate_cards, rollups
from ingest import partitions
from ingest.attribution import Register
from ingest.batches import Submission
from ingest.commits import Committer
from ingest.corrections import settlement_of
from ingest.doors import native
from ingest.facts import LatencyTiers, Reader, Scope, Window
from ingest.settlements.applying import Applied, apply_due

RETENTION = timedelta(days=400)


def event(at: datetime, **fields: Any) -> dict[str, Any]:
    """A valid event of that moment, with an id of its own."""
    return {
        "id": uuid4().hex,
        "timestamp": at.isoformat(),
        "provider": "openai",
        "model": "gpt-4o",
        "input_tokens": 1000,
        "output_tokens": 200,
        **fields,
    }


def record(
    events: Iterable[dict[str, Any]],
    *,
    now: datetime,
    source: str = "tests",
    key_id: int = 1,
    zone: ZoneInfo = settings.REPORTING_ZONE,
    tags: frozenset[str] = frozenset(),
) -> None:
    """Stores the events in the test's own transaction and folds them into the rollups; `tags` are
    the activated ones."""
    store(events, now=now, source=source, key_id=key_id, tags=tags)
    rollups.fold_waiting(now, zone)


def begun() -> Connection[Any]:
    """The test's own connection. Before its first statement no transaction has begun, and the first
    one that psycopg is asked for would be committed."""
    if not connection.in_atomic_block:
        # One that is too old would be closed while it is used, where prices are read.
        connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    database: Connection[Any] = connection.connection
    return database


def store(
    events: Iterable[dict[str, Any]],
    *,
    now: datetime,
    source: str = "tests",
    key_id: int = 1,
    tags: frozenset[str] = frozenset(),
) -> None:
    """Stores the events as one batch that waits to be folded, and settlements among them."""
    scope = Scope(key_id, source, source, "", "")
    reader = Reader(scope, Window.at(now, RETENTION), LatencyTiers(), tags)
    decoded = native.read_json(json.dumps(list(events)).encode())
    assert not decoded.rejections
    facts = [reader.read(each) for each in decoded.events]
    partitions.make(begun(), {fact.started_at.date() for fact in facts})
    submission = Submission(scope, "json", now, facts, Counter())
    submission.settlements = [settlement_of(reader, each, now) for _, each in decoded.corrections]
    with as_ingest() as database:
        # A committer makes its staging table once in the life of its connection, which is longer.
        database.execute("DROP TABLE IF EXISTS staged_event")
        Committer(database, Register()).commit([submission], rate_cards.load(None))


@contextmanager
def as_ingest() -> Iterator[Connection[Any]]:
    """The test's own connection as ingest has it: Django reads JSON itself, and so lets it pass as
    text, and writes values into statements."""
    database = begun()
    database.adapters.register_loader("jsonb", JsonbLoader)
    factory, database.cursor_factory = database.cursor_factory, Cursor
    try:
        yield database
    finally:
        database.adapters.register_loader("jsonb", TextLoader)
        database.cursor_factory = factory


def settle(now: datetime, *, zone: ZoneInfo = settings.REPORTING_ZONE) -> Applied:
    """Applies the settlements whose time has come by then, and folds what that adds."""
    with as_ingest() as database:
        done = apply(database, now)
    rollups.fold_waiting(now, zone)
    return done


def apply(database: Connection[Any], now: datetime) -> Applied:
    return apply_due(database, Register(), rate_cards.load(None), frozenset(), now)
