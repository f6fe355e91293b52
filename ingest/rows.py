"""Facts as rows of a binary COPY into usage_event.

Binary, because it needs no escaping and PostgreSQL parses it faster: with the columns of one row
fixed in one struct, a row takes 4 µs to write here, and its costs as much.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from struct import Struct

import msgspec
from psycopg import adapters
from psycopg.adapt import PyFormat

from ingest.costs import UNPRICED, Tariff
from ingest.facts import Fact
from ingest.rating import Rate

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_COLUMNS = 35
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JSONB_VERSION = b"\x01"
# event_key, started_at, batch_id, day, attribution_id, user_id, eight token buckets, normalised;
# before each its length in bytes.
_FIXED = Struct(">h i16s iq iq ii ii ii" + "ii" * 8 + "i?").pack
_INTEGER = Struct(">ii").pack
_REAL = Struct(">if").pack
_LENGTH = Struct(">i").pack
_NULL = b"\xff\xff\xff\xff"
_UNRATED = _NULL * 3 + UNPRICED
_encode_json = msgspec.json.Encoder().encode
_numeric = adapters.get_dumper(Decimal, PyFormat.BINARY)(Decimal)


def row(
    fact: Fact,
    batch_id: int,
    attribution_id: int,
    user_id: int,
    priced: tuple[bytes, Tariff] | None,
) -> bytes:
    """One row of the COPY, columns in the order of copy_events.sql.

    `priced` is what `ledger_lines` makes of the event's rate, and that rate's tariff.
    """
    event = fact.event
    return b"".join(
        (
            _fixed(fact, batch_id, attribution_id, user_id),
            _UNRATED
            if priced is None
            else priced[0] + priced[1].costs(fact.tokens, event.gpu_seconds),
            _NULL if event.latency_ms is None else _REAL(4, event.latency_ms),
            _NULL if event.ttft_ms is None else _REAL(4, event.ttft_ms),
            _NULL if event.quality is None else _REAL(4, event.quality),
            _NULL if event.gpu_seconds is None else _decimal(event.gpu_seconds),
            _NULL if event.reported_cost is None else _decimal(event.reported_cost),
            _text(event.id),
            _text(event.session) if event.session else _NULL,
            _text(event.prompt_hash) if event.prompt_hash else _NULL,
            _json(event.stages_ms) if event.stages_ms else _NULL,
            _json(event.tags) if event.tags else _NULL,
        )
    )


def _fixed(fact: Fact, batch_id: int, attribution_id: int, user_id: int) -> bytes:
    """The columns that every event has and that take a fixed number of bytes."""
    uncached, read, created_5m, created_1h, audio, text, reasoning, audio_out = fact.tokens
    return _FIXED(
        _COLUMNS,
        16,
        fact.event_key,
        8,
        (fact.started_at - _EPOCH) // _MICROSECOND,
        8,
        batch_id,
        4,
        fact.day,
        4,
        attribution_id,
        4,
        user_id,
        4,
        uncached,
        4,
        read,
        4,
        created_5m,
        4,
        created_1h,
        4,
        audio,
        4,
        text,
        4,
        reasoning,
        4,
        audio_out,
        1,
        fact.normalised,
    )


def ledger_lines(rate: Rate) -> bytes:
    """The columns price_id, contract_price_id and fixing_id."""
    return b"".join(_NULL if number is None else _INTEGER(4, number) for number in rate)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH(len(encoded)) + encoded


def _decimal(value: Decimal) -> bytes:
    encoded = bytes(_numeric.dump(value) or b"")
    return _LENGTH(len(encoded)) + encoded


def _json(value: object) -> bytes:
    encoded = _JSONB_VERSION + _encode_json(value)
    return _LENGTH(len(encoded)) + encoded
