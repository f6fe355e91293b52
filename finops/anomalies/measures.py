"""What is watched of a series: the values of its steps, and what a departure of them costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops.models import Anomaly

Metric = Anomaly.Metric
MILLION = 1_000_000
# A ratio of fewer requests says more of chance than of anything else.
LEAST_REQUESTS = 20
# Where more of the requests have no price, the others' cost says nothing of all of them.
MOST_UNPRICED = Decimal("0.1")
# What reading a token from the cache saves of it: prices differ, from a half to nine tenths.
CACHE_SAVING = Decimal("0.5")
SUMMED = frozenset({Metric.COST, Metric.REQUESTS, Metric.ERRORS})
BY_SCALE = {
    "minute": (Metric.COST, Metric.REQUESTS, Metric.ERRORS),
    "hour": (
        *(Metric.COST, Metric.REQUESTS, Metric.TOKENS, Metric.UNIT_PRICE),
        *(Metric.CACHE_SHARE, Metric.ERROR_SHARE, Metric.LATENCY),
    ),
    "day": (
        *(Metric.COST, Metric.REQUESTS, Metric.TOKENS, Metric.UNIT_PRICE),
        *(Metric.CACHE_SHARE, Metric.ERROR_SHARE),
    ),
}
KINDS = {
    Metric.COST: "money",
    Metric.REQUESTS: "count",
    Metric.ERRORS: "count",
    Metric.TOKENS: "count",
    Metric.UNIT_PRICE: "money",
    Metric.CACHE_SHARE: "share",
    Metric.ERROR_SHARE: "share",
    Metric.LATENCY: "milliseconds",
}


@dataclass(slots=True)
class Step:
    """What was used in one step of time; `cost` is that of priced requests."""

    requests: int = 0
    unpriced_requests: int = 0
    errors: int = 0
    tokens: int = 0  # input and output
    unpriced_tokens: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cost: Decimal = Decimal(0)
    latency_p95: float | None = None

    def add(self, other: Step) -> None:
        self.requests += other.requests
        self.unpriced_requests += other.unpriced_requests
        self.errors += other.errors
        self.tokens += other.tokens
        self.unpriced_tokens += other.unpriced_tokens
        self.input_tokens += other.input_tokens
        self.cached_tokens += other.cached_tokens
        self.cost += other.cost


def summed(steps: Iterable[Step]) -> Step:
    found = Step()
    for each in steps:
        found.add(each)
    return found


def value(metric: Metric, step: Step, least: int = LEAST_REQUESTS) -> Decimal | None:
    """None where it is not known, as a ratio of nothing or the cost of what has no price."""
    if metric in (Metric.COST, Metric.UNIT_PRICE) and is_unpriced(step):
        return None
    if metric == Metric.COST:
        return step.cost
    if metric == Metric.REQUESTS:
        return Decimal(step.requests)
    if metric == Metric.ERRORS:
        return Decimal(step.errors)
    if metric == Metric.LATENCY:
        is_few = step.latency_p95 is None or step.requests < least
        return None if is_few else Decimal(str(step.latency_p95))
    part, whole = ratio(metric, step)
    return None if whole <= 0 or step.requests < least else part / whole


def is_unpriced(step: Step) -> bool:
    return step.unpriced_requests > step.requests * MOST_UNPRICED


def ratio(metric: Metric, step: Step) -> tuple[Decimal, Decimal]:
    """What is divided by what; shares are of 1."""
    if metric == Metric.TOKENS:
        return Decimal(step.tokens), Decimal(step.requests)
    if metric == Metric.UNIT_PRICE:
        return step.cost * MILLION, Decimal(step.tokens - step.unpriced_tokens)
    if metric == Metric.CACHE_SHARE:
        return Decimal(step.cached_tokens), Decimal(step.input_tokens)
    return Decimal(step.errors), Decimal(step.requests)


def weight(metric: Metric, step: Step) -> Decimal:
    """How much a step counts where expectations of several are one."""
    if metric in SUMMED:
        return Decimal(1)
    return Decimal(step.requests) if metric == Metric.LATENCY else ratio(metric, step)[1]


def together(
    metric: Metric, steps: Sequence[Step], expected: Sequence[float | None]
) -> tuple[Decimal, Decimal] | None:
    """Actual and expected of several steps as one: sums of what adds up, else the ratio over all of
    them. None where nothing of both is known."""
    held = [
        (step, known, Decimal(str(wanted)))
        for step, wanted in zip(steps, expected, strict=True)
        if wanted is not None
        and math.isfinite(wanted)
        and (known := value(metric, step, 1)) is not None
    ]
    if not held:
        return None
    if metric in SUMMED:
        return sum((a for _, a, _ in held), Decimal(0)), sum((e for _, _, e in held), Decimal(0))
    weights = [max(weight(metric, step), Decimal(0)) for step, _, _ in held]
    whole = sum(weights, Decimal(0))
    if not whole:
        return None
    pairs = list(zip(held, weights, strict=True))
    actual = sum((known * each for (_, known, _), each in pairs), Decimal(0)) / whole
    return actual, sum((wanted * each for (_, _, wanted), each in pairs), Decimal(0)) / whole


def impact(metric: Metric, whole: Step, actual: Decimal, expected: Decimal) -> Decimal | None:
    """What the departure has cost, in money; less than zero where it saved. None where that is not
    known: what slowness costs, or errors of what has no price, is in no bill.

    Requests, errors and tokens are counted at what the others of the same steps have cost.
    """
    difference = actual - expected
    if metric == Metric.COST:
        return difference
    priced = whole.requests - whole.unpriced_requests
    tokens = whole.tokens - whole.unpriced_tokens
    if metric in (Metric.REQUESTS, Metric.ERRORS, Metric.ERROR_SHARE):
        if priced <= 0:
            return None
        requests = difference * whole.requests if metric == Metric.ERROR_SHARE else difference
        return requests * whole.cost / priced
    if tokens <= 0 or metric == Metric.LATENCY:
        return None
    token = whole.cost / tokens
    if metric == Metric.TOKENS:
        return difference * whole.requests * token
    if metric == Metric.UNIT_PRICE:
        return difference * tokens / MILLION
    return -difference * whole.input_tokens * token * CACHE_SAVING
