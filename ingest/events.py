"""THE schema: one usage event as clients write it, field by field.

The schema holds what a JSON value can show alone (types, lengths, bounds, closed sets); what
depends on other fields or on the clock is checked where a fact is made of it (facts.py).
null means the same as leaving the field out.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ingest.response_ids import LONGEST_RESPONSE_ID

MAX_TOKENS = 1_000_000_000
# Bounds on durations keep them inside PostgreSQL's `real`; 1e9 ms are eleven days.
MAX_MILLISECONDS = 1_000_000_000.0
# Shorter ids of responses repeat: Ollama answers chatcmpl-1 to chatcmpl-999.
SHORTEST_RESPONSE_ID = 14

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Model = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(max_length=200)]
ResponseId = Annotated[str, Meta(max_length=LONGEST_RESPONSE_ID)]
Tokens = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
Milliseconds = Annotated[float, Meta(ge=0.0, le=MAX_MILLISECONDS)]
Score = Annotated[float, Meta(ge=0.0, le=1.0)]
# Exact: a number is taken by its digits, and a string of digits is taken too.
Amount = Annotated[Decimal, Meta(extra_json_schema={"type": ["number", "string"], "minimum": 0})]
TagKey = Annotated[str, Meta(min_length=1, max_length=200)]
Tags = Annotated[dict[TagKey, Name], Meta(max_length=16)]
StageName = Annotated[str, Meta(min_length=1, max_length=64)]
Stages = Annotated[dict[StageName, Milliseconds], Meta(max_length=32)]

# The right-hand names are what the ledger and the pages know; providers' own words for them are
# taken too.
SERVICE_TIERS = {
    "standard": "standard",
    "default": "standard",
    "on_demand": "standard",
    "auto": "standard",
    "batch": "batch",
    "flex": "flex",
    "priority": "priority",
    "fast": "fast",
}
# What prices are listed for; a request of any other tier has no public price.
KNOWN_TIERS = frozenset(SERVICE_TIERS.values())
ServiceTier = Literal[
    "standard", "default", "on_demand", "auto", "batch", "flex", "priority", "fast"
]
Status = Literal["ok", "error", "aborted", "throttled"]
Cache = Literal["none", "memory", "redis", "semantic", "database"]


class Event(msgspec.Struct, gc=False, frozen=True):
    """One model call. Token totals include their parts, as OpenTelemetry counts them."""

    id: Id
    timestamp: Annotated[
        datetime,
        Meta(tz=True, description="When the request started; RFC 3339 with a zone."),
    ]
    model: Annotated[Model, Meta(description="The model that answered.")]
    provider: Name | None = None
    operation: Name | None = None

    input_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens | None = None
    cache_creation_input_tokens: Tokens | None = None
    cache_write_input_tokens: Tokens | None = None
    cache_creation_1h_input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    reasoning_output_tokens: Tokens | None = None
    input_audio_tokens: Tokens | None = None
    output_audio_tokens: Tokens | None = None
    usage: Annotated[
        dict[str, Any] | None,
        Meta(description="Instead of the token fields: the provider's own usage block."),
    ] = None

    user: Name | None = None
    feature: Name | None = None
    team: Name | None = None
    service: Name | None = None
    environment: Name | None = None
    region: Name | None = None
    session: Name | None = None
    variant: Name | None = None

    latency_ms: Milliseconds | None = None
    ttft_ms: Milliseconds | None = None
    latency_tier: Name | None = None
    service_tier: ServiceTier | None = None
    status: Status | None = None
    cache: Cache | None = None
    stages_ms: Stages | None = None
    prompt_hash: Annotated[str, Meta(max_length=64)] | None = None
    response_id: Annotated[
        ResponseId | None, Meta(description="The provider's id of the answer: each counts once.")
    ] = None
    fleet: Name | None = None
    gpu_seconds: Amount | None = None
    quality: Score | None = None
    reported_cost: Annotated[
        Amount | None, Meta(description="USD, kept beside our own cost and never instead of it.")
    ] = None
    tags: Tags | None = None


class TranslatedEvent(Event, gc=False, frozen=True):
    """What a door makes of a call in another schema's words; these fields no client can write."""

    normalised: bool = False  # an ambiguous way of counting was resolved
    unlisted_tier: Name | None = None  # a service tier nobody knows here, in the provider's word
    undated: bool = False  # the client did not say when it was


class Correction(Event, gc=False, frozen=True, kw_only=True):
    """A settlement: an event that replaces the figures of another one of the same source.

    What it does not say is as in that event; the input, and the output, are each replaced whole.
    """

    corrects: Annotated[
        Id,
        Meta(
            description="The id of the event whose figures this one replaces, or of a settlement "
            "of it."
        ),
    ]
    # Where an event must say these, a settlement may leave them to the event that it corrects.
    timestamp: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(
            description="When the settlement was made, by default when it arrives: of several "
            "settlements of one event the latest counts."
        ),
    ] = None  # type: ignore[assignment]
    model: Model | None = None  # type: ignore[assignment]


# The same fields, but a field that is not among them is an error: how unknown fields are noticed
# without looking at the keys of every event.
StrictEvent = msgspec.defstruct(
    "StrictEvent", [], bases=(Event,), forbid_unknown_fields=True, gc=False, frozen=True
)
FIELDS = frozenset(Event.__struct_fields__)
