"""One feature's requests of one day as arrays. The same seed, day and feature give the same day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from finops.demo import figures, traffic
from finops.demo.company import Feature
from finops.demo.traffic import Floats, Integers

Booleans = NDArray[np.bool_]

OK, ERROR, THROTTLED, ABORTED = 0, 1, 2, 3
NO_HIT = -1
# Users live in three regions; hours of work are local.
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
REGION_OF_TENTH = np.array((0, 0, 0, 0, 0, 1, 1, 1, 1, 2))
UTC_OFFSET_SECONDS = np.array((-5, 1, 10)) * 3600
SESSION_SECONDS = 3 * 3600
ENVIRONMENT_SHARES = (0.94, 0.04, 0.02)
# A request without a user: most likely a script. Assumed; the traces name no users.
USERLESS_SHARE = 0.02
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Requests:
    """Columns of equal length, ascending by `seconds` of the UTC day."""

    seconds: Floats
    users: Integers
    userless: Booleans
    regions: Integers
    environments: Integers
    sessions: Integers
    offers: Integers
    variants: Integers
    prompts: Integers
    hits: Integers  # index into figures.HIT_LEVELS, or NO_HIT
    statuses: Integers
    input_tokens: Integers
    cached_tokens: Integers
    output_tokens: Integers
    reasoning_tokens: Integers
    stages_ms: dict[str, Floats]
    quality: Floats  # NaN: not scored

    def __len__(self) -> int:
        return len(self.seconds)


def simulate(
    feature: Feature, index: int, day: date, *, anchor: date, seed: int, scale: float
) -> Requests:
    rng = np.random.default_rng((seed, day.toordinal(), index))
    count = count_on(rng, feature, day, anchor, scale)
    users = traffic.ranks(rng, feature.users.size, feature.users.zipf, count)
    regions = REGION_OF_TENTH[users % 10]
    local = rng.permutation(traffic.arrivals(rng, feature.hours, count))
    seconds = (local - UTC_OFFSET_SECONDS[regions]) % traffic.DAY_SECONDS
    order = np.argsort(seconds, kind="stable")
    seconds, users, regions = seconds[order], users[order], regions[order]

    sessions = users * 8 + (seconds // SESSION_SECONDS).astype(np.int64)
    shares = np.array([offer.share for offer in feature.offers])
    offers = rng.choice(len(shares), count, p=shares / shares.sum())
    variants = rng.integers(0, max(len(feature.variants), 1), count)
    prompts = draw_prompts(rng, feature, count)
    hits = draw_hits(rng, feature, prompts)
    statuses = draw_statuses(rng, hits)
    tokens = draw_tokens(rng, feature, sessions, variants, statuses, hits)
    return Requests(
        seconds=seconds,
        users=users,
        userless=rng.random(count) < USERLESS_SHARE,
        regions=regions,
        environments=rng.choice(len(ENVIRONMENT_SHARES), count, p=ENVIRONMENT_SHARES),
        sessions=sessions,
        offers=offers,
        variants=variants,
        prompts=prompts,
        hits=hits,
        statuses=statuses,
        **tokens,
        stages_ms=draw_stages(rng, feature, offers, tokens),
        quality=draw_quality(rng, feature, offers, variants, (statuses == OK) & (hits == NO_HIT)),
    )


def count_on(
    rng: np.random.Generator, feature: Feature, day: date, anchor: date, scale: float
) -> int:
    expected = feature.requests * scale
    if day.weekday() >= SATURDAY:
        expected *= feature.weekend
    expected *= math.exp(feature.growth * (day - anchor).days / 30)
    return round(expected * math.exp(figures.DAY_LOG_SD * rng.standard_normal()))


def draw_prompts(rng: np.random.Generator, feature: Feature, count: int) -> Integers:
    if feature.prompts:
        return traffic.ranks(rng, feature.prompts, 1.0, count)
    return rng.integers(1 << 32, 1 << 62, count)


def draw_hits(rng: np.random.Generator, feature: Feature, prompts: Integers) -> Integers:
    """Which level of the response cache answered. Only a prompt seen before today can be a hit."""
    repeated = np.ones(len(prompts), bool)
    repeated[np.unique(prompts, return_index=True)[1]] = False
    levels = rng.choice(len(figures.LEVEL_SHARE), len(prompts), p=figures.LEVEL_SHARE)
    hit = repeated & (rng.random(len(prompts)) < feature.cacheable)
    return np.where(hit, levels, NO_HIT)


def draw_statuses(rng: np.random.Generator, hits: Integers) -> Integers:
    failing = (figures.ERROR_SHARE, figures.THROTTLED_SHARE, figures.ABORTED_SHARE)
    statuses = rng.choice(4, len(hits), p=(1 - sum(failing), *failing))
    return np.where(hits == NO_HIT, statuses, OK)


def draw_tokens(
    rng: np.random.Generator,
    feature: Feature,
    sessions: Integers,
    variants: Integers,
    statuses: Integers,
    hits: Integers,
) -> dict[str, Integers]:
    """Token columns; failed calls answer nothing, throttled ones never reached the model."""
    work, count = feature.workload, len(sessions)
    given = traffic.draw(rng, work.input_tokens, count) * feature.input_scale
    share = traffic.draw_shares(rng, work.cached_share, count)
    if feature.sessions:
        given, share = traffic.growing(given, sessions), traffic.growing(share, sessions)
    # The second variant is the one with the trimmed prompt.
    given = np.where(variants == 1, given * 0.62, given)
    answered = traffic.draw(rng, work.output_tokens, count) * feature.output_scale
    answered = np.where(statuses == ABORTED, answered * rng.random(count), answered)
    answered = np.where((statuses == ERROR) | (statuses == THROTTLED), 0, answered)
    given = np.where(statuses == THROTTLED, 0, given)
    lost = (rng.random(count) < feature.cache_loss) | (hits != NO_HIT)
    input_tokens = given.astype(np.int64)
    output_tokens = np.ceil(answered).astype(np.int64)
    reasoning = traffic.draw_shares(rng, work.reasoning_share, count)
    return {
        "input_tokens": input_tokens,
        "cached_tokens": np.where(lost, 0, input_tokens * share).astype(np.int64),
        "output_tokens": output_tokens,
        "reasoning_tokens": (output_tokens * reasoning).astype(np.int64),
    }


def draw_stages(
    rng: np.random.Generator, feature: Feature, offers: Integers, tokens: dict[str, Integers]
) -> dict[str, Floats]:
    """Milliseconds of each part of a request that reaches its model."""
    count = len(offers)
    speeds = np.array([(o.speed.base, o.speed.uncached, o.speed.cached, o.speed.output)
                       for o in feature.offers])[offers]  # fmt: skip
    base, per_uncached, per_cached, per_output = speeds.T
    uncached = tokens["input_tokens"] - tokens["cached_tokens"]
    prefill = base + (per_uncached * uncached + per_cached * tokens["cached_tokens"]) / 1000
    stages = {
        "gateway": traffic.between(rng, figures.GATEWAY_MS, count),
        "network": 12 * traffic.noise(rng, count),
        "prefill": prefill * traffic.noise(rng, count),
        "decode": per_output * tokens["output_tokens"] * traffic.noise(rng, count),
        "postprocess": traffic.between(rng, figures.POSTPROCESS_MS, count),
    }
    if feature.retrieval:
        stages["retrieval"] = traffic.between(rng, figures.RETRIEVAL_MS, count)
    return stages


def draw_quality(
    rng: np.random.Generator,
    feature: Feature,
    offers: Integers,
    variants: Integers,
    answered: Booleans,
) -> Floats:
    """Scores of a sample of the answers; later offers and variants are a little worse."""
    mean = 0.90 - 0.03 * offers - 0.012 * variants
    scores = np.clip(rng.normal(mean, 0.06), 0, 1)
    return np.where(answered & (rng.random(len(offers)) < feature.scored), scores, np.nan)
