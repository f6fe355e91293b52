"""Which ledger lines a request is rated with."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops import ledger, rate_cards
from finops.pricing import catalog, resolution
from finops.pricing.lines import PriceLine, UnitPrices
from finops.pricing.matching import CatalogModel, match
from finops.pricing.resolution import RateCard, Request
from ingest.rating import Rate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CATALOG = [replace(line, id=number) for number, line in enumerate(catalog.lines(), 1000)]
ONE = Decimal(1)


def card(*lines: PriceLine) -> RateCard:
    return RateCard([*CATALOG, *lines], 1)


def resolve(
    held: RateCard,
    provider: str = "openai",
    model: str = "gpt-5",
    *,
    service_tier: str = "standard",
    cache: str = "none",
    fleet: str = "",
    at: datetime = NOW,
    input_tokens: int = 100,
) -> Rate | None:
    return held.rates(
        provider=provider, model=model, service_tier=service_tier, cache=cache, fleet=fleet
    ).at(at, input_tokens)


def listed(rate: Rate | None) -> PriceLine:
    assert rate is not None
    return CATALOG[rate.price_id - 1000]


def contract(number: int, provider: str = "*", model: str = "*", **terms: object) -> PriceLine:
    terms = {"discount_percent": Decimal(10), "prices": UnitPrices()} | terms
    return PriceLine("contract", provider, model, id=number, **terms)  # type: ignore[arg-type]


def self_hosted(number: int, **terms: object) -> PriceLine:
    terms = {"provider": "", "model": "", "prices": UnitPrices(gpu_second=ONE)} | terms
    return PriceLine("self_hosted", id=number, **terms)  # type: ignore[arg-type]


def cache_hit(number: int, cache: str) -> PriceLine:
    return PriceLine("cache_hit", "*", "*", UnitPrices(request=ONE), id=number, cache=cache)


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        ("openai", "gpt-4o-2024-08-06", ("openai", "openai", "gpt-4o")),
        ("OpenAI", " GPT-4o ", ("openai", "openai", "gpt-4o")),
        ("azure.ai.openai", "gpt-4o", ("openai", "openai", "gpt-4o")),
        ("azure.ai.inference", "gpt-4o", ("azure", "openai", "gpt-4o")),
        ("azure_ai", "gpt-4o", ("azure", "openai", "gpt-4o")),
        ("gcp.gen_ai", "gemini-2.5-pro", ("google", "google", "gemini-2.5-pro")),
        ("x_ai", "grok-4", ("x-ai", "x-ai", "grok-4-0709")),
        ("gcp.vertex_ai", "claude-sonnet-4-5", ("google", "google", "claude-sonnet-4-5")),
        ("gcp.gemini", "models/gemini-2.5-pro", ("google", "google", "gemini-2.5-pro")),
        (
            "fireworks_ai",
            "accounts/fireworks/models/kimi-k3",
            ("fireworks", "fireworks", "kimi-k3"),
        ),
        ("unknown", "claude-sonnet-4-5", ("anthropic", "anthropic", "claude-sonnet-4-5")),
        ("", "claude-sonnet-4-5-20250929", ("anthropic", "anthropic", "claude-sonnet-4-5")),
        ("litellm", "azure/gpt-4o", ("azure", "openai", "gpt-4o")),
        ("openai", "anthropic/claude-sonnet-4-5", ("anthropic", "anthropic", "claude-sonnet-4-5")),
    ],
)
def test_what_clients_send_finds_the_catalogues_model(
    provider: str, model: str, found: tuple[str, str, str]
) -> None:
    assert match(provider, model) == CatalogModel(*found)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("ollama", "gpt-oss-120b"),
        ("hosted_vllm", "claude-sonnet-4-5"),
        ("unknown", "vllm/gpt-4o"),
        ("litellm", "ollama/claude-sonnet-4-5"),
        ("huggingface", "meta-llama/Llama-3.3-70B-Instruct"),
        ("unknown", "google/gemma-3-27b-it"),
        ("openai", "mistralai/Mixtral-8x7B-Instruct-v0.1"),
        ("ibm.watsonx.ai", "granite-3"),
        ("acme-gateway", "gpt-4o"),
        ("openai", "my-finetune"),
        ("unknown", "my-model"),
    ],
)
def test_own_engines_and_strangers_take_no_public_price(provider: str, model: str) -> None:
    assert match(provider, model) is None
    assert resolve(card(), provider, model) is None


def test_the_line_is_that_of_the_time_the_tier_and_the_context() -> None:
    held = card()
    flex = listed(resolve(held, service_tier="flex"))
    assert (flex.service_tier, flex.prices.text_output) == ("flex", Decimal("0.000005"))
    short, long = (
        listed(resolve(held, "anthropic", "claude-sonnet-4-5", input_tokens=tokens))
        for tokens in (200_000, 200_001)
    )
    assert (short.context_over, long.context_over) == (0, 200_000)


def test_a_tier_that_is_not_listed_apart_takes_the_standard_line() -> None:
    flex = listed(resolve(card(), "anthropic", "claude-sonnet-4-5", service_tier="flex"))
    assert flex.service_tier == ""
    assert flex.tier_note("flex") == "No separate flex price is listed: standard price."
    assert flex.tier_note("standard") == ""


def test_a_reseller_does_not_get_the_makers_tiers() -> None:
    assert listed(resolve(card(), "azure_ai", "gpt-5", service_tier="flex")).service_tier == ""


@pytest.mark.parametrize(
    ("hour", "window"), [(0, time(10)), (1, time(1)), (3, time(1)), (4, time(4)), (23, time(10))]
)
def test_daily_windows_are_in_utc_and_may_wrap_midnight(hour: int, window: time) -> None:
    at = datetime(2026, 11, 2, hour, tzinfo=UTC)
    peak = listed(resolve(card(), "deepseek", "deepseek-v4-flash", at=at))
    assert peak.daily_from == window


def test_a_response_cache_hit_takes_the_caches_price_and_nothing_else() -> None:
    held = card(cache_hit(1, "memory"), cache_hit(2, "redis"), contract(3))
    assert resolve(held, cache="redis") == Rate(2, None)
    assert resolve(held, "unknown", "nobody-knows", cache="memory") == Rate(1, None)
    # Its price is not known, and therefore not zero either.
    assert resolve(held, cache="semantic") is None


def test_a_fleet_is_self_hosted_and_never_takes_a_public_price() -> None:
    held = card(self_hosted(1, fleet="h100-*"), self_hosted(2, fleet="h100-eu"))
    assert resolve(held, fleet="h100-us") == Rate(1, None)
    assert resolve(held, fleet="H100-EU") == Rate(2, None)
    assert resolve(held, fleet="l4") is None


def test_a_contract_changes_the_list_line() -> None:
    rate = resolve(card(contract(1, "openai", "gpt-*")))
    assert rate is not None
    assert rate.contract_price_id == 1
    assert listed(rate).model == "gpt-5"


def test_a_contract_matches_what_clients_send_and_what_the_catalogue_calls_it() -> None:
    held = card(contract(1, "azure", "gpt-4o"), contract(2, "openai", "gpt-4o-mini*"))
    of_client = resolve(held, "azure_ai", "gpt-4o-2024-08-06")
    assert of_client is not None
    assert of_client.contract_price_id == 1
    # Azure resells OpenAI's model at OpenAI's price, but not under OpenAI's contract.
    resold = resolve(held, "azure_ai", "gpt-4o-mini")
    assert resold is not None
    assert resold.contract_price_id is None


def test_the_most_specific_contract_wins_then_the_newest() -> None:
    lines = [
        contract(1),
        contract(2, "openai"),
        contract(3, "openai", "gpt-*"),
        contract(4, "openai", "gpt-5*"),
        contract(5, "openai", "gpt-5"),
        contract(6, "openai", "gpt-5", effective_from=datetime(2026, 1, 1, tzinfo=UTC)),
        contract(7, "openai", "gpt-5", effective_from=datetime(2026, 6, 1, tzinfo=UTC)),
        contract(8, "openai", "gpt-5", effective_from=datetime(2026, 6, 1, tzinfo=UTC)),
    ]
    for count in range(1, len(lines) + 1):
        for order in itertools.islice(itertools.permutations(lines[:count]), 24):
            rate = resolve(card(*order))
            assert rate is not None
            assert rate.contract_price_id == count


def test_a_contract_ends_and_another_takes_over() -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    held = card(contract(1, effective_to=march), contract(2, effective_from=march))
    before, after = (resolve(held, at=at) for at in (march - timedelta(microseconds=1), march))
    assert before is not None
    assert after is not None
    assert (before.contract_price_id, after.contract_price_id) == (1, 2)


def test_a_contract_of_one_tier_leaves_the_others() -> None:
    held = card(contract(1, service_tier="standard"), contract(2, service_tier="batch"))
    ids = [
        rate and rate.contract_price_id
        for rate in (resolve(held, service_tier=t) for t in ("standard", "batch", "flex"))
    ]
    assert ids == [1, 2, None]


def test_where_nobody_lists_a_price_the_contracts_is_the_list_price() -> None:
    priced = contract(2, "acme", "*", prices=UnitPrices(text_output=ONE), discount_percent=None)
    held = card(contract(1, "acme", "big"), priced)
    # A discount on a price that nobody knows is no price; the next contract has one.
    assert resolve(held, "acme", "big") == Rate(2, None)


def test_a_discount_does_not_discount_own_machines() -> None:
    priced = contract(2, model="llama", prices=UnitPrices(text_output=ONE), discount_percent=None)
    held = card(self_hosted(9, fleet="h100"), contract(1), priced)
    assert resolve(held, "vllm", "other", fleet="h100") == Rate(9, None)
    assert resolve(held, "vllm", "llama", fleet="h100") == Rate(9, 2)


boundaries = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)).map(
    lambda at: at.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)
hours = st.sampled_from([time(), time(6), time(18)])


@st.composite
def windowed(draw: st.DrawFn) -> PriceLine:
    daily = draw(st.none() | st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1]))
    return contract(
        draw(st.integers(1, 1_000_000)),
        prices=UnitPrices(text_output=ONE),
        effective_from=draw(st.none() | boundaries),
        effective_to=draw(st.none() | boundaries),
        daily_from=daily and daily[0],
        daily_to=daily and daily[1],
        context_over=draw(st.sampled_from([0, 100, 200])),
    )


@given(
    st.lists(windowed(), max_size=6, unique_by=lambda line: line.id),
    boundaries,
    st.integers(-1, 1),
    st.sampled_from([0, 99, 100, 101, 200, 201]),
)
def test_the_grid_says_what_the_lines_say(
    lines: list[PriceLine], near: datetime, offset: int, tokens: int
) -> None:
    at = near + offset * timedelta(microseconds=1)
    held = RateCard(lines, 1)
    best = sorted(lines, key=resolution.rank, reverse=True)
    expected = next((Rate(n.id, None) for n in best if n.holds(at, at.time(), tokens)), None)
    assert resolve(held, "acme", "m", at=at, input_tokens=tokens) == expected
    windows = held.table(Request("acme", "m", "standard", "none", "")).windows()
    covering = [
        window.rate
        for window in windows
        if (window.starts is None or window.starts <= at)
        and (window.ends is None or at < window.ends)
        and (window.daily_from is None or window.daily_from <= at.time())
        and (window.daily_to is None or at.time() < window.daily_to)
        and (window.input_over is None or window.input_over < tokens)
        and (window.input_to is None or tokens <= window.input_to)
    ]
    assert covering == ([expected] if expected else [])


def test_nonsense_models_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolution, "MAX_TABLES", 10)
    held = RateCard([], 1)
    for number in range(100):
        assert resolve(held, "acme", f"model-{number}") is None
    assert len(held._tables) <= 10


@pytest.mark.django_db
def test_a_card_is_loaded_again_only_when_the_ledger_changed() -> None:
    first = rate_cards.load(None)
    assert first is not None
    assert rate_cards.load(first.version) is None
    ledger.add({"kind": "contract", "model": "m", "text_output_price": "1"}, author="ada", zone=UTC)
    second = rate_cards.load(first.version)
    assert second is not None
    assert sorted(second._lines.values(), key=attrgetter("id")) == ledger.current_lines()
    assert second.version != first.version
    assert resolve(second, "acme", "m") is not None
