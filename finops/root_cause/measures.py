"""What can be explained: sums of the rollups, and ratios of such sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops.formats import count_long, duration, money_long, share_long
from finops.query import InvalidQuery, unknown
from finops.root_cause.wording import Tell

REQUESTS = {"requests": 1}
# Requests without a price are in no sum of costs.
PRICED = {"requests": 1, "unpriced_requests": -1}
TOKENS = {"input_tokens": 1, "output_tokens": 1}
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Measure:
    """`numerator` and `denominator` are columns with what they are multiplied by; a sum has no
    denominator. `kind` is as in finops.query, or "share". `without` are dimensions that say the
    same as the measure does."""

    name: str
    title: str
    kind: str
    numerator: Mapping[str, int]
    denominator: Mapping[str, int] | None = None
    of: str = ""
    without: tuple[str, ...] = ()
    per_user: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        needed = dict.fromkeys((*PRICED, *self.numerator, *(self.denominator or ())))
        return tuple(needed)

    def figures(self, columns: Sequence[str], sums: Sequence[Decimal]) -> tuple[Decimal, ...]:
        """The sum, or numerator and denominator."""
        held = dict(zip(columns, sums, strict=True))
        sides = [self.numerator] if self.denominator is None else [self.numerator, self.denominator]
        return tuple(
            sum((held[name] * times for name, times in side.items()), Decimal(0)) for side in sides
        )

    def tell(self, currency: str) -> Tell:
        if self.kind == "money":
            return lambda number: money_long(number, currency)
        if self.kind == "share":
            return lambda number: share_long(number, 1)
        if self.kind == "milliseconds":
            return duration
        return count_long if self.denominator is None else lambda number: f"{number:,.1f}"


MEASURES = {
    each.name: each
    for each in (
        Measure("effective_cost", "Cost", "money", {"effective_cost": 1}),
        Measure("requests", "Requests", "count", REQUESTS),
        Measure("tokens", "Tokens", "count", TOKENS),
        Measure("errors", "Errors", "count", {"errors": 1}, without=("status",)),
        Measure(
            "cost_per_request",
            "Cost per request",
            "money",
            {"effective_cost": 1},
            PRICED,
            "priced requests",
        ),
        Measure(
            "cost_per_million_tokens",
            "Cost per million tokens",
            "money",
            {"effective_cost": MILLION},
            {**TOKENS, "unpriced_tokens": -1},
            "priced tokens",
        ),
        Measure("tokens_per_request", "Tokens per request", "count", TOKENS, REQUESTS, "requests"),
        Measure(
            "error_share",
            "Share of errors",
            "share",
            {"errors": 1},
            REQUESTS,
            "requests",
            without=("status",),
        ),
        Measure(
            "cache_hit_share",
            "Share of cached input",
            "share",
            {"cache_read_input_tokens": 1},
            {"input_tokens": 1},
            "input tokens",
        ),
        Measure(
            "latency_mean",
            "Mean latency",
            "milliseconds",
            {"latency_sum_ms": 1},
            {"latency_count": 1},
            "timed requests",
            without=("latency_tier",),
            per_user=False,
        ),
    )
}


def measure_named(name: str) -> Measure:
    """Raises InvalidQuery."""
    if name not in MEASURES:
        raise InvalidQuery("measure", unknown("measure", name, tuple(MEASURES)))
    return MEASURES[name]
