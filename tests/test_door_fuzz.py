"""Whatever is sent: no answer is 500, valid neighbours are stored, every event is accounted for."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_server import Door, event

from ingest.events import FIELDS
from ingest.rejections import REASONS

anything = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["\0", "\ud800", "\udc00x", "\U0001f600", "x" * 201, "2026-10-01T00:00:00Z", "1e5", "NaN"]
)
numbers = (
    st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([2**31, 2**63, 10**9, 10**9 + 1, 1e308, 5e-324])
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(sorted(FIELDS)) | texts


@st.composite
def mangled(draw: st.DrawFn) -> Any:
    """Anything, or a valid event with some fields replaced or removed."""
    if draw(st.booleans()):
        return draw(json_values)
    fields = event()
    fields.update(draw(st.dictionaries(names, json_values, max_size=3)))
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=1)):
        del fields[name]
    return fields


def accounted(answer: dict[str, Any]) -> int:
    assert all(rejection["reason"] in REASONS for rejection in answer["rejected"])
    assert all(rejection["detail"] for rejection in answer["rejected"])
    count: int = answer["accepted"] + answer["duplicates"] + len(answer["rejected"])
    return count


@anything
@given(body=st.binary(max_size=200), content_type=st.sampled_from(["json", "x-ndjson"]))
def test_any_bytes_are_answered(door: Door, body: bytes, content_type: str) -> None:
    response = door.post(content=body, content_type=f"application/{content_type}")
    assert response.status_code in {200, 400}


@anything
@given(body=st.binary(max_size=200), encoding=st.sampled_from(["gzip", "zstd"]))
def test_any_compressed_bytes_are_answered(door: Door, body: bytes, encoding: str) -> None:
    response = door.post(content=body, content_encoding=encoding)
    assert response.status_code in {200, 400}


@anything
@given(body=json_values)
def test_any_json_is_answered(door: Door, body: Any) -> None:
    text = json.dumps(body, allow_nan=False) if _is_finite(body) else json.dumps(body)
    assert door.post(content=text.encode()).status_code in {200, 400}


def _is_finite(value: Any) -> bool:
    return not any(word in json.dumps(value) for word in ("NaN", "Infinity"))


@anything
@given(events=st.lists(mangled(), max_size=5))
def test_neighbours_of_anything_are_stored(door: Door, events: list[Any]) -> None:
    events = [each for each in events if _is_finite(each)]
    first, last = uuid4().hex, uuid4().hex
    body = json.dumps([event(id=first), *events, event(id=last)]).encode()
    response = door.post(content=body)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert accounted(answer) == len(events) + 2
    assert {rejection["index"] for rejection in answer["rejected"]} <= set(
        range(1, len(events) + 1)
    )
    assert {first, last} <= {row["event_id"] for row in door.rows()}


@anything
@given(lines=st.lists(st.binary(max_size=60) | mangled().map(lambda e: json.dumps(e).encode())))
def test_neighbours_of_any_line_are_stored(door: Door, lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    lines = [line for line in lines if line and not line.isspace()]
    wanted = uuid4().hex
    body = b"\n".join([*lines, json.dumps(event(id=wanted)).encode()])
    response = door.post(content=body, content_type="application/x-ndjson")
    assert response.status_code == 200, response.text
    assert accounted(response.json()) == len(lines) + 1
    assert wanted in {row["event_id"] for row in door.rows()}


@anything
@given(fields=st.dictionaries(names, json_values, max_size=6))
def test_what_is_accepted_is_what_was_sent(door: Door, fields: dict[str, Any]) -> None:
    sent = {**event(), **fields, "id": uuid4().hex}
    if not _is_finite(sent):
        return
    answer = msgspec.json.decode(door.post(content=json.dumps([sent]).encode()).content)
    if answer["accepted"]:
        [row] = [row for row in door.rows() if row["event_id"] == sent["id"]]
        assert row["model"] == sent["model"]
        assert row["session"] == (sent.get("session") or None)
        assert row["tags"] == (sent.get("tags") or None)
