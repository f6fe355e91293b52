"""What a request costs by its price lines: the rules, each by an example worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from finops.pricing.formula import Quantities, rate
from finops.pricing.lines import PriceLine, UnitPrices


def line(kind: str = "catalog", **prices: str) -> PriceLine:
    return PriceLine(kind, "p", "m", UnitPrices(**{k: Decimal(v) for k, v in prices.items()}))


PRICED = line(uncached_input="0.00003", cache_read_input="0.000003", text_output="0.00006")


def test_cached_tokens_are_not_billed_twice() -> None:
    rating = rate(Quantities(uncached_input=100, cache_read_input=900), PRICED, None)
    assert rating.effective_cost == Decimal("0.0057")
    assert [(b.bucket, b.quantity, b.effective_amount) for b in rating.buckets] == [
        ("uncached_input", 100, Decimal("0.00300")),
        ("cache_read_input", 900, Decimal("0.002700")),
    ]


def test_a_discount_is_exact() -> None:
    contract = replace(line("contract"), discount_percent=Decimal("12.3457"))
    rating = rate(Quantities(uncached_input=333, text_output=7), PRICED, contract)
    assert rating.list_cost == Decimal("0.01041")
    assert rating.effective_cost == Decimal("0.01041") * Decimal("0.876543")
    assert rating.buckets[0].why == "list price × 0.876543 by contract"


def test_a_contract_price_overrides_its_bucket_and_the_discount_the_rest() -> None:
    contract = replace(line("contract", text_output="0.00002"), discount_percent=Decimal(50))
    rating = rate(Quantities(uncached_input=1000, text_output=1000), PRICED, contract)
    assert rating.cost("input_cost") == Decimal("0.015")
    assert rating.cost("output_cost") == Decimal("0.02")
    assert rating.list_cost == Decimal("0.09")


def test_tokens_without_a_price_leave_the_whole_request_unpriced() -> None:
    rating = rate(Quantities(uncached_input=5, output_audio=1), PRICED, None)
    assert not rating.is_priced
    assert (rating.list_cost, rating.effective_cost, rating.cost("input_cost")) == (None,) * 3
    assert [bucket.why for bucket in rating.buckets] == ["list price", "no price known"]


def test_a_request_without_any_line_is_unpriced_even_without_tokens() -> None:
    assert rate(Quantities(), None, None).effective_cost is None


def test_gpu_time_that_was_not_reported_is_not_free() -> None:
    fleet = line("self_hosted", gpu_second="0.001")
    assert rate(Quantities(), fleet, None).effective_cost is None
    assert rate(Quantities(gpu_seconds=Decimal("2.5")), fleet, None).effective_cost == Decimal(
        "0.0025"
    )


def test_a_contract_price_stands_in_for_a_list_price_that_nobody_published() -> None:
    contract = line("contract", reasoning_output="0.00001")
    rating = rate(Quantities(reasoning_output=10), PRICED, contract)
    assert rating.list_cost == rating.effective_cost == Decimal("0.0001")


def test_the_cost_model_of_the_cost_chapter_comes_out_to_the_cent() -> None:
    """SYSTEMS.md row 2: 100,000 requests a day, 500 in, 300 out, 45 % cached, thirty days."""
    answered = rate(Quantities(uncached_input=500, text_output=300), PRICED, None).effective_cost
    estimate = replace(line("cache_hit", request="0.0001"), source="default estimate")
    [bucket] = rate(Quantities(), estimate, None).buckets
    assert bucket.why == "default estimate"
    own = rate(Quantities(), replace(estimate, source="own"), None).buckets
    assert own[0].why == "price of a cache hit"
    hit = rate(Quantities(), line("cache_hit", request="0.0001"), None).effective_cost
    assert answered is not None
    assert hit is not None
    a_request = answered * Decimal("0.55") + hit * Decimal("0.45")
    assert a_request == Decimal("0.018195")
    assert a_request * 100_000 * 30 == Decimal("54585")
