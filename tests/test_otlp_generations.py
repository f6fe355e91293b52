"""Every generation of attribute names says the same: which call it was, and its tokens."""

from __future__ import annotations

from typing import Any

import pytest
from otlp_attributes import CASES, NEW
from otlp_bodies import JSON, PROTOBUF, Exporter, span


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
@pytest.mark.parametrize("name", CASES)
def test_a_span_says_which_call_and_its_tokens(name: str, content_type: str) -> None:
    given, wanted = CASES[name]
    [event] = Exporter(content_type).events(span(attributes=given))
    assert {field: getattr(event, field) for field in wanted} == wanted
    assert "secret" not in repr(event)


@pytest.mark.parametrize(
    "given",
    [
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.operation.name": "invoke_workflow"},
        {"gen_ai.operation.name": "create_agent"},
        {"gen_ai.operation.name": "execute_tool"},
        {"gen_ai.operation.name": "retrieval"},
        {"gen_ai.operation.name": "plan"},
        {"gen_ai.operation.name": "execute_task"},
        {"gen_ai.operation.name": "fetch_response"},
        {"gen_ai.operation.name": "search_memory"},
        *({"openinference.span.kind": kind} for kind in ("AGENT", "CHAIN", "TOOL", "RETRIEVER")),
        *({"traceloop.span.kind": kind} for kind in ("workflow", "task", "agent", "tool")),
    ],
    ids=lambda given: " ".join(given.values()),
)
def test_sums_of_other_calls_are_passed_over(given: dict[str, Any]) -> None:
    usage = {name: count for name, count in NEW.items() if name != "gen_ai.operation.name"}
    assert Exporter().events(span(attributes=usage | given)) == []


def test_a_span_without_model_or_usage_is_no_call() -> None:
    others = {"http.request.method": "POST"}, {"gen_ai.usage.input_tokens": 5}, {}
    assert Exporter().events(*(span(attributes=given) for given in others)) == []


def test_a_resource_says_whose_the_calls_are() -> None:
    resource = {
        "service.name": "checkout",
        "service.namespace": "shop",
        "deployment.environment": "staging",
        "team": "payments",
        "cost_center": "CC-42",
        "cloud.region": "eu-west-1",
        "telemetry.sdk.name": "opentelemetry",
        "process.pid": 7,
    }
    [event] = Exporter().events(span(attributes=NEW), **resource)
    assert (event.service, event.environment) == ("checkout", "staging")
    assert (event.team, event.region) == ("payments", "eu-west-1")
    assert event.tags == {"service.namespace": "shop", "cost_center": "CC-42"}


def test_a_service_that_nobody_named_is_the_keys() -> None:
    [event] = Exporter().events(span(attributes=NEW), **{"service.name": "unknown_service:python"})
    assert event.service is None


@pytest.mark.parametrize(
    ("failed", "given", "status"),
    [
        ("boom", {}, "error"),
        ("Error code: 429 - slow down", {}, "throttled"),
        ("", {"error.type": "RateLimitError"}, "throttled"),
        ("", {"error.type": "api_error", "http.response.status_code": 429}, "throttled"),
        ("", {"error.type": "asyncio.CancelledError"}, "aborted"),
        ("", {"error.type": "TimeoutError"}, "error"),
        ("", {}, "ok"),
    ],
)
def test_how_a_call_ended(failed: str, given: dict[str, Any], status: str) -> None:
    [event] = Exporter().events(span(failed=failed, attributes=NEW | given))
    assert event.status == status


def test_an_exception_tells_what_failed_and_an_event_when_a_stream_began() -> None:
    call = span(failed="x", attributes={"openinference.span.kind": "LLM", "llm.model_name": "m"})
    begun = str(int(call["startTimeUnixNano"]) + 40 * 10**6)
    told = {"key": "exception.type", "value": {"stringValue": "openai.RateLimitError"}}
    call["events"] = [
        {"name": "First Token Stream Event", "timeUnixNano": begun},
        {"name": "exception", "attributes": [told]},
    ]
    [event] = Exporter(PROTOBUF).events(call)
    assert (event.status, event.ttft_ms) == ("throttled", pytest.approx(40))
