"""From a row of finops/sql/request_columns.sql to a UsageRequest."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from finops.query import DIMENSIONS
from finops.requests.results import COSTS, INPUT_BUCKETS, OUTPUT_BUCKETS, UsageRequest


def read_row(row: tuple[Any, ...]) -> UsageRequest:
    values = iter(row)

    def take(names: tuple[str, ...]) -> dict[str, Any]:
        return {name: next(values) for name in names}

    head = take(("id", "event_key", "source", "started_at", "received_at", "format"))
    dimensions = {name: value or "" for name, value in take(DIMENSIONS).items()}
    tags, session = next(values), next(values)
    tokens = take((*INPUT_BUCKETS, *OUTPUT_BUCKETS))
    latency, ttft, stages, quality, gpu_seconds = (next(values) for _ in range(5))
    prompt_hash, is_normalised = next(values), next(values)
    costs = take(COSTS)
    reported_cost, price_id, contract_price_id, fixing_id, reverses_key, corrects_key = values
    return UsageRequest(
        id=head["id"],
        event_key=head["event_key"].hex,
        source=head["source"],
        started_at=head["started_at"].astimezone(UTC),
        received_at=head["received_at"].astimezone(UTC),
        format=head["format"],
        dimensions=dimensions,
        tags=read_object(tags),
        session=session or "",
        tokens=tokens,
        latency_ms=latency,
        ttft_ms=ttft,
        stages_ms=read_object(stages),
        quality=quality,
        gpu_seconds=gpu_seconds,
        prompt_hash=prompt_hash or "",
        is_normalised=is_normalised,
        costs=costs,
        reported_cost=reported_cost,
        price_id=price_id,
        contract_price_id=contract_price_id,
        fixing_id=fixing_id,
        reverses_key=reverses_key.hex if reverses_key else None,
        corrects_key=corrects_key.hex if corrects_key else None,
    )


def read_object(value: str | dict[str, Any] | None) -> dict[str, Any]:
    """Django leaves JSON as text in its own cursors."""
    if isinstance(value, str):
        parsed: dict[str, Any] = json.loads(value)
        return parsed
    return value or {}
