"""One call is one event, whoever tells of it, how often, and in whichever body."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from otlp_attributes import CLAUDE, NEW, OPENINFERENCE
from otlp_bodies import Exporter, logs, span, traces

from ingest.events import FIELDS
from ingest.examples import example_of

RESPONSE = {"gen_ai.response.id": "chatcmpl-00000000000001"}
MESSAGE = {"gen_ai.response.id": "msg_00000000000000000001"}
WRAPPER = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.token_count.prompt": 1200,
    "llm.token_count.completion": 350,
    "session.id": "s-1",
}
OF_TWO = {"llm.token_count.prompt": 2400, "llm.token_count.completion": 700}
EMBEDDING = {
    "gen_ai.operation.name": "embeddings",
    "gen_ai.request.model": "text-embedding-3-small",
    "gen_ai.usage.input_tokens": 12,
}


def summed(*bodies: list[Any]) -> tuple[int, int]:
    """Calls and input tokens of these bodies' events, each id once."""
    events = {event.id: event for event in itertools.chain(*bodies)}
    return len(events), sum(event.input_tokens or 0 for event in events.values())


def test_two_records_of_one_response_are_one_call_and_the_richer_one_is_believed() -> None:
    outer = span(
        attributes=CLAUDE | MESSAGE | {"user.id": "u-1", "gen_ai.usage.input_tokens": 1712}
    )
    native = CLAUDE | MESSAGE | {"gen_ai.usage.cache_write.input_tokens": 512}
    inner = span(outer, attributes=native | {"anthropic.response.service_tier": "batch"})
    for order in ([outer, inner], [inner, outer]):
        [event] = Exporter().events(*order)
        assert (event.cache_creation_input_tokens, event.service_tier) == (512, "batch")
        assert event.user == "u-1"


def test_a_response_keeps_its_id_in_every_body() -> None:
    exporter = Exporter()
    one = exporter.events(span(attributes=NEW | RESPONSE))
    other = exporter.events(span(attributes=NEW | RESPONSE))
    assert [event.id for event in one + other] == ["chatcmpl-00000000000001"] * 2


def test_an_id_that_repeats_by_nature_is_none() -> None:
    short = NEW | {"gen_ai.response.id": "chatcmpl-731"}  # Ollama's
    events = Exporter().events(span(attributes=short), span(attributes=short))
    assert len({event.id for event in events}) == 2


@pytest.mark.parametrize("apart", [False, True], ids=["in one body", "each in its own"])
@pytest.mark.parametrize("names", ["inner outer", "outer inner", "inner middle outer"])
def test_a_call_around_a_call_with_the_same_usage_is_that_call(names: str, apart: bool) -> None:
    outer = span(attributes=WRAPPER)
    middle = span(outer)
    inner = span(middle if "middle" in names else outer, attributes=NEW | RESPONSE)
    spans = {"outer": outer, "middle": middle, "inner": inner}
    sent = [spans[name] for name in names.split()]
    exporter = Exporter()
    bodies = [[each] for each in sent] if apart else [sent]
    assert summed(*(exporter.events(*body) for body in bodies)) == (1, 1200)


def test_what_only_the_outer_span_says_is_kept() -> None:
    outer = span(attributes=WRAPPER)
    [event] = Exporter().events(outer, span(outer, attributes=NEW | RESPONSE))
    assert (event.session, event.id) == ("s-1", "chatcmpl-00000000000001")


def test_a_call_around_several_with_their_sum_is_these() -> None:
    outer = span(attributes=WRAPPER | OF_TWO)
    inner = [
        span(outer, attributes=NEW | {"gen_ai.response.id": f"chatcmpl-0000000000000{number}"})
        for number in range(2)
    ]
    assert summed(Exporter().events(outer, *inner)) == (2, 2400)
    exporter = Exporter()
    assert summed(*(exporter.events(each) for each in [*inner, outer])) == (2, 2400)


def test_a_call_with_usage_of_its_own_around_another_is_two() -> None:
    outer = span(attributes=NEW | {"gen_ai.usage.input_tokens": 90})
    assert summed(Exporter().events(outer, span(outer, attributes=NEW))) == (2, 1290)


def test_a_call_without_usage_around_one_with_it_is_that_one() -> None:
    silent = {"gen_ai.operation.name": "acompletion", "gen_ai.request.model": "gpt-4o"}
    outer = span(attributes=silent)
    assert summed(Exporter().events(outer, span(outer, attributes=NEW))) == (1, 1200)


def test_a_stream_that_says_no_usage_has_that_of_the_span_around_it() -> None:
    silent = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    outer = span(attributes=WRAPPER)
    [event] = Exporter().events(outer, span(outer, attributes=silent | RESPONSE))
    assert (event.id, event.input_tokens) == ("chatcmpl-00000000000001", 1200)


def test_attempts_that_failed_are_calls_of_their_own() -> None:
    outer = span(attributes=WRAPPER)
    failed = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    attempt = span(outer, failed="Error code: 429", attributes=failed)
    events = Exporter().events(attempt, span(outer, attributes=NEW), outer)
    assert sorted(str(event.status) for event in events) == ["ok", "throttled"]
    assert summed(events) == (2, 1200)


def test_an_embedding_around_an_embedding_is_one() -> None:
    outer = span(
        attributes={
            "openinference.span.kind": "EMBEDDING",
            "embedding.model_name": "text-embedding-3-small",
            "llm.token_count.prompt": 12,
        }
    )
    assert summed(Exporter().events(outer, span(outer, attributes=EMBEDDING))) == (1, 12)


def test_an_agents_sum_is_never_added() -> None:
    agent = span(attributes=NEW | {"gen_ai.operation.name": "invoke_agent"})
    calls = [span(agent, attributes=NEW), span(agent, attributes=OPENINFERENCE)]
    assert summed(Exporter().events(agent, *calls)) == (2, 2400)


def test_a_call_that_can_be_told_neither_as_one_nor_as_another_is_refused() -> None:
    silent = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    refused = Exporter().decode(traces(span(attributes=silent)))
    assert [each.reason for each in refused.rejections] == ["missing_usage"]
    shape = example_of(refused.samples[0]).shape
    assert shape["model"] == "text"
    assert not shape.keys() - FIELDS


def record(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The inference event that accompanies a span."""
    return {
        "traceId": of["traceId"],
        "spanId": of["spanId"],
        "timeUnixNano": of["endTimeUnixNano"],
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": of["attributes"],
        **more,
    }


@pytest.mark.parametrize("identified", [RESPONSE, {}], ids=["with response id", "without"])
@pytest.mark.parametrize("first", ["span", "record"])
def test_a_log_record_of_a_call_is_that_call(identified: dict[str, str], first: str) -> None:
    call = span(attributes=NEW | identified)
    bodies = [traces(call), logs(record(call))]
    if first == "record":
        bodies.reverse()
    exporter = Exporter()
    assert summed(*(list(exporter.decode(body).events) for body in bodies)) == (1, 1200)


@pytest.mark.parametrize("first", ["spans", "record"])
def test_a_log_record_of_a_span_around_a_call_adds_nothing(first: str) -> None:
    outer = span(attributes=WRAPPER)
    bodies = [traces(span(outer, attributes=NEW | RESPONSE), outer), logs(record(outer))]
    if first == "record":
        bodies.reverse()
    exporter = Exporter()
    assert summed(*(list(exporter.decode(body).events) for body in bodies)) == (1, 1200)


def test_other_log_records_are_passed_over() -> None:
    call = span(attributes=NEW)
    choice = record(call, eventName="gen_ai.choice")
    named = {"key": "event.name", "value": {"stringValue": "gen_ai.user.message"}}
    older = record(call, eventName="", attributes=[named, *call["attributes"]])
    assert Exporter().decode(logs(choice, older)).total == 0


def test_the_same_body_again_says_the_same() -> None:
    outer = span(attributes=WRAPPER)
    body = traces(span(outer, attributes=NEW | RESPONSE), outer, span(attributes=EMBEDDING))
    exporter = Exporter()
    first = [event.id for event in exporter.decode(body).events]
    assert [event.id for event in exporter.decode(body).events] == first
    assert len(first) == 2
