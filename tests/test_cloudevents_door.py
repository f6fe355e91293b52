"""CloudEvents in every mode, and OpenMeter's way of counting tokens, become events once."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_server import Door, result

from ingest.doors.cloudevents import identity, read
from ingest.facts import LatencyTiers, Reader, Scope, Window
from ingest.problems import Problem
from ingest.rejections import Rejected

PATH = "/api/v1/ingest/cloudevents"
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
NOW = datetime.now(UTC).replace(microsecond=0)
DATA = {"provider": "openai", "model": "gpt-4o", "input_tokens": 100, "output_tokens": 20}


def envelope(**changed: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "//gateway/eu-1",
        "type": "llm.usage.v1",
        "subject": "customer-7",
        "time": NOW.isoformat(),
        "data": DATA,
        **changed,
    }


def send(door: Door, body: Any, content_type: str = STRUCTURED, **headers: str) -> httpx.Response:
    return door.http.post(
        PATH,
        content=body if isinstance(body, bytes) else json.dumps(body),
        headers={
            "authorization": f"Bearer {door.key}",
            "content-type": content_type,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def test_a_structured_event_counts_once(door: Door) -> None:
    sent = envelope()
    counted = {"accepted": 1, "duplicates": 0, "rejected": []}
    assert result(send(door, sent, STRUCTURED + "; charset=utf-8")) == counted
    assert result(send(door, sent, "application/json"))["duplicates"] == 1
    row = door.row()
    assert row["event_id"] == f"//gateway/eu-1|{sent['id']}"
    assert (row["started_at"], row["user_name"], row["model"]) == (NOW, "customer-7", "gpt-4o")
    assert (row["uncached_input_tokens"], row["text_output_tokens"]) == (100, 20)


def test_a_batch_is_taken_event_by_event(door: Door) -> None:
    answer = result(send(door, [envelope(), envelope(id=""), envelope()], BATCH))
    assert answer["accepted"] == 2
    assert [each["index"] for each in answer["rejected"]] == [1]
    assert result(send(door, [], BATCH)) == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_a_binary_event_is_read_from_its_headers(door: Door) -> None:
    given = {
        "ce_specversion": "1.0",
        "ce_id": "call%2D1",
        "ce_source": '"/shop/%C3%A9"',
        "ce_type": "llm.usage.v1",
        "ce_subject": "Ren%C3%A9e",
        "ce_time": NOW.isoformat(),
    }
    for _ in range(2):
        answer = result(send(door, DATA, "application/json", **given))
    assert answer["duplicates"] == 1
    assert door.row()["event_id"] == "/shop/é|call-1"
    assert door.row()["user_name"] == "Renée"


def test_the_same_id_of_two_sources_is_two_events(door: Door) -> None:
    sent = [envelope(id="1", source=source) for source in ("/a", "/b", "/a", "/" + "c" * 300)]
    answer = result(send(door, sent, BATCH))
    assert (answer["accepted"], answer["duplicates"]) == (3, 1)


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_an_attribute_that_is_missing_is_named(door: Door, name: str, value: object) -> None:
    [rejection] = result(send(door, envelope(**{name: value})))["rejected"]
    assert rejection["reason"] == "missing_attribute"
    assert rejection["detail"].startswith(f"{name}:")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"specversion": "0.3"}, "unknown_value"),
        ({"time": "yesterday"}, "invalid_timestamp"),
        ({"time": "2026-10-01T12:00:00"}, "naive_timestamp"),
        ({"data": {"input_tokens": 1}}, "missing_model"),
        ({"data": None}, "wrong_type"),
        ({"data": "text"}, "wrong_type"),
        ({"data": {**DATA, "input_tokens": -1}}, "negative_tokens"),
        ({"data": {"tokens": 5, "model": "m", "type": "smell"}}, "unknown_value"),
        ({"data": {"tokens": "x", "model": "m"}}, "wrong_type"),
        ({"data_base64": "%%%"}, "wrong_type"),
    ],
)
def test_what_is_wrong_is_named(door: Door, changed: Any, reason: str) -> None:
    [rejection] = result(send(door, envelope(**changed)))["rejected"]
    assert rejection["reason"] == reason


def test_openmeters_counts_of_one_call_add_up(door: Door) -> None:
    counts = {"input": 100, "output": "20", "cache_read": 50, "reasoning": 7.0, "prompt": 1}
    sent = [
        envelope(type="prompt", data={"tokens": tokens, "model": "gpt-4o", "type": kind})
        for kind, tokens in counts.items()
    ]
    assert result(send(door, sent, "application/json"))["accepted"] == 5
    rows = door.rows()
    assert sum(row["uncached_input_tokens"] for row in rows) == 101
    assert sum(row["cache_read_input_tokens"] for row in rows) == 50
    assert sum(row["text_output_tokens"] for row in rows) == 20
    assert sum(row["reasoning_output_tokens"] for row in rows) == 7
    assert {row["user_name"] for row in rows} == {"customer-7"}


def test_other_names_and_other_ways_of_writing_data_are_read(door: Door) -> None:
    data = {"model": "gpt-4o", "input_tokens": 10, "cache_read_tokens": 4, "user": "u", "odd": 1}
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    sent = envelope(data_base64=encoded, time=None, data=None)
    answer = result(send(door, sent))
    assert (answer["accepted"], answer["unknown_field_names"]) == (1, ["odd"])
    row = door.row()
    assert (row["cache_read_input_tokens"], row["user_name"]) == (4, "u")
    assert abs(row["started_at"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_another_content_type_is_refused_with_what_is_taken(door: Door) -> None:
    refused = send(door, envelope(), "application/cloudevents+avro")
    assert refused.status_code == 415
    assert BATCH in refused.headers["accept"]


@pytest.mark.parametrize("content", [b"", b"{", b"nonsense"])
def test_a_body_that_is_no_json_is_refused(door: Door, content: bytes) -> None:
    assert send(door, content).status_code == 400


def test_identities_of_different_pairs_differ() -> None:
    assert identity("a", "b|c") != identity("a|b", "c")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
HEADERS = st.dictionaries(st.sampled_from([b"ce-id", b"ce-source", b"ce-x"]), st.binary())


@settings(max_examples=150, deadline=None)
@given(st.data(), HEADERS)
def test_any_body_is_read_or_refused(data: st.DataObject, headers: dict[bytes, bytes]) -> None:
    """Never by another error than a Problem, of which the application would make a 500."""
    names = st.sampled_from([*envelope(), "data_base64"])
    changed = data.draw(st.dictionaries(names, ANYTHING, max_size=3))
    inner = {**DATA, **data.draw(st.dictionaries(st.sampled_from(["tokens", "type"]), ANYTHING))}
    mixed = {**envelope(data=inner), **changed}
    body = json.dumps(data.draw(st.sampled_from([mixed, [mixed, 1], changed]))).encode()
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    scope = Scope(1, "s", "s", "", "")
    reader = Reader(scope, Window.at(NOW, timedelta(days=400)), LatencyTiers())
    with suppress(Problem):
        for event in read(body, headers, NOW).events:
            with suppress(Rejected):
                reader.read(event)
