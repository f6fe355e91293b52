"""A wrong event gets the answer the contract names, and its neighbours are stored all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ingest_server import Door, event, result

from ingest.rejections import REASONS


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in event().items() if name != field}


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("missing_id", without("id")),
    ("missing_id", event(id="")),
    ("wrong_type", event(id=None)),
    ("wrong_type", event(id=7)),
    ("too_long", event(id="x" * 201)),
    ("missing_timestamp", without("timestamp")),
    ("naive_timestamp", event(timestamp="2026-10-01T12:00:00")),
    ("invalid_timestamp", event(timestamp="yesterday")),
    ("invalid_timestamp", event(timestamp="2026-02-30T12:00:00Z")),
    ("wrong_type", event(timestamp=1790000000)),
    ("timestamp_in_future", event(timestamp=in_hours(2))),
    ("timestamp_in_future", event(timestamp="9999-12-31T23:59:59-05:00")),
    ("timestamp_too_old", event(timestamp=in_hours(-24 * 402))),
    ("timestamp_too_old", event(timestamp="0001-01-01T00:00:00+05:00")),
    ("missing_model", without("model")),
    ("empty_model", event(model="")),
    ("empty_model", event(model="  ")),
    ("too_long", event(model="m" * 201)),
    ("negative_tokens", event(input_tokens=-1)),
    ("negative_tokens", event(output_tokens=-(10**30))),
    ("absurd_tokens", event(input_tokens=1_000_000_001)),
    ("absurd_tokens", event(cache_read_input_tokens=10**40)),
    ("wrong_type", event(input_tokens=1.5)),
    ("wrong_type", event(input_tokens="100")),
    ("wrong_type", event(input_tokens=True)),
    ("wrong_type", event(input_tokens=[1])),
    ("token_parts_exceed_whole", event(input_tokens=10, cache_read_input_tokens=11)),
    (
        "token_parts_exceed_whole",
        event(input_tokens=10, cache_read_input_tokens=6, cache_creation_input_tokens=5),
    ),
    (
        "token_parts_exceed_whole",
        event(input_tokens=10, cache_read_input_tokens=6, input_audio_tokens=5),
    ),
    (
        "token_parts_exceed_whole",
        event(cache_creation_input_tokens=5, cache_creation_1h_input_tokens=6),
    ),
    ("token_parts_exceed_whole", event(output_tokens=10, reasoning_output_tokens=11)),
    (
        "token_parts_exceed_whole",
        event(output_tokens=10, reasoning_output_tokens=6, output_audio_tokens=5),
    ),
    (
        "conflicting_fields",
        event(cache_write_input_tokens=1, cache_creation_input_tokens=2),
    ),
    ("conflicting_fields", event(usage={"prompt_tokens": 1, "completion_tokens": 1})),
    ("unknown_usage_shape", {**without("input_tokens"), "output_tokens": 0, "usage": {"tok": 1}}),
    ("wrong_type", event(usage=[1])),
    ("unknown_value", event(status="fine")),
    ("unknown_value", event(service_tier="gold")),
    ("unknown_value", event(cache="disk")),
    ("negative_number", event(latency_ms=-0.1)),
    ("out_of_range", event(latency_ms=1e300)),
    ("wrong_type", event(latency_ms="fast")),
    ("out_of_range", event(quality=1.01)),
    ("negative_number", event(quality=-0.01)),
    ("negative_number", event(reported_cost=-1)),
    ("out_of_range", event(reported_cost="1e999999")),
    ("out_of_range", event(reported_cost="1e-999999")),
    ("out_of_range", event(reported_cost="NaN")),
    ("out_of_range", event(gpu_seconds="Infinity")),
    ("wrong_type", event(gpu_seconds="much")),
    ("too_long", event(user="u" * 201)),
    ("too_long", event(prompt_hash="h" * 65)),
    ("too_many", event(tags={str(number): "x" for number in range(17)})),
    ("wrong_type", event(tags={"a": 1})),
    ("wrong_type", event(tags=["a"])),
    ("too_long", event(tags={"a": "x" * 201})),
    ("empty_name", event(tags={"": "x"})),
    ("empty_name", event(stages_ms={"": 1})),
    ("negative_number", event(stages_ms={"prefill": -1})),
    ("wrong_type", event(stages_ms={"prefill": "1"})),
    ("invalid_characters", event(user="a\0b")),
    ("invalid_characters", event(id="\0")),
    ("invalid_characters", event(tags={"a\0": "b"})),
    ("invalid_characters", event(tags={"a": "b\0"})),
    ("invalid_characters", event(stages_ms={"\0": 1})),
    ("invalid_characters", event(session="\ud800")),
    ("invalid_characters", event(feature="x\udfff")),
]


@pytest.mark.parametrize(("reason", "bad"), REFUSED)
def test_a_bad_event_is_refused_by_name_and_its_neighbours_are_stored(
    door: Door, reason: str, bad: dict[str, Any]
) -> None:
    before, after = event(id="before"), event(id="x-after")
    answer = result(door.post(content=json.dumps([before, bad, after]).encode()))
    assert answer["accepted"] == 2
    [rejection] = answer["rejected"]
    assert (rejection["index"], rejection["reason"]) == (1, reason)
    assert rejection["detail"]
    assert reason in REASONS
    if isinstance(bad.get("id"), str) and "\0" not in bad["id"]:
        assert rejection["id"] == bad["id"][:200]
    assert [row["event_id"] for row in door.rows()] == ["before", "x-after"]


@pytest.mark.parametrize("bad", [1, None, "x", [], [[1]], True])
def test_what_is_no_object_is_no_event(door: Door, bad: Any) -> None:
    answer = result(door.post([event(), bad, event()]))
    assert answer["accepted"] == 2
    [rejection] = answer["rejected"]
    assert (rejection["index"], rejection["id"], rejection["reason"]) == (1, None, "wrong_type")


def test_the_sentence_names_the_field_and_what_to_do(door: Door) -> None:
    answer = result(door.post([event(input_tokens=10, cache_read_input_tokens=15)]))
    assert answer["rejected"][0]["detail"] == (
        "input_tokens: write the total, including cache_read, cache_creation and audio tokens; "
        "these exceed it by 5."
    )


def test_timestamps_may_run_an_hour_ahead_and_reach_back_as_far_as_retention(door: Door) -> None:
    body = [event(timestamp=in_hours(0.99)), event(timestamp=in_hours(-24 * 400))]
    assert result(door.post(body))["accepted"] == 2


def test_a_timestamp_a_little_over_an_hour_ahead_is_in_the_future(door: Door) -> None:
    answer = result(door.post([event(timestamp=in_hours(1.01))]))
    assert answer["rejected"][0]["reason"] == "timestamp_in_future"
