"""What figures must be: computed in plain Python from the stored events, without any rollup."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from finops.models import Price
from tests import usage

FEATURES = ("chat", "search", "digest", "")
TEAMS = ("cx", "ads", "")
USERS = ("ann", "bob", "cyd", "dee", "")
MODELS = ("gpt-4o", "gpt-4o-mini", "mystery-model")  # the last one has no price

TOKENS = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "input_audio_tokens",
    "text_output_tokens",
    "reasoning_output_tokens",
    "output_audio_tokens",
)


def price_models() -> None:
    """Contract prices, so that list and effective cost differ and one model has neither."""
    for model, unit in (("gpt-4o", Decimal("0.0000025")), ("gpt-4o-mini", Decimal("0.00000015"))):
        terms = {
            "uncached_input_price": unit,
            "cache_read_input_price": unit / 2,
            "cache_creation_5m_input_price": unit,
            "cache_creation_1h_input_price": unit,
            "text_output_price": unit * 4,
            "reasoning_output_price": unit * 4,
        }
        Price.objects.create(
            kind="catalog", provider="openai", model=model, source="tests", **terms
        )
    Price.objects.create(
        kind="contract", provider="*", model="*", discount_percent=Decimal("12.5"), source="tests"
    )


def random_event(dice: random.Random, at: datetime) -> dict[str, Any]:
    read = dice.randrange(500)
    reasoning = dice.randrange(50)
    return usage.event(
        at,
        id=f"{dice.getrandbits(64):016x}",
        model=dice.choice(MODELS),
        feature=dice.choice(FEATURES),
        team=dice.choice(TEAMS),
        user=dice.choice(USERS),
        status=dice.choice(("ok", "ok", "ok", "error")),
        input_tokens=read + dice.randrange(2000),
        cache_read_input_tokens=read,
        output_tokens=reasoning + dice.randrange(400),
        reasoning_output_tokens=reasoning,
        latency_ms=round(dice.lognormvariate(7, 0.8), 2) if dice.random() < 0.9 else None,
        ttft_ms=round(dice.lognormvariate(5, 0.5), 2) if dice.random() < 0.9 else None,
    )


def random_events(seed: int, count: int, start: datetime, end: datetime) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    seconds = (end - start).total_seconds()
    return [
        random_event(dice, start + timedelta(seconds=dice.random() * seconds)) for _ in range(count)
    ]


def stored(*, folded_only: bool = True) -> list[dict[str, Any]]:
    """Every stored event as a flat row, with its attribution, its user and its cost centre."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT usage.*, attribution.*, end_user.name AS "user", team.cost_center
            FROM usage_event AS usage
            JOIN ingest_batch ON ingest_batch.id = usage.batch_id
            JOIN attribution ON attribution.id = usage.attribution_id
            JOIN end_user ON end_user.id = usage.user_id
            LEFT JOIN team ON team.name = attribution.team
            WHERE ingest_batch.folded_at IS NOT NULL OR NOT %s
            """,
            [folded_only],
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def label(event: dict[str, Any], dimension: str) -> str:
    return event[dimension] or "Unattributed"


def input_tokens(event: dict[str, Any]) -> int:
    return sum(event[name] for name in TOKENS[:5])


def output_tokens(event: dict[str, Any]) -> int:
    return sum(event[name] for name in TOKENS[5:])


def weight(event: dict[str, Any]) -> int:
    """How many requests the row stands for: a reversal takes one back."""
    return 1 if event.get("reverses_key") is None else -1


def metric(name: str, events: Iterable[dict[str, Any]]) -> Any:
    """The metric over these events, by its definition."""
    events = list(events)
    priced = [event for event in events if event["effective_cost"] is not None]
    cost = sum((event["effective_cost"] for event in priced), Decimal(0))
    users = {event["user_id"] for event in events if event["user_id"]}
    known_cost = None if events and not priced else cost
    tokens = sum(input_tokens(event) + output_tokens(event) for event in priced)
    match name:
        case "effective_cost" | "billed_cost":
            return known_cost
        case "list_cost":
            listed = sum((event["list_cost"] for event in priced), Decimal(0))
            return None if known_cost is None else listed
        case "requests":
            return sum(map(weight, events))
        case "unpriced_requests":
            return sum(map(weight, events)) - sum(map(weight, priced))
        case "unpriced_tokens":
            every = sum(input_tokens(event) + output_tokens(event) for event in events)
            return every - tokens
        case "errors":
            return sum(weight(event) for event in events if event["status"] == "error")
        case "input_tokens":
            return sum(map(input_tokens, events))
        case "output_tokens":
            return sum(map(output_tokens, events))
        case "cache_read_input_tokens":
            return sum(event["cache_read_input_tokens"] for event in events)
        case "users":
            return len(users)
        case "cost_per_request":
            return cost / len(priced) if priced else None
        case "cost_per_user":
            theirs = [event["effective_cost"] for event in priced if event["user_id"]]
            return sum(theirs, Decimal(0)) / len(users) if theirs else None
        case "cost_per_million_tokens":
            return cost * 1_000_000 / tokens if tokens else None
        case "ttft_p95":
            return percentile([event["ttft_ms"] for event in events], 0.95)
        case _:
            fraction = int(name.removeprefix("latency_p")) / 100
            return percentile([event["latency_ms"] for event in events], fraction)


def percentile(values: list[float | None], fraction: float) -> float | None:
    """As SQL's percentile_cont."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    rank = fraction * (len(known) - 1)
    below, above = known[int(rank)], known[min(int(rank) + 1, len(known) - 1)]
    return below + (above - below) * (rank - int(rank))
