"""Every client of the conventions at the public door, and what else is around their calls."""

from __future__ import annotations

import gzip
from typing import Any
from uuid import uuid4

import pytest
from ingest_server import Door
from otlp_attributes import CASES, NEW
from otlp_bodies import JSON, METRICS, PROTOBUF, TRACES, encoded, span, traces

SUMS = {"gen_ai.usage.input_tokens": 9000, "gen_ai.usage.output_tokens": 900}
AROUND: dict[str, dict[str, Any]] = {
    "an agent": NEW | SUMS | {"gen_ai.operation.name": "invoke_agent"},
    "pydantic-ai's agent": {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.aggregated_usage.input_tokens": 9000,
    },
    "a workflow": NEW | SUMS | {"gen_ai.operation.name": "invoke_workflow"},
    "a tool": NEW | SUMS | {"gen_ai.operation.name": "execute_tool"},
    "a task": NEW | SUMS | {"gen_ai.operation.name": "execute_task"},
    "a plan": NEW | SUMS | {"gen_ai.operation.name": "plan"},
    "a retrieval": NEW | SUMS | {"gen_ai.operation.name": "retrieval"},
    "an answer fetched again": NEW | SUMS | {"gen_ai.operation.name": "fetch_response"},
    "OpenInference's chain": {"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 9000},
    "OpenInference's agent": {"openinference.span.kind": "AGENT", "llm.token_count.prompt": 9000},
    "Traceloop's workflow": {"traceloop.span.kind": "workflow", "traceloop.workflow.name": "w"},
    "LiteLLM's raw request": {"llm.openai.model": "gpt-4o", "llm.openai.usage": "{}"},
}


def send(door: Door, path: str, body: bytes, content_type: str, coding: str) -> None:
    headers = {"authorization": f"Bearer {door.key}", "content-type": content_type}
    if coding:
        body, headers["content-encoding"] = gzip.compress(body), coding
    response = door.http.post(path, content=body, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    assert response.content == (b"{}" if content_type == JSON else b"")


def told_apart(attributes: dict[str, Any]) -> dict[str, Any]:
    """The same call with an answer of its own."""
    answer = f"chatcmpl-{uuid4().hex}"
    given = {name: each for name, each in attributes.items() if name != "output.value"}
    return given | {"gen_ai.response.id": answer}


@pytest.mark.parametrize("coding", ["", "gzip"], ids=["plain", "gzip"])
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_calls_of_every_generation_count_once_each(
    door: Door, content_type: str, coding: str
) -> None:
    calls = [span(attributes=told_apart(attributes)) for attributes, _ in CASES.values()]
    body = encoded(traces(*calls), content_type)
    for _ in range(2):
        send(door, TRACES, body, content_type, coding)
    assert len(door.rows()) == len(CASES)


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_nothing_around_a_call_is_priced(door: Door, content_type: str) -> None:
    outer = [span(attributes=attributes) for attributes in AROUND.values()]
    inner = [span(each, attributes=told_apart(NEW)) for each in outer]
    for spans in (inner, outer, [*outer, *inner]):
        send(door, TRACES, encoded(traces(*spans), content_type), content_type, "gzip")
    rows = door.rows()
    assert {row["uncached_input_tokens"] for row in rows} == {1200}
    assert len(rows) == len(AROUND)


@pytest.mark.parametrize("error", ["GeneratorExit", "asyncio.CancelledError"])
def test_a_stream_that_was_broken_off_is_recorded_until_somebody_says_what_it_cost(
    door: Door, error: str
) -> None:
    answer = {"gen_ai.response.id": f"chatcmpl-{uuid4().hex}"}
    silent = {name: each for name, each in NEW.items() if "usage" not in name}
    broken = span(attributes=silent | answer | {"error.type": error}, failed="cancelled")
    for _ in range(2):
        send(door, TRACES, encoded(traces(broken)), JSON, "")
    assert (door.row()["status"], door.row()["text_output_tokens"]) == ("aborted", 0)
    send(door, TRACES, encoded(traces(span(attributes=NEW | answer))), JSON, "")
    assert sorted(row["text_output_tokens"] for row in door.rows()) == [0, 350]


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_metrics_are_answered_and_never_billed(door: Door, content_type: str) -> None:
    send(door, METRICS, b'{"resourceMetrics": []}', content_type, "gzip")
    assert door.rows() == []
