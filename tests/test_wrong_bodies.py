"""Wrong bodies, encodings and keys are refused as a whole, with a sentence that says what to do."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard
from ingest_server import Door, event, result

from ingest.bodies import MAX_BODY_BYTES
from ingest.doors.native import MAX_EVENTS


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    answer: dict[str, Any] = response.json()
    assert answer["status"] == status
    assert answer["title"]
    assert answer["detail"]
    return answer


UNREADABLE = [
    b"",
    b" ",
    b"{",
    b"[{]",
    b"nonsense",
    b"[1,2",
    b'{"events": [}',
    b"\xff\xfe",
    '[{"id": "ü"}]'.encode("latin-1"),
    json.dumps([event()]).encode("utf-16"),
    b"\x80abc",
    b"[" * 100_000,
    b'[{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    b'[{"id": NaN}]',
    b"5",
    b'"text"',
    b"null",
    b'{"events": 5}',
    gzip.compress(b"[]", mtime=0),
]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_body_that_cannot_be_read_is_400(door: Door, body: bytes) -> None:
    problem(door.post(content=body), 400)
    assert door.batches() == []


SHAPES = 'send one event, an array, or {"events": […]}.'


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", f"The body is empty; {SHAPES}"),
        (b" \r\n\t", f"The body is empty; {SHAPES}"),
        (b"\xef\xbb\xbf", f"The body is empty; {SHAPES}"),
        (gzip.compress(b"", mtime=0), f"The body is empty; {SHAPES}"),
        (b"5", f"This is no event: {SHAPES}"),
        (b"null", f"This is no event: {SHAPES}"),
        (b'{"events": {}}', f"This is no event: {SHAPES}"),
        (b"{", "The body is no readable JSON: Input data was truncated."),
    ],
)
def test_the_refusal_of_a_body_says_what_to_send(door: Door, body: bytes, detail: str) -> None:
    encoding = "gzip" if body.startswith(b"\x1f\x8b") else "identity"
    answer = problem(door.post(content=body, content_encoding=encoding), 400)
    assert answer["detail"] == detail


def test_no_lines_are_no_events_and_no_error(door: Door) -> None:
    answer = result(door.post(content=b"\n", content_type="application/x-ndjson"))
    assert answer == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_an_unreadable_line_is_refused_alone(door: Door) -> None:
    lines = [event(id="a"), "{broken", event(id="b", input_tokens=-1), b"\xff", event(id="c")]
    body = b"\n".join(
        line if isinstance(line, bytes) else
        line.encode() if isinstance(line, str) else json.dumps(line).encode()
        for line in lines
    )  # fmt: skip
    answer = result(door.post(content=body, content_type="application/x-ndjson"))
    assert answer["accepted"] == 2
    assert [(r["index"], r["reason"]) for r in answer["rejected"]] == [
        (1, "malformed_json"),
        (2, "negative_tokens"),
        (3, "malformed_json"),
    ]


def test_lines_none_of_which_is_json_are_400(door: Door) -> None:
    problem(door.post(content=b"a\nb\n", content_type="application/x-ndjson"), 400)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"[]"),
        ("gzip", gzip.compress(b"[]", mtime=0)[:-4]),
        ("gzip", b""),
        ("zstd", b"[]"),
        ("zstd", zstandard.compress(b"[]" * 100)[:-2]),
        ("zstd", b""),
    ],
)
def test_a_damaged_compressed_body_is_400(door: Door, encoding: str, body: bytes) -> None:
    problem(door.post(content=body, content_encoding=encoding), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/xml", "multipart/x"])
def test_another_content_type_is_415(door: Door, content_type: str) -> None:
    problem(door.post(content=b"[]", content_type=content_type), 415)


def test_another_content_encoding_is_415_and_says_which_are_taken(door: Door) -> None:
    response = door.post(content=b"[]", content_encoding="br")
    problem(response, 415)
    assert response.headers["accept-encoding"] == "gzip, deflate, zstd"


def padded(size: int) -> bytes:
    """One event in a body of exactly this many bytes."""
    body = json.dumps([event()]).encode()
    return body[:-1] + b" " * (size - len(body)) + b"]"


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_413(
    door: Door, encoding: str
) -> None:
    compress = {"gzip": gzip.compress, "zstd": zstandard.compress, "identity": bytes}[encoding]
    fits = door.post(content=compress(padded(MAX_BODY_BYTES)), content_encoding=encoding)
    assert result(fits)["accepted"] == 1
    exceeds = door.post(content=compress(padded(MAX_BODY_BYTES + 1)), content_encoding=encoding)
    problem(exceeds, 413)
    assert len(door.rows()) == 1


def test_a_body_without_a_length_is_measured_while_it_comes(door: Door) -> None:
    def pieces() -> Any:
        for _ in range(65):
            yield b" " * 2**20

    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    problem(door.http.post("/api/v1/events", content=pieces(), headers=headers), 413)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_413_and_not_unpacked(door: Door, encoding: str) -> None:
    if encoding == "gzip":
        bomb = gzip.compress(b"0" * 2**20, mtime=0) * 10_000
    else:
        bomb = zstandard.compress(b"0" * 2**30)
    assert len(bomb) < 2**25
    problem(door.post(content=bomb, content_encoding=encoding), 413)


def test_ten_thousand_events_are_taken_and_one_more_is_413(door: Door) -> None:
    events = [event(id=str(number)) for number in range(MAX_EVENTS + 1)]
    problem(door.post(events), 413)
    lines = b"\n".join(json.dumps(each).encode() for each in events)
    problem(door.post(content=lines, content_type="application/x-ndjson"), 413)
    assert door.rows() == []
    assert result(door.post(events[:-1]))["accepted"] == MAX_EVENTS


def test_millions_of_tiny_values_are_413_without_filling_memory(door: Door) -> None:
    problem(door.post(content=b"[" + b"1," * (2**24) + b"1]"), 413)


def test_no_key_is_401_and_says_how(door: Door) -> None:
    response = door.http.post("/api/v1/events", json=[event()])
    problem(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "authorization", ["Bearer fk_unknown", "Bearer", "Basic Zm9vOmJhcg==", "Bearer \xff"]
)
def test_an_unknown_key_is_401(door: Door, authorization: str) -> None:
    response = door.http.post(
        "/api/v1/events",
        json=[event()],
        headers={"authorization": authorization.encode("latin-1")},
    )
    problem(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")
