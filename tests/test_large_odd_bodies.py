"""A large body is taken as a small one is, whatever is odd about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from ingest_server import event
from litellm_payloads import payload
from otlp_attributes import NEW
from otlp_bodies import span, traces

from ingest.buffers import SMALL_BYTES, Body, mapped
from ingest.doors import otlp
from ingest.doors.cloudevents import CLOUDEVENTS
from ingest.doors.door import Door, gathered
from ingest.doors.litellm import LITELLM
from ingest.doors.native import EVENTS

JSON = {b"content-type": b"application/json"}
NDJSON = {b"content-type": b"application/x-ndjson"}
BINARY = {**JSON, b"ce-specversion": b"1.0", b"ce-source": b"/app", b"ce-type": b"t"}
HALF = "cut \ud83d"
LONG = "x" * 100_000
TRACES = otlp.doors()[0]


def cloud(number: int, **fields: Any) -> dict[str, Any]:
    told = {"specversion": "1.0", "type": "t", "source": "/app", "id": f"call-{number}"}
    at = datetime.now(UTC).isoformat()
    return {**told, "time": at, "data": {"model": "gpt-4o", "input_tokens": number, **fields}}


def padded(told: Any) -> bytes:
    return b" " * SMALL_BYTES + json.dumps(told).encode() + b"\n"


NATIVE = [
    event(),
    event(prompt=HALF),
    event(prompt=HALF + LONG),
    event(user=HALF),
    event(user=HALF, prompt=LONG),
]
PAYLOADS = [
    payload(),
    payload(messages=HALF, response_cost=float("nan")),
    payload(messages=HALF + LONG, response_cost=float("inf")),
    payload(end_user=HALF, messages='NaN "Infinity" \\' + LONG),
]
ODD: dict[str, tuple[Door, dict[bytes, bytes], bytes]] = {
    "array": (EVENTS, JSON, padded(NATIVE)),
    "envelope": (EVENTS, JSON, padded({"events": NATIVE})),
    "one event": (EVENTS, JSON, padded(event(prompt=HALF + LONG))),
    "lines": (EVENTS, NDJSON, b"\n".join(map(padded, NATIVE))),
    "payloads": (LITELLM, JSON, padded(PAYLOADS)),
    "lines of payloads": (LITELLM, JSON, b"\n".join(map(padded, PAYLOADS))),
    "one payload": (LITELLM, JSON, padded(PAYLOADS[2])),
    "batch": (
        CLOUDEVENTS,
        JSON,
        padded(
            [cloud(1), cloud(2, prompt=HALF), cloud(3, prompt=HALF + LONG), cloud(4, user=HALF)]
        ),
    ),
    "settlement": (
        CLOUDEVENTS,
        JSON,
        padded([cloud(1), cloud(2, corrects="call-1"), cloud(3, corrects="call-1", prompt=HALF)]),
    ),
    "binary mode": (
        CLOUDEVENTS,
        {**BINARY, b"ce-id": b"1", b"ce-time": b"2026-01-02T03:04:05Z"},
        padded({"model": "gpt-4o", "input_tokens": 1, "prompt": HALF + LONG}),
    ),
    "spans": (
        TRACES,
        JSON,
        padded(
            traces(
                *(
                    span(attributes=NEW | {"gen_ai.prompt": text})
                    for text in ("", HALF, HALF + LONG, LONG)
                )
            )
        ),
    ),
}


def decoded(case: str, body: Body) -> Any:
    door, headers, _ = ODD[case]
    form = door.formats[headers[b"content-type"].decode()]
    if form.stream is None or isinstance(body, bytes):
        return form.decode(body, headers, f"{case} {type(body)}")
    return gathered(form.stream(body, headers))


@pytest.mark.parametrize("case", ODD)
def test_a_large_odd_body_comes_to_what_a_small_one_does(case: str) -> None:
    given = ODD[case][2]
    large = mapped(len(given))
    large[:] = given
    expected, found = decoded(case, given), decoded(case, large)
    assert found.events or found.corrections
    assert list(map(msgspec.structs.asdict, found.events)) == list(
        map(msgspec.structs.asdict, expected.events)
    )
    assert list(found.indexes) == list(expected.indexes)
    assert found.corrections == expected.corrections
    if ODD[case][0] is not CLOUDEVENTS:  # of large ones it does not look for them
        assert found.unknown_fields == expected.unknown_fields
    assert [(each.index, each.reason) for each in found.rejections] == [
        (each.index, each.reason) for each in expected.rejections
    ]


def test_a_settlement_that_says_no_time_may_come_in_a_large_batch() -> None:
    told = [cloud(1), cloud(2, corrects="call-1"), cloud(3)]
    del told[1]["time"], told[2]["time"]
    given = padded(told)
    large = mapped(len(given))
    large[:] = given
    read = gathered(CLOUDEVENTS.formats["application/json"].stream(large, JSON))  # type: ignore[misc]
    assert [each.id for _, each in read.corrections] == ["/app|call-2"]
    assert [getattr(each, "undated", False) for each in read.events] == [False, True]
