"""One side of a comparison: what a group used in one of the two periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import TypeVar

Amount = TypeVar("Amount", int | Decimal, Decimal)
# Whole, but for what is taken in proportion.
Count = int | Decimal

# Sums of money must not be rounded; a ratio that does not end is carried this far.
DIGITS = 120
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Scheme:
    """What is known of tokens: part of the bridge → the buckets whose sum is that length.

    `price` is the part that takes what a token costs, `shift` the one that takes how a length
    divides into its buckets; "" where each length is one bucket.
    """

    lengths: Mapping[str, tuple[str, ...]]
    price: str
    shift: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """All parts of a bridge, in the order in which they are read."""
        shift = (self.shift,) if self.shift else ()
        before = ("days", "volume", "mix", *self.lengths, *shift, self.price)
        return (*before, "discount", "per_request", "unpriced", "rest")

    @property
    def buckets(self) -> tuple[str, ...]:
        return tuple(name for names in self.lengths.values() for name in names)


# As rollups by hour and day hold it.
BY_BUCKET = Scheme(
    {
        "input_length": ("uncached_input", "cache_read_input", "cache_creation_input"),
        "output_length": ("output",),
    },
    price="price",
    shift="cache",
)
# As rollups by user hold it: all tokens alike, and so prices, the cache and the share of output in
# one part.
BY_TOKEN = Scheme({"length": ("tokens",)}, price="rate")


@dataclass(frozen=True, slots=True)
class Side:
    """Sums over a group's requests. `tokens` (of all of them, by bucket) and `costs` (effective, by
    bucket) follow a scheme; `unpriced_tokens` are those of requests without a price, of whichever
    bucket; `per_request` is the effective cost that is asked by the request or by GPU time."""

    requests: Count = 0
    unpriced_requests: Count = 0
    tokens: Mapping[str, Count] = field(default_factory=dict)
    unpriced_tokens: Count = 0
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    per_request: Decimal = ZERO
    effective_cost: Decimal = ZERO
    list_cost: Decimal = ZERO

    @property
    def priced_requests(self) -> Count:
        return self.requests - self.unpriced_requests

    @property
    def known_cost(self) -> Decimal | None:
        """None where there are requests and none has a price."""
        is_unknown = self.requests and not self.priced_requests and not self.effective_cost
        return None if is_unknown else self.effective_cost

    @property
    def priced_share_of_tokens(self) -> Decimal:
        """Where only some requests have a price, their tokens are taken to divide into buckets as
        all do."""
        every = sum(self.tokens.values())
        return Decimal(every - self.unpriced_tokens) / every if every else Decimal(1)

    def taken(self, times: Decimal, cost: Decimal) -> Side:
        """So many times as much of everything, at a cost that is this times but for its rounding:
        what a request has and what a token costs is as it was."""
        with localcontext(prec=DIGITS):
            if self.effective_cost:
                times = cost / self.effective_cost
            return Side(
                requests=self.requests * times,
                unpriced_requests=self.unpriced_requests * times,
                tokens={name: count * times for name, count in self.tokens.items()},
                unpriced_tokens=self.unpriced_tokens * times,
                costs={name: amount * times for name, amount in self.costs.items()},
                per_request=self.per_request * times,
                effective_cost=cost,
                list_cost=self.list_cost * times,
            )


NOTHING = Side()


def sum_of(sides: Iterable[Side]) -> Side:
    """Of several groups as one."""
    every = list(sides)
    with localcontext(prec=DIGITS):
        return Side(
            requests=sum(each.requests for each in every),
            unpriced_requests=sum(each.unpriced_requests for each in every),
            tokens=added([each.tokens for each in every], 0),
            unpriced_tokens=sum(each.unpriced_tokens for each in every),
            costs=added([each.costs for each in every], ZERO),
            per_request=sum((each.per_request for each in every), ZERO),
            effective_cost=sum((each.effective_cost for each in every), ZERO),
            list_cost=sum((each.list_cost for each in every), ZERO),
        )


def added(parts: Iterable[Mapping[str, Amount]], nothing: Amount) -> dict[str, Amount]:
    """Name by name."""
    found: dict[str, Amount] = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found.get(name, nothing) + amount
    return found
