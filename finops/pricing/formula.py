"""What one request costs: the reference of ingest/sql/rating.sql, and the rating trace.

Per bucket: list = quantity × list price; effective = quantity × (the contract's own price, else
list price × (100 − discount) × 0.01). A contract's price stands in for a list price that nobody
published. The request is unpriced as a whole, never partly and never at zero, when it has no list
line, tokens in a bucket without a price, or a price per GPU-second and no GPU seconds.

Prices are in one currency here: `in_currency` brings a line into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal, Inexact, localcontext
from typing import NamedTuple

from finops.pricing.lines import BUCKETS, TOKEN_BUCKETS, PriceLine, UnitPrices

# Wide enough for 10-digit quantities × 38-digit prices × an exchange rate's 23 digits × a discount;
# refuses to round.
EXACT = Context(prec=120, traps=[Inexact])
# The source of the lines for cache hits that an organisation starts with.
DEFAULT_ESTIMATE = "default estimate"
ZERO = Decimal(0)
NO_PRICES = UnitPrices()

# Which cost column of usage_event a bucket is summed into.
COST_OF_BUCKET = {
    "uncached_input": "input_cost",
    "input_audio": "input_cost",
    "cache_read_input": "cache_read_cost",
    "cache_creation_5m_input": "cache_creation_cost",
    "cache_creation_1h_input": "cache_creation_cost",
    "text_output": "output_cost",
    "reasoning_output": "output_cost",
    "output_audio": "output_cost",
    "request": "request_cost",
    "gpu_second": "request_cost",
}


class Quantities(NamedTuple):
    """What one request used, in disjoint buckets; None GPU seconds were not reported.

    Or the sums of several requests, of which every one used each of these buckets: costs are
    linear, so that the rating of the sums is the sum of the ratings.
    """

    uncached_input: int = 0
    cache_read_input: int = 0
    cache_creation_5m_input: int = 0
    cache_creation_1h_input: int = 0
    input_audio: int = 0
    text_output: int = 0
    reasoning_output: int = 0
    output_audio: int = 0
    gpu_seconds: Decimal | None = None
    requests: int = 1


@dataclass(frozen=True, slots=True)
class RatedBucket:
    """One line of a rating trace: quantity × unit price = amount, at list and in effect."""

    bucket: str
    quantity: int | Decimal | None
    list_unit_price: Decimal | None
    list_amount: Decimal | None
    effective_unit_price: Decimal | None
    effective_amount: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Rating:
    """A rated request. All costs are None when it is unpriced; `buckets` then say for lack of
    which price."""

    buckets: tuple[RatedBucket, ...]
    is_priced: bool

    @property
    def list_cost(self) -> Decimal | None:
        return _total(bucket.list_amount for bucket in self.buckets) if self.is_priced else None

    @property
    def effective_cost(self) -> Decimal | None:
        return (
            _total(bucket.effective_amount for bucket in self.buckets) if self.is_priced else None
        )

    @property
    def lacking(self) -> tuple[str, ...]:
        """The buckets that were used and have no price, GPU time that was not reported too."""
        return tuple(each.bucket for each in self.buckets if each.effective_amount is None)

    def cost(self, column: str) -> Decimal | None:
        """One of the five parts of effective_cost, named as in usage_event."""
        if not self.is_priced:
            return None
        return _total(
            bucket.effective_amount
            for bucket in self.buckets
            if COST_OF_BUCKET[bucket.bucket] == column
        )


def rate(quantities: Quantities, list_line: PriceLine | None, contract: PriceLine | None) -> Rating:
    """Rate one request with its ledger lines. Only buckets that were used or cost are listed."""
    listed = list_line.prices if list_line else NO_PRICES
    agreed = contract.prices if contract else NO_PRICES
    named = list_price_name(list_line)
    with localcontext(EXACT):
        share = _share(contract)
        buckets = tuple(
            _rate_bucket(bucket, quantity, listed, agreed, share, named)
            for bucket, quantity in _charged(quantities, listed, agreed)
        )
    is_priced = list_line is not None and all(
        bucket.list_amount is not None and bucket.effective_amount is not None for bucket in buckets
    )
    return Rating(buckets, is_priced)


def in_currency(line: PriceLine, currency: str, factor: Decimal) -> PriceLine:
    """The line with its unit prices in another currency, exactly; a discount is one in any."""
    with localcontext(EXACT):
        prices = [None if price is None else price * factor for price in line.prices]
    return replace(line, prices=UnitPrices(*prices), currency=currency)


def unit_prices(
    list_line: PriceLine, contract: PriceLine | None
) -> tuple[list[Decimal | None], list[Decimal | None]]:
    """What one unit of each bucket costs at list and in effect; None where no price is known."""
    with localcontext(EXACT):
        agreed = contract.prices if contract else NO_PRICES
        prices = [
            _unit_prices(listed, own, _share(contract))
            for listed, own in zip(list_line.prices, agreed, strict=True)
        ]
    return [listed for listed, _ in prices], [effective for _, effective in prices]


def _share(contract: PriceLine | None) -> Decimal:
    """What a contract leaves of a list price."""
    discount = (contract.discount_percent if contract else None) or ZERO
    return (100 - discount) * Decimal("0.01")


def _unit_prices(
    listed: Decimal | None, agreed: Decimal | None, share: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    if listed is None:
        return agreed, agreed
    return listed, listed * share if agreed is None else agreed


def list_price_name(line: PriceLine | None) -> str:
    """What a line that gives the list price is called; nobody lists what a cache hit costs."""
    if line is None or line.kind != "cache_hit":
        return "list price"
    return line.source if line.source == DEFAULT_ESTIMATE else "price of a cache hit"


def _charged(
    quantities: Quantities, listed: UnitPrices, agreed: UnitPrices
) -> Iterator[tuple[str, int | Decimal | None]]:
    """Buckets with something to charge: used tokens, and prices per request and GPU-second."""
    for bucket in TOKEN_BUCKETS:
        if tokens := getattr(quantities, bucket):
            yield bucket, tokens
    if listed.request or agreed.request:
        yield "request", quantities.requests
    if listed.gpu_second or agreed.gpu_second:
        yield "gpu_second", quantities.gpu_seconds


def _rate_bucket(
    bucket: str,
    quantity: int | Decimal | None,
    listed: UnitPrices,
    agreed: UnitPrices,
    share: Decimal,
    named: str,
) -> RatedBucket:
    index = BUCKETS.index(bucket)
    why = _why(listed[index], agreed[index], share, named)
    list_price, effective_price = _unit_prices(listed[index], agreed[index], share)
    return RatedBucket(
        bucket,
        quantity,
        list_price,
        _amount(quantity, list_price),
        effective_price,
        _amount(quantity, effective_price),
        why,
    )


def _amount(quantity: int | Decimal | None, price: Decimal | None) -> Decimal | None:
    if price == 0:
        return ZERO
    return None if quantity is None or price is None else quantity * price


def _why(
    list_price: Decimal | None, agreed_price: Decimal | None, share: Decimal, named: str
) -> str:
    if agreed_price is not None:
        return "contract price" if list_price is not None else "contract price, none published"
    if list_price is None:
        return "no price known"
    return named if share == 1 else f"{named} × {share.normalize():f} by contract"


def _total(amounts: Iterator[Decimal | None]) -> Decimal:
    with localcontext(EXACT):
        return sum((amount for amount in amounts if amount is not None), ZERO)
