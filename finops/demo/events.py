"""The demo's days as events, in the schema of the door they are sent to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from finops.demo import figures, simulator
from finops.demo.company import FEATURES, SERVICES, Feature
from finops.demo.incidents import features_on
from finops.demo.simulator import NO_HIT, REGIONS, Requests
from finops.demo.traffic import Floats
from ingest.events import Event

STATUSES = ("ok", "error", "throttled", "aborted")
ENVIRONMENTS = ("production", "staging", "development")
DETACHED_TIERS = ("batch",)
ENTERPRISE_CUSTOMERS, PAYING_CUSTOMERS = 20, 250
# Requests of all features on a day of the week before the anchor.
MEAN_DAY = sum(feature.requests * (5 + 2 * feature.weekend) / 7 for feature in FEATURES)


class DemoEvent(Event, omit_defaults=True, gc=False, frozen=True):
    """An event that leaves out what it does not say."""


def scale_of(requests: int, days: int) -> float:
    """How much larger or smaller the company is than company.py says, for this many requests."""
    return requests / (MEAN_DAY * days)


def days_until(now: datetime, days: int) -> list[date]:
    """The UTC days of the `days` × 24 hours before `now`, the first one whole."""
    first = (now - timedelta(days=days)).astimezone(UTC).date()
    return [first + timedelta(days=n) for n in range((now.astimezone(UTC).date() - first).days + 1)]


def events_on(
    day: date, *, anchor: date, seed: int, scale: float, until: datetime
) -> dict[str, list[DemoEvent]]:
    """Service → its events of one UTC day before `until`.

    An event depends on the arguments before `until` alone, so the rest of a day can be sent later.
    """
    found: dict[str, list[DemoEvent]] = {service.name: [] for service in SERVICES}
    for index, feature in enumerate(features_on(day, anchor)):
        requests = simulator.simulate(feature, index, day, anchor=anchor, seed=seed, scale=scale)
        columns = columns_of(feature, index, requests, day, seed)
        kept = np.searchsorted(requests.seconds, seconds_until(day, until))
        found[feature.service] += rows(columns, int(kept))
    return found


def seconds_until(day: date, until: datetime) -> float:
    return (until - datetime.combine(day, time(), UTC)).total_seconds()


def rows(columns: dict[str, Sequence[Any]], count: int) -> Iterator[DemoEvent]:
    blank = [None] * count
    in_order = (columns.get(name, blank)[:count] for name in DemoEvent.__struct_fields__)
    return (DemoEvent(*row) for row in zip(*in_order, strict=True))


def columns_of(
    feature: Feature, index: int, requests: Requests, day: date, seed: int
) -> dict[str, Sequence[Any]]:
    count = len(requests)
    midnight = datetime.combine(day, time(), UTC)
    offers = [feature.offers[offer] for offer in requests.offers]
    columns: dict[str, Sequence[Any]] = {
        "id": [f"{seed}-{day:%Y%m%d}-{index:02d}-{number:05d}" for number in range(count)],
        "timestamp": [
            midnight + timedelta(milliseconds=ms)
            for ms in (requests.seconds * 1000).astype(int).tolist()
        ],
        "provider": [offer.provider for offer in offers],
        "model": [offer.model for offer in offers],
        "operation": [feature.operation] * count,
        "region": [REGIONS[region] for region in requests.regions],
        "environment": [ENVIRONMENTS[number] for number in requests.environments],
        "status": [STATUSES[status] for status in requests.statuses],
        "cache": [figures.HIT_LEVELS[hit] if hit != NO_HIT else None for hit in requests.hits],
        "prompt_hash": prompt_hashes(requests, index),
        **owners(feature, requests, day),
        **token_columns(feature, requests),
        **timings(feature, requests),
        **answers(feature, requests),
    }
    return columns


def prompt_hashes(requests: Requests, index: int) -> list[str]:
    """Equal prompts of one feature have equal hashes: an odd factor keeps numbers distinct."""
    prompts = requests.prompts.astype(np.uint64) * np.uint64(64) + np.uint64(index)
    return [f"{number:016x}" for number in (prompts * np.uint64(0x9E3779B97F4A7C15)).tolist()]


def owners(feature: Feature, requests: Requests, day: date) -> dict[str, Sequence[Any]]:
    count = len(requests)
    owned: dict[str, Sequence[Any]] = {}
    if feature.name:
        owned["feature"] = [feature.name] * count
        owned["team"] = [feature.team] * count
    if feature.users.prefix:
        names = user_names(feature)
        owned["user"] = [
            None if missing else names[user]
            for user, missing in zip(requests.users, requests.userless, strict=True)
        ]
    if feature.sessions:
        owned["session"] = [f"{feature.users.prefix}-{day:%m%d}-{n}" for n in requests.sessions]
    if feature.variants:
        owned["variant"] = [feature.variants[variant] for variant in requests.variants]
    if feature.plans:
        release = f"{day.isocalendar().year}.{day.isocalendar().week:02d}"
        tags = {plan: {"plan": plan, "release": release} for plan in ("enterprise", "pro", "free")}
        owned["tags"] = [tags[plan_of(user)] for user in requests.users]
    return owned


def user_names(feature: Feature) -> list[str]:
    prefix, size, _ = feature.users
    return [prefix] if size == 1 else [f"{prefix}-{number:04d}" for number in range(1, size + 1)]


def plan_of(user: int) -> str:
    if user < ENTERPRISE_CUSTOMERS:
        return "enterprise"
    return "pro" if user < PAYING_CUSTOMERS else "free"


def token_columns(feature: Feature, requests: Requests) -> dict[str, Sequence[Any]]:
    given, cached = requests.input_tokens, requests.cached_tokens
    tokens: dict[str, Sequence[Any]] = {
        "input_tokens": given.tolist(),
        "output_tokens": requests.output_tokens.tolist(),
    }
    if cached.any():
        tokens["cache_read_input_tokens"] = cached.tolist()
    if feature.cache_writes:
        tokens["cache_creation_input_tokens"] = (given - cached).tolist()
    if requests.reasoning_tokens.any():
        tokens["reasoning_output_tokens"] = requests.reasoning_tokens.tolist()
    if feature.audio_share:
        tokens["input_audio_tokens"] = (given * feature.audio_share).astype(int).tolist()
    return tokens


def timings(feature: Feature, requests: Requests) -> dict[str, Sequence[Any]]:
    """Latency, time to first token and stages: of the cache for hits, of the model otherwise."""
    stages = {name: values.round(1) for name, values in requests.stages_ms.items()}
    first = sum(values for name, values in stages.items() if name not in ("decode", "postprocess"))
    whole = first + stages["decode"] + stages["postprocess"]
    if feature.service_tier in DETACHED_TIERS:
        # A batch answers when it is done: five minutes to four hours later.
        return {"latency_ms": (300_000 + whole * 97 % 14_100_000).round(1).tolist()}
    throttled = requests.statuses == simulator.THROTTLED
    hit = requests.hits != NO_HIT
    whole = np.where(throttled, stages["gateway"] + stages["network"], whole)
    whole = np.where(hit, hit_latency(requests), whole)
    streamed = (~hit & (requests.statuses == simulator.OK) & (requests.output_tokens > 0)).tolist()
    names = tuple(stages)
    parts = zip(*(values.tolist() for values in stages.values()), strict=True)
    found: dict[str, Sequence[Any]] = {
        "latency_ms": whole.round(2).tolist(),
        "ttft_ms": [
            value if streaming else None
            for value, streaming in zip(np.round(first, 1).tolist(), streamed, strict=True)
        ],
        "stages_ms": [
            dict(zip(names, part, strict=True)) if streaming else None
            for part, streaming in zip(parts, streamed, strict=True)
        ],
    }
    if feature.fleet:
        found |= fleet_columns(feature, stages, ~throttled)
    return found


def hit_latency(requests: Requests) -> Floats:
    """A point inside the level's range of hit latencies; where, the gateway's time says."""
    low, high = np.array([figures.HIT_LATENCY_MS[level] for level in figures.HIT_LEVELS]).T
    place = (requests.stages_ms["gateway"] - figures.GATEWAY_MS[0]) / (
        figures.GATEWAY_MS[1] - figures.GATEWAY_MS[0]
    )
    level = np.maximum(requests.hits, 0)
    found: Floats = low[level] + place * (high[level] - low[level])
    return found


def fleet_columns(
    feature: Feature, stages: dict[str, Floats], reached: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, Sequence[Any]]:
    """GPU time: the prompt's own, and this request's part of the decoding batch it shared."""
    milliseconds = stages["prefill"] + stages["decode"] / figures.FLEET_DECODE_BATCH
    seconds = np.where(reached, milliseconds * feature.gpus / 1000, 0).tolist()
    return {
        "fleet": [feature.fleet] * len(seconds),
        "gpu_seconds": [Decimal(f"{value:.4f}") for value in seconds],
    }


def answers(feature: Feature, requests: Requests) -> dict[str, Sequence[Any]]:
    found: dict[str, Sequence[Any]] = {}
    if feature.service_tier:
        found["service_tier"] = [feature.service_tier] * len(requests)
    if feature.scored:
        found["quality"] = [
            None if score != score else round(score, 3) for score in requests.quality.tolist()
        ]
    if any(feature.reported_prices):
        per_input, per_output = feature.reported_prices
        reported = requests.input_tokens * per_input + requests.output_tokens * per_output
        found["reported_cost"] = [Decimal(f"{value:.6f}") for value in reported.tolist()]
    return found
