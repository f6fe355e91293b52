"""Token counts: one disjoint form inside, and every provider's own form outside.

A provider's `usage` block is converted by that provider's convention, told apart by its keys:

    OpenAI chat       prompt_tokens includes cached and audio, completion_tokens includes reasoning
    OpenAI responses  input_tokens includes cached, output_tokens includes reasoning
    Anthropic         input_tokens excludes both cache parts
    Gemini            promptTokenCount includes cached, candidatesTokenCount excludes thoughts
    Bedrock Converse  inputTokens excludes both cache parts
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ingest.events import MAX_TOKENS
from ingest.rejections import Rejected

Block = Mapping[str, Any]


class TokenBuckets(NamedTuple):
    """Tokens of one request, no token in two buckets; the order is the event table's."""

    uncached_input: int = 0
    cache_read_input: int = 0
    cache_creation_5m_input: int = 0
    cache_creation_1h_input: int = 0
    input_audio: int = 0
    text_output: int = 0
    reasoning_output: int = 0
    output_audio: int = 0


INPUT_BUCKETS = 5  # the first of them


class Usage(NamedTuple):
    """A converted usage block. `normalised` says that an ambiguous convention was resolved."""

    tokens: TokenBuckets
    normalised: bool = False
    service_tier: str | None = None


def disjoint(
    input_tokens: int,
    output_tokens: int,
    cache_read: int = 0,
    cache_creation: int = 0,
    cache_creation_1h: int = 0,
    input_audio: int = 0,
    reasoning: int = 0,
    output_audio: int = 0,
) -> TokenBuckets:
    """Inclusive totals as disjoint buckets; Rejected when parts exceed their whole."""
    uncached = input_tokens - cache_read - cache_creation - input_audio
    text = output_tokens - reasoning - output_audio
    cache_creation_5m = cache_creation - cache_creation_1h
    if uncached < 0 or text < 0 or cache_creation_5m < 0:
        raise Rejected("token_parts_exceed_whole", _parts_sentence(uncached, text))
    return TokenBuckets(
        uncached,
        cache_read,
        cache_creation_5m,
        cache_creation_1h,
        input_audio,
        text,
        reasoning,
        output_audio,
    )


def _parts_sentence(uncached: int, text: int) -> str:
    if uncached < 0:
        return (
            "input_tokens: write the total, including cache_read, cache_creation and audio "
            f"tokens; these exceed it by {-uncached}."
        )
    if text < 0:
        return (
            "output_tokens: write the total, including reasoning and audio tokens; "
            f"these exceed it by {-text}."
        )
    return (
        "cache_creation_1h_input_tokens: it is a part of cache_creation_input_tokens and "
        "cannot exceed it."
    )


def read_usage(block: Block, provider: str) -> Usage:
    """Any provider's usage block; Rejected when no known shape fits it."""
    for marker, read in _SHAPES:
        if marker in block:
            usage = read(block, provider)
            # The columns hold 32 bits, and so must every sum of them.
            if sum(usage.tokens) > 2 * MAX_TOKENS:
                raise Rejected("absurd_tokens", f"usage: more than {2 * MAX_TOKENS} tokens.")
            return usage
    seen = ", ".join(sorted(block)[:8])[:200] or "no keys"
    raise Rejected(
        "unknown_usage_shape",
        f"usage: found {seen}; send an OpenAI, Anthropic, Gemini or Bedrock usage block, or "
        "input_tokens and output_tokens as fields of the event.",
    )


def count(block: Block, *names: str) -> int:
    """The first of these keys that has a value, as a token count; 0 when none has."""
    for name in names:
        value = block.get(name)
        if value is None:
            continue
        if type(value) is not int:
            raise Rejected("wrong_type", f"usage.{name}: write a whole number.")
        if value < 0:
            raise Rejected("negative_tokens", f"usage.{name}: write 0 or more.")
        if value > MAX_TOKENS:
            raise Rejected("absurd_tokens", f"usage.{name}: write at most {MAX_TOKENS}.")
        return value
    return 0


def part(block: Block, *names: str) -> Block:
    """The first of these keys that has an object; {} when none has."""
    for name in names:
        value = block.get(name)
        if value is None:
            continue
        if not isinstance(value, dict):
            raise Rejected("wrong_type", f"usage.{name}: write an object.")
        return value
    return {}


def openai_chat(block: Block, provider: str) -> Usage:
    output = count(block, "completion_tokens")
    made = part(block, "completion_tokens_details")
    if provider.strip().lower() in XAI:
        output += count(made, "reasoning_tokens")
    prompt = part(block, "prompt_tokens_details")
    return _openai(block, count(block, "prompt_tokens"), output, prompt, made)


def openai_responses(block: Block, provider: str) -> Usage:
    return _openai(
        block,
        count(block, "input_tokens"),
        count(block, "output_tokens"),
        part(block, "input_tokens_details", "input_token_details"),
        part(block, "output_tokens_details", "output_token_details"),
    )


def _openai(block: Block, whole_input: int, output: int, given: Block, made: Block) -> Usage:
    """OpenAI's totals include their parts.

    Gateways answer in this shape for providers that count the cache outside the input: where the
    cache exceeds the input it cannot be inside it, so it is added and the event says so.
    """
    # DeepSeek and Anthropic-through-OpenAI gateways put the cache beside the totals.
    cache_read = count(given, "cached_tokens") or count(
        block, "cache_read_input_tokens", "prompt_cache_hit_tokens", "cached_tokens"
    )
    cache_creation = count(given, "cache_write_tokens", "cache_creation_tokens") or count(
        block, "cache_creation_input_tokens"
    )
    written = part(given, "cache_creation_token_details")
    # Cached audio is billed as cached; only the rest is audio input.
    cached_audio = count(part(given, "cached_tokens_details"), "audio_tokens")
    input_audio = max(count(given, "audio_tokens") - cached_audio, 0)
    normalised = cache_read + cache_creation > whole_input
    tokens = disjoint(
        input_tokens=whole_input + (cache_read + cache_creation if normalised else 0),
        output_tokens=output,
        cache_read=cache_read,
        cache_creation=cache_creation,
        cache_creation_1h=count(written, "ephemeral_1h_input_tokens"),
        input_audio=input_audio,
        reasoning=count(made, "reasoning_tokens") or count(block, "reasoning_tokens"),
        output_audio=count(made, "audio_tokens"),
    )
    return Usage(tokens, normalised, tier(block))


def anthropic(block: Block, provider: str) -> Usage:
    """Anthropic counts uncached input alone; the cache stands beside it, split by lifetime."""
    cache_read = count(block, "cache_read_input_tokens")
    by_lifetime = part(block, "cache_creation")
    one_hour = count(by_lifetime, "ephemeral_1h_input_tokens")
    five_minutes = count(by_lifetime, "ephemeral_5m_input_tokens")
    cache_creation = count(block, "cache_creation_input_tokens") or one_hour + five_minutes
    tokens = disjoint(
        input_tokens=count(block, "input_tokens") + cache_read + cache_creation,
        output_tokens=count(block, "output_tokens"),
        cache_read=cache_read,
        cache_creation=cache_creation,
        cache_creation_1h=one_hour,
        reasoning=count(
            part(block, "output_tokens_details"), "thinking_tokens", "reasoning_tokens"
        ),
    )
    return Usage(tokens, service_tier=tier(block))


def gemini(block: Block, provider: str) -> Usage:
    """Gemini's prompt includes the cached part; thoughts and tool prompts stand beside."""
    cached = _by_modality(block, "cacheTokensDetails")
    audio = _by_modality(block, "promptTokensDetails") - cached
    tokens = disjoint(
        input_tokens=count(block, "promptTokenCount") + count(block, "toolUsePromptTokenCount"),
        output_tokens=count(block, "candidatesTokenCount", "responseTokenCount")
        + count(block, "thoughtsTokenCount"),
        cache_read=count(block, "cachedContentTokenCount"),
        input_audio=max(audio, 0),
        reasoning=count(block, "thoughtsTokenCount"),
        output_audio=_by_modality(block, "candidatesTokensDetails", "responseTokensDetails"),
    )
    return Usage(tokens)


def _by_modality(block: Block, *names: str) -> int:
    """Audio tokens of a Gemini list of {modality, tokenCount}."""
    for name in names:
        details = block.get(name)
        if isinstance(details, list):
            return sum(
                count(entry, "tokenCount")
                for entry in details
                if isinstance(entry, dict) and entry.get("modality") == "AUDIO"
            )
    return 0


def bedrock_converse(block: Block, provider: str) -> Usage:
    """Bedrock counts uncached input alone; cacheDetails may split the writes by lifetime."""
    cache_read = count(block, "cacheReadInputTokens", "cacheReadInputTokenCount")
    cache_creation = count(block, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    tokens = disjoint(
        input_tokens=count(block, "inputTokens") + cache_read + cache_creation,
        output_tokens=count(block, "outputTokens"),
        cache_read=cache_read,
        cache_creation=cache_creation,
        cache_creation_1h=_written_for_an_hour(block),
    )
    return Usage(tokens)


def _written_for_an_hour(block: Block) -> int:
    details = block.get("cacheDetails")
    if not isinstance(details, list):
        return 0
    return sum(
        count(entry, "inputTokens")
        for entry in details
        if isinstance(entry, dict) and entry.get("ttl") == "1h"
    )


def tier(block: Block) -> str | None:
    """The tier in the provider's word; Anthropic's fast mode is called a speed."""
    if block.get("speed") == "fast":
        return "fast"
    value = block.get("service_tier")
    return value if isinstance(value, str) else None


def _responses_or_anthropic(block: Block, provider: str) -> Usage:
    """Both say input_tokens; OpenAI alone adds total_tokens and details of the input."""
    if {"total_tokens", "input_tokens_details", "input_token_details"} & block.keys():
        return openai_responses(block, provider)
    return anthropic(block, provider)


# xAI speaks OpenAI's chat shape, but its completion_tokens leave the reasoning out. Every name
# that its prices are found by.
XAI = frozenset({"x-ai", "x_ai", "x.ai", "xai", "grok"})

_SHAPES: tuple[tuple[str, Callable[[Block, str], Usage]], ...] = (
    ("prompt_tokens", openai_chat),
    ("promptTokenCount", gemini),
    ("inputTokens", bedrock_converse),
    ("input_tokens", _responses_or_anthropic),
    ("completion_tokens", openai_chat),
    ("outputTokens", bedrock_converse),
)
