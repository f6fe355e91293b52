"""What a service tier costs that the catalogue does not know."""

from __future__ import annotations

from test_rate_card import ONE, card, contract, listed, resolve

from finops.pricing.lines import UnitPrices
from ingest.rating import Rate


def test_a_tier_nobody_knows_has_no_public_price() -> None:
    assert resolve(card(), service_tier="scale") is None
    assert resolve(card(contract(1)), service_tier="scale") is None
    fast = listed(resolve(card(), service_tier="fast"))
    assert fast.service_tier == "fast" or fast.tier_note("fast")
    own = resolve(card(contract(1, prices=UnitPrices(text_output=ONE))), service_tier="scale")
    assert own == Rate(1, None)  # a contract for every tier is one
