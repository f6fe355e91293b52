"""What a settlement says: an event that replaces the figures of another one.

Checked at the door as far as it can be without that event, which may come later, and kept in the
words of this module until it is there.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from struct import Struct
from typing import NamedTuple

import msgspec

from ingest.events import SERVICE_TIERS, Correction
from ingest.facts import Reader, check_amounts, event_key, tokens_of
from ingest.rejections import Rejected
from ingest.usage import INPUT_BUCKETS

# Dimensions that an event may say and no other field decides.
NAMES = (
    *("provider", "model", "operation", "service", "feature", "team", "environment", "region"),
    *("status", "cache", "fleet", "variant"),
)
_INPUT_FIELDS = (
    *("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    *("cache_write_input_tokens", "cache_creation_1h_input_tokens", "input_audio_tokens"),
)
_OUTPUT_FIELDS = ("output_tokens", "reasoning_output_tokens", "output_audio_tokens")

_REAL = Struct("f")


class Said(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the settlement says; the rest is as in the event that it corrects.

    `dimensions` are fields of Attribution without its tags; `input` and `output` disjoint buckets.
    """

    event_id: str
    dimensions: dict[str, str] = {}
    tags: dict[str, str] = {}
    user: str | None = None
    input: tuple[int, ...] | None = None
    output: tuple[int, ...] | None = None
    normalised: bool = False
    latency_ms: float | None = None
    ttft_ms: float | None = None
    quality: float | None = None
    gpu_seconds: Decimal | None = None
    reported_cost: Decimal | None = None
    session: str | None = None
    prompt_hash: str | None = None
    stages_ms: dict[str, float] | None = None


class Settlement(NamedTuple):
    """`key` and `corrects` stand for the two ids, as keys of events do; `made_at` is UTC."""

    key: bytes
    corrects: bytes
    made_at: datetime
    said: Said


def settlement_of(reader: Reader, event: Correction, arrived_at: datetime) -> Settlement:
    """The event as a settlement; Rejected with a named reason when it cannot be taken."""
    if event.corrects == event.id:
        raise Rejected("corrects_itself", "corrects: write the id of the event that it replaces.")
    if event.model is not None and (not event.model or event.model.isspace()):
        raise Rejected("empty_model", "model: write the model that answered.")
    check_amounts(event)
    source = reader.scope.source
    return Settlement(
        event_key(source, event.id),
        event_key(source, event.corrects),
        reader.moment(event.timestamp or arrived_at),
        _said(reader, event),
    )


def _said(reader: Reader, event: Correction) -> Said:
    tokens, normalised, tier = tokens_of(event, event.provider or "unknown")
    dimensions = {name: value for name in NAMES if (value := getattr(event, name))}
    if event.service_tier or (event.usage and tier != SERVICE_TIERS["standard"]):
        dimensions["service_tier"] = tier
    if latency_tier := event.latency_tier or reader.tiers.of(event.latency_ms):
        dimensions["latency_tier"] = latency_tier
    has_input = event.usage is not None or _says(event, _INPUT_FIELDS)
    has_output = event.usage is not None or _says(event, _OUTPUT_FIELDS)
    return Said(
        event.id,
        dimensions,
        event.tags or {},
        event.user or None,
        tokens[:INPUT_BUCKETS] if has_input else None,
        tokens[INPUT_BUCKETS:] if has_output else None,
        normalised,
        _real(event.latency_ms),
        _real(event.ttft_ms),
        _real(event.quality),
        event.gpu_seconds,
        event.reported_cost,
        event.session or None,
        event.prompt_hash or None,
        event.stages_ms or None,
    )


def _real(number: float | None) -> float | None:
    """As the column holds it: PostgreSQL refuses to read what is too small for it."""
    return None if number is None else _REAL.unpack(_REAL.pack(number))[0]


def _says(event: Correction, fields: tuple[str, ...]) -> bool:
    return any(getattr(event, name) is not None for name in fields)
