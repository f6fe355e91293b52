"""Records without a trace, with ids that are none, and with numbers past 64 bits."""

from __future__ import annotations

from typing import Any

import pytest
from ingest_server import Door
from otlp_attributes import NEW
from otlp_bodies import JSON, PROTOBUF, TRACES, Exporter, encoded, logs, span, traces
from test_otlp_same_call import record

from ingest.problems import Problem

ZEROS = {"traceId": "0" * 32, "spanId": "0" * 16}


def answered(number: int) -> dict[str, Any]:
    return span(attributes=NEW | {"gen_ai.response.id": f"chatcmpl-0000000000{number}"})


@pytest.mark.parametrize("nothing", [{"traceId": "", "spanId": ""}, ZEROS], ids=["none", "zeros"])
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_log_records_outside_of_traces_are_calls_of_their_own(
    nothing: dict[str, str], content_type: str
) -> None:
    """As where spans are not recorded at all, and only the events are sent."""
    exporter = Exporter(content_type)
    together = [record(answered(number), **nothing) for number in range(3)]
    decoded = exporter.decode(logs(*together))
    assert len(decoded.events) == 3
    unnamed = [record(span(attributes=NEW), **nothing) for _ in range(2)]
    refused = exporter.decode(logs(*unnamed)).rejections
    assert [rejection.reason for rejection in refused] == ["missing_id"] * 2
    assert len(exporter.decode(logs(record(answered(3), **nothing))).events) == 1


def test_spans_that_claim_to_be_their_own_ancestors_are_read() -> None:
    one, other = answered(1), answered(2)
    for each in (one, other):
        each |= {"traceId": one["traceId"], "spanId": one["spanId"], "parentSpanId": one["spanId"]}
    assert len(Exporter().events(one, other)) == 2
    circle = [span(attributes=NEW | {"gen_ai.usage.input_tokens": 9}), span(one, attributes=NEW)]
    circle[0] |= {"traceId": one["traceId"], "parentSpanId": circle[1]["spanId"]}
    circle[1]["parentSpanId"] = circle[0]["spanId"]
    assert len(Exporter().events(*circle, *circle)) == 2


def test_an_id_of_any_length_is_told_from_others_and_kept_short() -> None:
    exporter = Exporter()
    long = [span(attributes=NEW, traceId="a" * 100_000, spanId=f"{'b' * 500}{n}") for n in (1, 2)]
    ids = {event.id for event in exporter.events(*long)}
    assert len(ids) == 2
    assert max(map(len, ids)) <= 65


def test_a_nul_in_what_a_span_says_of_itself_is_not_stored() -> None:
    call = span(attributes=NEW | {"gen_ai.operation.name": "ch\0at"}, spanId="b\0b")
    [event] = Exporter().events(call)
    assert "\0" not in f"{event.id}{event.operation}"


@pytest.mark.parametrize("place", ["an attribute", "a time"])
def test_a_number_past_64_bits_is_refused(place: str) -> None:
    huge = "1" + "0" * 400
    call = span(attributes=NEW | {"operation.cost": 10**400})
    if place == "a time":
        call = span(attributes=NEW, endTimeUnixNano=huge)
    with pytest.raises(Problem, match="64 bits"):
        Exporter().decode(traces(call))


@pytest.mark.parametrize("printed", ["{1: 2}", "{'prompt_tokens': 'many', 2: {3}}", "{1, 2}"])
def test_a_printed_object_that_is_no_usage_is_passed_over(printed: str) -> None:
    [event] = Exporter().events(span(attributes=NEW | {"metadata.usage_object": printed}))
    assert event.input_tokens == NEW["gen_ai.usage.input_tokens"]


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ({"tag.tags": ["a\0b", "", "\0", " "]}, {"ab": "true"}),
        ({"metadata": '{"\\u0000": "x", "k\\u0000": "v"}'}, {"k": "v"}),
    ],
    ids=["labels", "metadata"],
)
def test_a_nul_or_nothing_in_a_label_costs_no_call(
    door: Door, said: dict[str, Any], tags: dict[str, str]
) -> None:
    headers = {"authorization": f"Bearer {door.key}", "content-type": JSON}
    content = encoded(traces(span(attributes=NEW | said)))
    response = door.http.post(TRACES, content=content, headers=headers)
    assert (response.status_code, response.json()) == (200, {})
    assert door.row()["tags"] == tags
