"""POST /api/v1/events: shapes of bodies, what an answer says, what a batch keeps."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import zstandard
from ingest_server import Door, event, result


def ndjson(*events: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in events) + b"\n"


def test_an_event_is_stored_before_it_is_answered(door: Door) -> None:
    assert result(door.post([event()])) == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert len(door.rows()) == 1


def test_one_event_alone_is_taken(door: Door) -> None:
    assert result(door.post(event()))["accepted"] == 1


def test_events_in_an_envelope_are_taken(door: Door) -> None:
    assert result(door.post({"events": [event(), event()]}))["accepted"] == 2


def test_lines_of_json_are_taken(door: Door) -> None:
    body = ndjson(event(), event(), event()) + b"\n\r\n"
    answer = result(door.post(content=body, content_type="application/x-ndjson"))
    assert answer["accepted"] == 3


@pytest.mark.parametrize("body", [b"[]", b'{"events": []}', b" [ ] "])
def test_no_events_are_no_problem(door: Door, body: bytes) -> None:
    answer = result(door.post(content=body))
    assert answer == {"accepted": 0, "duplicates": 0, "rejected": []}
    assert door.batches() == []


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_compressed_bodies_are_taken(door: Door, encoding: str) -> None:
    compress = {"gzip": gzip.compress, "zstd": zstandard.compress, "identity": bytes}[encoding]
    body = compress(json.dumps([event()]).encode())
    assert result(door.post(content=body, content_encoding=encoding))["accepted"] == 1


def test_a_byte_order_mark_and_a_charset_are_no_obstacle(door: Door) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(event()).encode()
    answer = result(door.post(content=body, content_type="application/json; charset=utf-8"))
    assert answer["accepted"] == 1


def test_the_key_may_come_as_x_api_key(door: Door) -> None:
    response = door.http.post("/api/v1/events", json=event(), headers={"x-api-key": door.key})
    assert result(response)["accepted"] == 1


def test_unknown_fields_are_ignored_and_counted(door: Door) -> None:
    answer = result(door.post([event(prompt="secret", zzz=1), event(), event(abc=[])]))
    assert answer == {
        "accepted": 3,
        "duplicates": 0,
        "rejected": [],
        "unknown_fields": 3,
        "unknown_field_names": ["prompt", "zzz", "abc"],
    }
    [batch] = door.batches()
    assert batch["unknown_fields"] == 3
    assert "secret" not in str(door.rows())


def test_only_the_first_unknown_fields_are_named_and_shortened(door: Door) -> None:
    many = {f"{number}{'x' * 500}": 1 for number in range(9)}
    lines = "\n".join(json.dumps(event(**many)) for _ in range(2)).encode()
    answer = result(door.post(content=lines, content_type="application/x-ndjson"))
    assert answer["unknown_fields"] == 18
    assert answer["unknown_field_names"] == [f"{number}{'x' * 59}" for number in range(5)]


def test_an_answer_does_not_speak_of_unknown_fields_where_there_are_none(door: Door) -> None:
    answer = result(door.post([event(), event(model="")]))
    assert answer.keys() == {"accepted", "duplicates", "rejected"}


def test_a_batch_says_what_a_commit_brought(door: Door) -> None:
    good = event(timestamp=datetime.now(UTC).isoformat())
    door.post([good, good, event(input_tokens=-1), event(input_tokens=-2), event(model=5)])
    [batch] = door.batches()
    assert (batch["accepted"], batch["duplicates"]) == (1, 1)
    assert batch["rejected"] == {"negative_tokens": 2, "wrong_type": 1}
    assert batch["format"] == "json"
    assert batch["folded_at"] is None
    assert batch["first_started_at"] == batch["last_started_at"] == door.row()["started_at"]


def test_a_batch_is_kept_even_if_all_was_refused(door: Door) -> None:
    door.post([event(model="")])
    [batch] = door.batches()
    assert (batch["accepted"], batch["rejected"]) == (0, {"empty_model": 1})
    assert batch["first_started_at"] is None


def test_only_post_is_taken(door: Door) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        response = door.http.request(method, "/api/v1/events")
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"


def test_the_process_says_that_it_is_up(door: Door) -> None:
    assert door.http.get("/healthz").json() == {"status": "ok"}


def test_metrics_count_what_came(door: Door) -> None:
    door.post([event(), event(model="")])
    text = door.http.get("/metrics").text
    assert 'farthing_ingest_events_total{outcome="accepted",reason=""}' in text
    assert 'farthing_ingest_events_total{outcome="rejected",reason="empty_model"}' in text
    assert 'farthing_ingest_requests_total{status="200"}' in text
