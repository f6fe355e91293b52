"""Requests with the ledger lines they are rated with, drawn at random, and what they cost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from finops.pricing.formula import COST_OF_BUCKET, Quantities, Rating
from finops.pricing.lines import BUCKETS, PriceLine, UnitPrices

COST_COLUMNS = (*dict.fromkeys(COST_OF_BUCKET.values()), "effective_cost", "list_cost")


def costs_of(rating: Rating) -> tuple[Decimal | None, ...]:
    parts = [rating.cost(column) for column in COST_COLUMNS[:-2]]
    return (*parts, rating.effective_cost, rating.list_cost)


tokens = st.just(0) | st.integers(1, 5_000) | st.integers(1, 1_000_000_000)
quantities = st.builds(
    Quantities,
    *[tokens] * 8,
    gpu_seconds=st.none() | st.decimals(0, 1000, places=3),
    requests=st.just(1),
)
unit_prices = st.builds(UnitPrices, *[st.none() | st.decimals(0, 1, places=18)] * len(BUCKETS))
list_lines = unit_prices.map(lambda prices: PriceLine("catalog", "p", "m", prices))
contract_lines = st.builds(
    PriceLine,
    st.just("contract"),
    st.just("*"),
    st.just("*"),
    unit_prices | st.just(UnitPrices()),
    discount_percent=st.none() | st.decimals("0.0001", 100, places=4),
)
priced_requests = st.tuples(quantities, st.none() | list_lines, st.none() | contract_lines)
