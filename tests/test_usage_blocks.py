"""Each provider's usage block is converted by that provider's own convention."""

from __future__ import annotations

from typing import Any

import pytest
from genai_prices import extract_usage
from hypothesis import given
from hypothesis import strategies as st

from finops.pricing.matching import PROVIDER_ALIASES, match
from ingest.events import MAX_TOKENS
from ingest.rejections import REASONS, Rejected
from ingest.usage import XAI as XAI_NAMES
from ingest.usage import TokenBuckets, read_usage

OPENAI_CHAT = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "prompt_tokens_details": {"cached_tokens": 600, "audio_tokens": 50},
    "completion_tokens_details": {
        "reasoning_tokens": 120,
        "audio_tokens": 30,
        "accepted_prediction_tokens": 0,
    },
}
OPENAI_RESPONSES = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
    "output_tokens": 300,
    "output_tokens_details": {"reasoning_tokens": 120},
    "total_tokens": 1300,
}
ANTHROPIC = {
    "input_tokens": 176,
    "cache_creation_input_tokens": 512,
    "cache_read_input_tokens": 1024,
    "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 12},
    "output_tokens": 64,
    "service_tier": "standard",
}
GEMINI = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 600,
    "candidatesTokenCount": 200,
    "thoughtsTokenCount": 120,
    "toolUsePromptTokenCount": 40,
    "totalTokenCount": 1360,
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 900},
        {"modality": "AUDIO", "tokenCount": 100},
    ],
    "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
}
BEDROCK = {
    "inputTokens": 176,
    "outputTokens": 64,
    "totalTokens": 1776,
    "cacheReadInputTokens": 1024,
    "cacheWriteInputTokens": 512,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 12}, {"ttl": "5m", "inputTokens": 500}],
}
XAI = {
    "prompt_tokens": 100,
    "completion_tokens": 30,
    "total_tokens": 250,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 120},
}
REALTIME = {
    "total_tokens": 130,
    "input_tokens": 100,
    "output_tokens": 30,
    "input_token_details": {
        "text_tokens": 60,
        "audio_tokens": 40,
        "cached_tokens": 50,
        "cached_tokens_details": {"text_tokens": 40, "audio_tokens": 10},
    },
    "output_token_details": {"text_tokens": 10, "audio_tokens": 20},
}

CONVERTED = [
    ("openai", OPENAI_CHAT, TokenBuckets(350, 600, 0, 0, 50, 150, 120, 30)),
    ("openai", OPENAI_RESPONSES, TokenBuckets(300, 600, 100, 0, 0, 180, 120, 0)),
    ("openai", {"prompt_tokens": 8, "total_tokens": 8}, TokenBuckets(8)),
    ("openai", REALTIME, TokenBuckets(20, 50, 0, 0, 30, 10, 0, 20)),
    ("anthropic", ANTHROPIC, TokenBuckets(176, 1024, 500, 12, 0, 64, 0, 0)),
    ("anthropic", {"input_tokens": 5, "output_tokens": 7}, TokenBuckets(5, text_output=7)),
    ("google", GEMINI, TokenBuckets(340, 600, 0, 0, 100, 180, 120, 20)),
    ("aws", BEDROCK, TokenBuckets(176, 1024, 500, 12, 0, 64, 0, 0)),
    ("x_ai", XAI, TokenBuckets(40, 60, 0, 0, 0, 30, 120, 0)),
    (
        "deepseek",
        {"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 70},
        TokenBuckets(30, 70, text_output=5),
    ),
    (
        "anthropic",  # as LiteLLM writes it: OpenAI's shape, the cache included and beside
        {
            "prompt_tokens": 1712,
            "completion_tokens": 64,
            "cache_read_input_tokens": 1024,
            "cache_creation_input_tokens": 512,
            "prompt_tokens_details": {
                "cached_tokens": 1024,
                "cache_creation_tokens": 512,
                "cache_creation_token_details": {"ephemeral_1h_input_tokens": 12},
            },
        },
        TokenBuckets(176, 1024, 500, 12, 0, 64, 0, 0),
    ),
    ("openai", {"prompt_tokens": 5, "prompt_tokens_details": None}, TokenBuckets(5)),
]


@pytest.mark.parametrize(("provider", "block", "tokens"), CONVERTED)
def test_a_block_becomes_disjoint_buckets(
    provider: str, block: dict[str, Any], tokens: TokenBuckets
) -> None:
    usage = read_usage(block, provider)
    assert usage.tokens == tokens
    assert usage.normalised is False


@pytest.mark.parametrize(
    ("provider", "flavor", "body", "block"),
    [
        ("openai", "chat", {"model": "gpt-4o", "usage": OPENAI_CHAT}, OPENAI_CHAT),
        ("openai", "responses", {"model": "gpt-5", "usage": OPENAI_RESPONSES}, OPENAI_RESPONSES),
        ("anthropic", "default", {"model": "claude-sonnet-4-5", "usage": ANTHROPIC}, ANTHROPIC),
        ("google", "default", {"modelVersion": "gemini-2.5-pro", "usageMetadata": GEMINI}, GEMINI),
        ("aws", "default", {"model": "amazon.nova-pro-v1:0", "usage": BEDROCK}, BEDROCK),
        ("x-ai", "chat", {"model": "grok-4", "usage": XAI}, XAI),
    ],
)
def test_the_price_catalogue_reads_the_same_totals(
    provider: str, flavor: str, body: dict[str, Any], block: dict[str, Any]
) -> None:
    theirs = extract_usage(body, provider_id=provider, api_flavor=flavor).usage
    ours = read_usage(block, provider).tokens
    assert sum(ours[:5]) == theirs.input_tokens
    assert sum(ours[5:]) == theirs.output_tokens
    assert ours.cache_read_input == (theirs.cache_read_tokens or 0)
    written = ours.cache_creation_5m_input + ours.cache_creation_1h_input
    assert written == (theirs.cache_write_tokens or 0)
    assert ours.reasoning_output == (theirs.output_reasoning_tokens or 0)
    assert ours.input_audio == (theirs.input_audio_tokens or 0)
    assert ours.output_audio == (theirs.output_audio_tokens or 0)


def test_a_cache_larger_than_the_prompt_was_counted_beside_it_and_is_flagged() -> None:
    block = {
        "prompt_tokens": 176,
        "completion_tokens": 64,
        "prompt_tokens_details": {"cached_tokens": 1024},
    }
    usage = read_usage(block, "anthropic")
    assert usage.tokens == TokenBuckets(176, 1024, text_output=64)
    assert usage.normalised is True


@pytest.mark.parametrize("name", [*sorted(XAI_NAMES), " X-AI ", "Grok"])
def test_xais_reasoning_is_beside_the_completion_by_each_of_its_names(name: str) -> None:
    assert read_usage(XAI, name).tokens == TokenBuckets(40, 60, 0, 0, 0, 30, 120, 0)


def test_every_name_xais_prices_are_found_by_is_known_to_its_usage_block() -> None:
    aliases = {alias for alias, provider in PROVIDER_ALIASES.items() if provider == "x-ai"}
    assert aliases <= XAI_NAMES
    for name in XAI_NAMES:
        found = match(name, "grok-4")
        assert found
        assert found.provider == "x-ai"


def test_anthropics_fast_mode_is_the_fast_tier() -> None:
    assert read_usage({**ANTHROPIC, "speed": "fast"}, "anthropic").service_tier == "fast"


def test_the_tier_that_answered_is_read_from_the_block() -> None:
    assert read_usage({**ANTHROPIC, "service_tier": "batch"}, "anthropic").service_tier == "batch"


@pytest.mark.parametrize(
    ("reason", "block"),
    [
        ("unknown_usage_shape", {"tokens": 5}),
        ("unknown_usage_shape", {}),
        ("wrong_type", {"prompt_tokens": "5"}),
        ("wrong_type", {"prompt_tokens": 5.5}),
        ("wrong_type", {"prompt_tokens": True}),
        ("wrong_type", {"prompt_tokens": 5, "prompt_tokens_details": [1]}),
        ("negative_tokens", {"input_tokens": -5}),
        ("absurd_tokens", {"inputTokens": MAX_TOKENS + 1}),
        (
            "absurd_tokens",
            {
                "inputTokens": MAX_TOKENS,
                "cacheReadInputTokens": MAX_TOKENS,
                "outputTokens": 1,
            },
        ),
        (
            "token_parts_exceed_whole",
            {"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 6}},
        ),
        ("token_parts_exceed_whole", {"promptTokenCount": 5, "cachedContentTokenCount": 6}),
        (
            "token_parts_exceed_whole",
            {
                "input_tokens": 5,
                "cache_creation_input_tokens": 5,
                "cache_creation": {"ephemeral_1h_input_tokens": 6},
            },
        ),
    ],
)
def test_a_block_that_cannot_be_is_refused_by_name(reason: str, block: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refused:
        read_usage(block, "openai")
    assert refused.value.reason == reason
    assert refused.value.detail.startswith(("usage", "input", "output", "cache"))


def test_an_unknown_shape_names_the_keys_seen() -> None:
    with pytest.raises(Rejected, match="found bananas, tokens;"):
        read_usage({"tokens": 1, "bananas": 2}, "openai")


def _json(depth: int = 2) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    names = st.sampled_from(
        sorted(
            {name for _, block, _ in CONVERTED for name in block}
            | {"cached_tokens", "audio_tokens", "reasoning_tokens", "tokenCount", "ttl"}
        )
    )
    value = leaves
    for _ in range(depth):
        value = leaves | st.lists(value, max_size=2) | st.dictionaries(names, value, max_size=3)
    return st.dictionaries(names, value, max_size=6)


@given(_json())
def test_any_block_is_converted_or_refused_by_name(block: dict[str, Any]) -> None:
    try:
        tokens = read_usage(block, "openai").tokens
    except Rejected as error:
        tokens, reason = TokenBuckets(), error.reason
    else:
        reason = None
    assert reason is None or reason in REASONS
    assert all(count >= 0 for count in tokens)
    assert sum(tokens) <= 2 * MAX_TOKENS
