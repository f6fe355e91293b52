"""What an event comes to with what a settlement says: a row of insert_settled.sql."""

from __future__ import annotations

from typing import Any

from ingest.cardinality import OVERFLOW
from ingest.corrections import Said
from ingest.facts import Attribution
from ingest.rating import Rate, RateCard
from ingest.settlements.chains import Original
from ingest.usage import INPUT_BUCKETS, TokenBuckets


def attribution_of(original: Original, said: Said, activated_tags: frozenset[str]) -> Attribution:
    """The event's own, with what the settlement says instead."""
    tags = dict(original.dimension_tags)
    tags |= {name: value for name, value in said.tags.items() if name in activated_tags}
    own = Attribution._make([*original.dimensions, ()])
    return own._replace(**said.dimensions, tags=tuple(sorted(tags.items())))


def is_as_before(original: Original, attribution: Attribution) -> bool:
    return attribution == Attribution._make(
        [*original.dimensions, tuple(sorted(original.dimension_tags.items()))]
    )


def settled(
    original: Original, said: Said, attribution: Attribution, card: RateCard | None
) -> dict[str, Any]:
    """All but its key, its batch and the numbers of its attribution and user."""
    tokens = TokenBuckets._make(
        [
            *(said.input or original.tokens[:INPUT_BUCKETS]),
            *(said.output or original.tokens[INPUT_BUCKETS:]),
        ]
    )
    rate = _rate(original, attribution, sum(tokens[:INPUT_BUCKETS]), card)
    is_guessed = original.normalised and None in (said.input, said.output)

    def either(name: str) -> Any:
        value = getattr(said, name)
        return getattr(original, name) if value is None else value

    return {
        "started_at": original.started_at,
        "day": original.day,
        "price_id": rate.price_id if rate else None,
        "contract_price_id": rate.contract_price_id if rate else None,
        "fixing_id": rate.fixing_id if rate else None,
        **tokens._asdict(),
        "normalised": said.normalised or is_guessed,
        **{
            name: either(name)
            for name in ("latency_ms", "ttft_ms", "quality", "gpu_seconds", "reported_cost")
        },
        **{name: either(name) for name in ("session", "prompt_hash", "stages_ms")},
        "tags": {**(original.tags or {}), **said.tags} or None,
        "event_id": said.event_id,
        "corrects_key": original.event_key,
    }


def _rate(
    original: Original, attribution: Attribution, input_tokens: int, card: RateCard | None
) -> Rate | None:
    rated_by = {
        "provider": attribution.provider,
        "model": attribution.model,
        "service_tier": attribution.service_tier,
        "cache": attribution.cache,
        "fleet": attribution.fleet,
    }
    if OVERFLOW in rated_by.values():
        # What the event was rated by is not known any more; its lines are.
        if original.price_id is None:
            return None
        return Rate(original.price_id, original.contract_price_id, original.fixing_id)
    return card.rates(**rated_by).at(original.started_at, input_tokens) if card else None
