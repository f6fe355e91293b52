"""Metrics from sums: ratios are taken from sums, percentiles from merged histograms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from finops.costs.results import Value
from finops.histograms import Histogram

PERCENTILES = {
    "latency_p50": ("latency_histogram", 0.50),
    "latency_p95": ("latency_histogram", 0.95),
    "latency_p99": ("latency_histogram", 0.99),
    "ttft_p95": ("ttft_histogram", 0.95),
}
COSTS = {
    "effective_cost": "effective_cost",
    "list_cost": "list_cost",
    # What is billed differs from what is used once there are commitments.
    "billed_cost": "effective_cost",
}
# The sums that a metric is made of, beside the requests and the unpriced ones.
NEEDS = {
    "cost_per_request": ("effective_cost",),
    # Of the requests that name a user: see distinct_users.py.
    "cost_per_user": (),
    "cost_per_million_tokens": (
        "effective_cost",
        "input_tokens",
        "output_tokens",
        "unpriced_tokens",
    ),
    "users": (),
    **dict.fromkeys(PERCENTILES, ()),
}
# Sums of money must not be rounded, however large and fine they are.
EXACT_DIGITS = 120
# A ratio of money is a figure to read, not one to add up: this many digits are plenty.
RATIO_DIGITS = 18


@dataclass(slots=True)
class Sums:
    """What was added up over the events of one group: counts are whole, costs may be fractions."""

    sums: dict[str, Decimal]
    histograms: dict[str, Histogram] = field(default_factory=dict)
    users: int | None = None
    # Of the requests that name a user; what other requests cost is nobody's.
    users_cost: Decimal | None = None

    def count(self, name: str) -> int:
        return int(self.sums[name])

    @property
    def priced_requests(self) -> int:
        return self.count("requests") - self.count("unpriced_requests")


def added(parts: Sequence[Sums]) -> Sums:
    """Of groups that are one, without their users."""
    with localcontext(prec=EXACT_DIGITS):
        return Sums(
            {name: sum((each.sums[name] for each in parts), Decimal(0)) for name in parts[0].sums},
            {
                name: Histogram.merged(each.histograms[name] for each in parts)
                for name in parts[0].histograms
            },
        )


def needed_columns(names: Iterable[str]) -> tuple[str, ...]:
    """The columns of the rollups to add up, without histograms."""
    columns = {"requests": None, "unpriced_requests": None}
    for name in names:
        columns.update(dict.fromkeys(NEEDS.get(name, (COSTS.get(name, name),))))
    return tuple(columns)


def needed_histograms(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(PERCENTILES[name][0] for name in names if name in PERCENTILES))


def derive(names: Iterable[str], sums: Sums) -> dict[str, Value]:
    return {name: value_of(name, sums) for name in names}


def value_of(name: str, sums: Sums) -> Value:
    if name in COSTS:
        return known_cost(sums, COSTS[name])
    if name in PERCENTILES:
        histogram, fraction = PERCENTILES[name]
        return sums.histograms[histogram].percentile(fraction)
    if name == "users":
        return sums.users
    if name == "cost_per_request":
        return ratio(sums.sums["effective_cost"], sums.priced_requests)
    if name == "cost_per_million_tokens":
        tokens = sums.count("input_tokens") + sums.count("output_tokens")
        priced_tokens = tokens - sums.count("unpriced_tokens")
        return ratio(sums.sums["effective_cost"], priced_tokens, times=1_000_000)
    if name == "cost_per_user":
        return ratio(sums.users_cost, sums.users)
    return sums.count(name)


def known_cost(sums: Sums, name: str) -> Decimal | None:
    """The cost of the requests that have a price; None where there are requests and none has."""
    is_unknown = sums.count("requests") > 0 and sums.priced_requests == 0
    return None if is_unknown else sums.sums[name]


def ratio(cost: Decimal | None, count: int | None, times: int = 1) -> Decimal | None:
    if cost is None or not count:
        return None
    with localcontext(prec=RATIO_DIGITS):
        return cost / count * times


def rank(value: Value, keys: tuple[object, ...]) -> tuple[bool, float | Decimal, str]:
    """Sorts the largest first, the unknown last, equals by name."""
    return value is None, -value if value is not None else 0, str(keys)
