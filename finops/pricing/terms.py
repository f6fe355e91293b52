"""Terms an operator states by hand → the unit prices of a complete ledger line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from finops.pricing.lines import TOKEN_BUCKETS, UnitPrices

MILLION = Decimal("0.000001")
# The ledger's unit prices have this many decimals; a price per GPU-hour rarely divides evenly.
SMALLEST = Decimal("1E-30")
# A bucket without its own self-hosted price is charged like the one it is a part of.
PARENTS = {
    "cache_read_input": "uncached_input",
    "cache_creation_5m_input": "uncached_input",
    "cache_creation_1h_input": "uncached_input",
    "input_audio": "uncached_input",
    "reasoning_output": "text_output",
    "output_audio": "text_output",
}


def unit_price(name: str, amount: Decimal) -> tuple[str, Decimal] | None:
    """`text_output_price_per_million` or `gpu_hour_price` → (column, USD per single unit)."""
    column = name.removesuffix("_per_million")
    if column != name and column.removesuffix("_price") in TOKEN_BUCKETS:
        return column, amount * MILLION
    if name == "gpu_hour_price":
        with localcontext(prec=60):
            return "gpu_second_price", (amount / 3600).quantize(SMALLEST, ROUND_HALF_EVEN)
    return None


def complete(kind: str, prices: UnitPrices) -> UnitPrices:
    """Spell out what a line leaves to be understood.

    A response-cache hit uses no model: its tokens are free. On own hardware a part costs what its
    whole costs, and tokens are free where time or requests are what is paid for. A contract's
    gaps stay: they are the list price's.
    """
    if kind == "cache_hit":
        return prices._replace(**dict.fromkeys(TOKEN_BUCKETS, Decimal(0)))
    if kind != "self_hosted":
        return prices
    paid_otherwise = prices.request is not None or prices.gpu_second is not None
    default = Decimal(0) if paid_otherwise else None
    filled: Mapping[str, Decimal | None] = {
        bucket: _first(
            getattr(prices, bucket), getattr(prices, PARENTS.get(bucket, bucket)), default
        )
        for bucket in TOKEN_BUCKETS
    }
    return prices._replace(**filled)


def _first(*prices: Decimal | None) -> Decimal | None:
    return next((price for price in prices if price is not None), None)
