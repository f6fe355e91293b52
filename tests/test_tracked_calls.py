"""What a tracked call tells by itself: how long it took, what it used, how it ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.client import Call, from_anthropic, from_openai
from ingest.usage import read_usage

CHAT = {
    "model": "gpt-4o-2024-08-06",
    "service_tier": "flex",
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 350,
        "total_tokens": 1550,
        "prompt_tokens_details": {"cached_tokens": 1024},
        "completion_tokens_details": {"reasoning_tokens": 200},
    },
}
RESPONSE = {
    "model": "gpt-5-mini",
    "usage": {
        "input_tokens": 1200,
        "output_tokens": 350,
        "total_tokens": 1550,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens_details": {"reasoning_tokens": 200},
    },
}
MESSAGE = {
    "type": "message",
    "model": "claude-sonnet-4-5",
    "usage": {
        "input_tokens": 176,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 1024,
        "output_tokens": 350,
    },
}
CHAT_CHUNKS = [
    {"model": "gpt-4o", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
    {"model": "gpt-4o", "choices": [{"delta": {"content": "Hi"}}], "usage": None},
    {**CHAT, "choices": []},
]
RESPONSE_CHUNKS = [
    {"type": "response.created", "response": {"model": "gpt-5-mini", "usage": None}},
    {"type": "response.output_text.delta", "delta": "Hi"},
    {"type": "response.completed", "response": RESPONSE},
]
MESSAGE_CHUNKS = [
    {
        "type": "message_start",
        "message": {**MESSAGE, "usage": {**MESSAGE["usage"], "output_tokens": 1}},  # type: ignore[dict-item]
    },
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "message_delta", "usage": {"output_tokens": 350, "input_tokens": None}},
]


def objects(value: Any) -> Any:
    """As the providers' packages give it: attributes, and models that can be dumped."""
    if isinstance(value, list):
        return [objects(each) for each in value]
    if not isinstance(value, dict):
        return value
    given = {name: objects(each) for name, each in value.items()}
    return SimpleNamespace(**given, model_dump=lambda: value)


def tracked(recorded: dict[str, Any] | None = None, **fields: Any) -> Call:
    kept = recorded if recorded is not None else {}
    return Call(lambda event: kept.update(event) or "id", fields)  # type: ignore[func-returns-value]


def buckets(fields: dict[str, Any]) -> tuple[int, ...]:
    tokens = read_usage(fields["usage"], fields["provider"]).tokens
    return (
        tokens.uncached_input,
        tokens.cache_read_input,
        tokens.text_output + tokens.reasoning_output,
    )


@pytest.mark.parametrize("shape", [objects, lambda value: value], ids=["objects", "mappings"])
@pytest.mark.parametrize(
    ("read", "response", "provider"),
    [
        (from_openai, CHAT, "openai"),
        (from_openai, RESPONSE, "openai"),
        (from_anthropic, MESSAGE, "anthropic"),
    ],
)
def test_an_answer_tells_its_usage(read: Any, response: Any, provider: str, shape: Any) -> None:
    fields = read(shape(response))
    assert (fields["provider"], fields["model"]) == (provider, response["model"])
    assert buckets(fields) == (176, 1024, 350)
    recorded: dict[str, Any] = {}
    with tracked(recorded) as call:
        call.answered(shape(response))
    assert buckets(recorded) == (176, 1024, 350)


def test_the_tier_that_answered_goes_with_the_usage() -> None:
    assert from_openai(CHAT)["usage"]["service_tier"] == "flex"


@pytest.mark.parametrize("shape", [objects, lambda value: value], ids=["objects", "mappings"])
@pytest.mark.parametrize("chunks", [CHAT_CHUNKS, RESPONSE_CHUNKS, MESSAGE_CHUNKS])
def test_a_stream_tells_its_usage_and_its_first_token(chunks: Any, shape: Any) -> None:
    recorded: dict[str, Any] = {}
    with tracked(recorded) as call:
        seen = []
        for chunk in call.stream(shape(chunks)):
            assert ("ttft_ms" in call._fields) == (len(seen) >= 1)
            seen.append(chunk)
    assert len(seen) == 3
    assert buckets(recorded) == (176, 1024, 350)
    assert 0 <= recorded["ttft_ms"] <= recorded["latency_ms"]


def test_an_asynchronous_stream_does_so_too() -> None:
    recorded: dict[str, Any] = {}

    async def chunks() -> Any:
        for chunk in MESSAGE_CHUNKS:
            yield chunk

    async def use() -> None:
        async with tracked(recorded) as call:
            assert [chunk async for chunk in call.astream(chunks())] == MESSAGE_CHUNKS

    asyncio.run(use())
    assert buckets(recorded) == (176, 1024, 350)


def test_a_stream_without_its_usage_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with tracked() as call:
        list(call.stream(CHAT_CHUNKS[:2]))
    assert "include_usage" in caplog.text


class RateLimitError(Exception):
    pass


class Answer(Exception):
    status_code = 429


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError(), "error"),
        (RateLimitError(), "throttled"),
        (Answer(), "throttled"),
        (KeyboardInterrupt(), "aborted"),
        (asyncio.CancelledError(), "aborted"),
    ],
)
def test_an_error_goes_on_and_says_how_the_call_ended(error: BaseException, status: str) -> None:
    recorded: dict[str, Any] = {}
    with pytest.raises(type(error)), tracked(recorded, model="m"):
        raise error
    assert (recorded["status"], recorded["model"]) == (status, "m")


def test_stages_are_timed_and_add_up() -> None:
    recorded: dict[str, Any] = {}
    with tracked(recorded) as call:
        for name in ("retrieval", "decode", "retrieval"):
            with call.stage(name):
                pass
    assert recorded["stages_ms"].keys() == {"retrieval", "decode"}
    assert sum(recorded["stages_ms"].values()) <= recorded["latency_ms"] + 0.01


def test_what_is_said_by_hand_stands() -> None:
    recorded: dict[str, Any] = {}
    with tracked(recorded, model="mine") as call:
        call.set(provider="azure", ttft_ms=7)
        call.first_token()
        call.answered(CHAT)
    assert (recorded["model"], recorded["provider"], recorded["ttft_ms"]) == ("mine", "azure", 7)


@pytest.mark.parametrize("odd", [None, 3, "text", object(), {"usage": 5}])
def test_an_answer_that_cannot_be_read_raises_nothing(odd: object) -> None:
    recorded: dict[str, Any] = {}
    with tracked(recorded) as call:
        call.answered(odd)
        list(call.stream([odd]))
    assert recorded["status"] == "ok"


@pytest.mark.parametrize(
    ("chunks", "output"), [(CHAT_CHUNKS[:2], 1), (MESSAGE_CHUNKS[:2] + MESSAGE_CHUNKS[1:2] * 4, 5)]
)
def test_a_stream_that_is_cut_off_is_aborted_with_an_estimate(chunks: Any, output: int) -> None:
    recorded: dict[str, Any] = {}
    with suppress(asyncio.CancelledError), tracked(recorded) as call:
        for _ in call.stream(chunks):
            pass
        raise asyncio.CancelledError
    assert recorded["status"] == "aborted"
    told = recorded.get("usage") or recorded
    assert told["output_tokens"] == output
