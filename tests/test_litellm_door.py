"""LiteLLM's generic API callback: whatever it sends becomes events, and nothing it says is kept
that must not be."""

from __future__ import annotations

import json
from typing import Any

import litellm_captures
import pytest
from ingest_server import Door, result, until
from litellm_payloads import FIRST, payload, post

from ingest.doors.litellm import LITELLM
from ingest.problems import Problem


def send(door: Door, content: bytes | Any) -> Any:
    given = content if isinstance(content, bytes) else json.dumps(content).encode()
    return result(post(door.http, door.key, given))


@litellm_captures.needed
@pytest.mark.parametrize(
    "name", [*litellm_captures.ARRAY, *litellm_captures.LINES, *litellm_captures.SINGLE]
)
def test_what_litellm_sent_is_taken_once(door: Door, name: str) -> None:
    body = litellm_captures.body(name)
    count = len(json.loads(body)) if body[:1] == b"[" else body.count(b"\n") + 1
    assert send(door, body) == {"accepted": count, "duplicates": 0, "rejected": []}
    assert send(door, body) == {"accepted": 0, "duplicates": count, "rejected": []}


def test_a_call_keeps_its_id_time_and_figures(door: Door) -> None:
    sent = payload(startTime=FIRST["startTime"])
    send(door, sent)
    row = door.row()
    assert row["event_id"] == sent["litellm_call_id"]
    assert row["started_at"].timestamp() == sent["startTime"]
    assert (row["provider"], row["model"], row["operation"]) == ("openai", "gpt-4o", "chat")
    assert (row["uncached_input_tokens"], row["cache_read_input_tokens"]) == (176, 1024)
    assert (row["text_output_tokens"], row["reasoning_output_tokens"]) == (150, 200)
    assert float(row["reported_cost"]) == sent["response_cost"]
    assert row["latency_ms"] == pytest.approx(1500)
    assert (row["team"], row["session"], row["cache"]) == ("payments", "conversation-7", "none")
    assert row["ttft_ms"] is None


def test_a_stream_tells_its_first_token(door: Door) -> None:
    start = FIRST["startTime"]
    send(door, payload(stream=True, completionStartTime=start + 0.25, endTime=start + 2))
    assert door.row()["ttft_ms"] == pytest.approx(250)
    assert door.row()["latency_ms"] == pytest.approx(2000)


def test_failed_attempts_of_a_call_do_not_hide_the_one_that_succeeded(door: Door) -> None:
    failed = {"status": "failure", "prompt_tokens": 0, "completion_tokens": 0, "response_cost": 0}
    failed["metadata"] = {"usage_object": {}}
    start = FIRST["startTime"]
    limited = {"error_code": "429", "error_class": "RateLimitError"}
    attempts = [
        payload(**failed, error_information=limited),
        payload(**failed, startTime=start + 1, error_information={"error_code": "500"}),
        payload(startTime=start + 2),
    ]
    assert send(door, attempts)["accepted"] == 3
    rows = {row["status"]: row for row in door.rows()}
    assert rows.keys() == {"throttled", "error", "ok"}
    assert rows["ok"]["event_id"] == FIRST["litellm_call_id"]
    assert rows["error"]["uncached_input_tokens"] == 0


@pytest.mark.parametrize(
    ("changed", "model"),
    [
        ({"model": "openai/gpt-4o"}, "gpt-4o"),
        ({"model": "openrouter/anthropic/claude-sonnet-4"}, "openrouter/anthropic/claude-sonnet-4"),
        (
            {"custom_llm_provider": "openrouter", "model": "openrouter/anthropic/claude-sonnet-4"},
            "anthropic/claude-sonnet-4",
        ),
        (
            {
                "custom_llm_provider": "azure",
                "model": "azure/ours-eu",
                "model_map_information": {"model_map_key": "azure/gpt-4o-mini"},
            },
            "gpt-4o-mini",
        ),
        ({"custom_llm_provider": "azure", "model": "azure/ours-eu"}, "ours-eu"),
    ],
)
def test_the_model_is_the_one_that_has_a_price(door: Door, changed: Any, model: str) -> None:
    send(door, payload(**{"model_group": "", "model_map_information": None, **changed}))
    assert door.row()["model"] == model


def test_a_hit_of_litellms_cache_is_one(door: Door) -> None:
    hits = [
        payload(cache_hit=True, litellm_call_id="1", response_cost=0.0),
        payload(cache_hit=True, litellm_call_id="2", request_tags=["cache:semantic"]),
    ]
    send(door, hits)
    first, second = door.rows()
    assert (first["cache"], first["reported_cost"]) == ("redis", 0)
    assert second["cache"] == "semantic"


def test_a_cost_of_zero_without_a_cache_hit_is_not_known(door: Door) -> None:
    send(door, payload(response_cost=0.0))
    assert door.row()["reported_cost"] is None


def test_tags_and_metadata_say_who_it_was_for(door: Door) -> None:
    send(
        door,
        payload(
            request_tags=["feature:answers", "env: eu", "User-Agent: curl/8", "vip", "tier:gold"],
            end_user=None,
            model_group="fast",
            metadata={
                "user_api_key_team_alias": None,
                "user_api_key_team_id": "t-7",
                "user_api_key_user_id": "u-9",
                "user_api_key_alias": "checkout",
                "spend_logs_metadata": {"cost_center": "CC-42", "long": "x" * 201, "n": {"a": 1}},
                "requester_metadata": {"region": "eu-1", "feature": "other"},
            },
        ),
    )
    row = door.row()
    assert (row["feature"], row["environment"], row["team"]) == ("answers", "eu", "t-7")
    assert (row["region"], row["user_name"]) == ("eu-1", "u-9")
    assert row["tags"] == {
        "vip": "true",
        "tier": "gold",
        "cost_center": "CC-42",
        "litellm_key": "checkout",
        "model_group": "fast",
    }


def test_the_end_user_comes_before_whoever_holds_the_key(door: Door) -> None:
    metadata = {"user_api_key_end_user_id": "m", "user_api_key_user_id": "k"}
    told = {"user_api_key_user_id": "k", "requester_metadata": {"user_id": "r", "user": "s"}}
    send(
        door,
        [
            payload(litellm_call_id="1", end_user="e", metadata=metadata),
            payload(litellm_call_id="2", end_user=None, metadata=metadata),
            payload(litellm_call_id="3", end_user="", model_parameters={"user": "p"}),
            payload(litellm_call_id="4", end_user=None, metadata=told, request_tags=[]),
        ],
    )
    assert [row["user_name"] for row in door.rows()] == ["e", "m", "p", "r"]
    assert not door.rows()[-1]["tags"]  # where nobody would hash or erase it


@pytest.mark.parametrize(
    ("changed", "tier"),
    [
        ({"cost_breakdown": {"service_tier": "flex"}}, "flex"),
        ({"model_parameters": {"service_tier": "priority"}}, "priority"),
        ({"model_parameters": {"service_tier": "scale"}}, "scale"),
        ({}, "standard"),
    ],
)
def test_the_tier_is_the_one_that_litellm_priced(door: Door, changed: Any, tier: str) -> None:
    send(door, payload(**{"cost_breakdown": None, **changed}))
    assert door.row()["service_tier"] == tier


def test_cache_writes_keep_their_lifetimes(door: Door) -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 10,
        "prompt_tokens_details": {
            "cached_tokens": 100,
            "cache_creation_tokens": 500,
            "cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 300,
                "ephemeral_1h_input_tokens": 200,
            },
            "audio_tokens": 50,
        },
    }
    send(door, payload(custom_llm_provider="anthropic", metadata={"usage_object": usage}))
    row = door.row()
    assert row["cache_creation_5m_input_tokens"] == 300
    assert row["cache_creation_1h_input_tokens"] == 200
    assert (row["input_audio_tokens"], row["uncached_input_tokens"]) == (50, 350)


def test_reasoning_of_xai_counts_once(door: Door) -> None:
    send(door, payload(custom_llm_provider="xai"))
    assert (door.row()["text_output_tokens"], door.row()["reasoning_output_tokens"]) == (150, 200)


def test_what_is_no_model_call_is_left_out(door: Door) -> None:
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "response_cost": 0.0}
    health = ["litellm-internal-health-check"]
    sent = [
        None,
        payload(call_type="alist_files", **nothing),
        payload(call_type="call_mcp_tool", **nothing),
        payload(request_tags=health, **nothing),
        payload(model="", model_group="", status="failure", **nothing),
    ]
    assert send(door, sent) == {"accepted": 0, "duplicates": 0, "rejected": []}
    assert send(door, payload(request_tags=health))["accepted"] == 1  # it has cost something


def test_a_call_that_says_no_tokens_is_not_taken_for_free(door: Door) -> None:
    silent = {"prompt_tokens": 0, "completion_tokens": 0, "metadata": {"usage_object": {}}}
    sent = [
        payload(call_type="aspeech", response_cost=0.015, **silent),
        payload(call_type="amoderation", litellm_call_id="free", response_cost=0.0, **silent),
    ]
    answer = send(door, sent)
    assert answer["accepted"] == 1
    assert [(each["index"], each["reason"]) for each in answer["rejected"]] == [
        (0, "missing_usage")
    ]


def test_a_response_that_is_fetched_again_counts_once(door: Door) -> None:
    fetched = [payload(call_type="aget_responses", litellm_call_id=each) for each in "ab"]
    assert send(door, fetched)["accepted"] == 1


def test_a_payload_that_is_wrong_is_named_and_spoils_no_other(door: Door) -> None:
    wrong: list[Any] = [
        payload(startTime="yesterday"),
        payload(startTime=1e305, status="failure"),
        payload(model=None, model_group=None),
        payload(litellm_call_id=None, id=None),
        payload(metadata={"usage_object": {"prompt_tokens": -1}}),
        3,
        payload(),
    ]
    answer = send(door, wrong)
    assert answer["accepted"] == 1
    assert [(each["index"], each["reason"]) for each in answer["rejected"]] == [
        (0, "invalid_timestamp"),
        (1, "invalid_timestamp"),
        (2, "missing_model"),
        (3, "missing_id"),
        (4, "negative_tokens"),
        (5, "wrong_type"),
    ]


def test_what_pythons_json_writes_and_json_does_not_have_is_read(door: Door) -> None:
    odd = json.dumps([payload(messages="half a pair: \ud83d", response={"scores": [float("nan")]})])
    assert "NaN" in odd
    assert send(door, odd.encode())["accepted"] == 1
    assert send(door, b"\n".join([odd[1:-1].encode()] * 2))["duplicates"] == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1, 2"])
def test_a_body_that_is_no_json_is_refused(door: Door, content: bytes) -> None:
    response = post(door.http, door.key, content)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("The body is")


def test_a_limit_is_told_so_that_litellm_sends_again() -> None:
    answer = LITELLM.refuse(Problem(429, "Slower.", retry_after="7"), "application/json")
    assert (answer.status, answer.headers) == (503, ((b"retry-after", b"7"),))


def test_twenty_megabytes_are_taken(door: Door) -> None:
    long = "x" * 40_000
    sent = [payload(litellm_call_id=str(n), messages=long) for n in range(512)]
    body = json.dumps(sent).encode()
    assert len(body) > 20_000_000
    assert send(door, body)["accepted"] == 512


def test_no_word_of_a_prompt_is_kept(door: Door) -> None:
    secret = "the launch code is 0000"
    refused = payload(messages=secret, response=secret, prompt_tokens="many", error_str=secret)
    answer = send(door, [refused, payload(messages=secret, response=secret)])
    assert answer["accepted"] == 1
    assert "launch" not in str(answer)
    kept = door.database.execute("SELECT * FROM usage_event").fetchall()
    assert "launch" not in str(kept)
    examples = until(lambda: door.database.execute("SELECT * FROM rejected_example").fetchall())
    assert "launch" not in str(examples)
