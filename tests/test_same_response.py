"""A provider's response is one call, through whichever doors and instrumentations it is told."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from ingest_server import Door, event, result
from litellm_payloads import payload
from litellm_payloads import post as post_litellm
from otlp_attributes import NEW
from otlp_bodies import TRACES, encoded, span, traces

from ingest.client import from_openai

CLOUDEVENTS = "/api/v1/ingest/cloudevents"


def post_spans(door: Door, *spans: dict[str, Any]) -> None:
    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    response = door.http.post(TRACES, content=encoded(traces(*spans)), headers=headers)
    assert (response.status_code, response.json()) == (200, {})


def by_otlp(door: Door, response: str, **more: Any) -> None:
    post_spans(door, span(attributes=NEW | {"gen_ai.response.id": response}, **more))


def by_litellm(door: Door, response: str, **more: Any) -> None:
    told = payload(**{"id": response, "litellm_call_id": str(uuid4()), **more})
    result(post_litellm(door.http, door.key, json.dumps([told]).encode()))


def by_event(door: Door, response: str, **more: Any) -> None:
    result(door.post(event(response_id=response, **more)))


def by_event_id(door: Door, response: str, **more: Any) -> None:
    result(door.post(event(id=response, **more)))


def by_cloudevent(door: Door, response: str, **more: Any) -> None:
    data = {"provider": "openai", "model": "gpt-4o", "input_tokens": 9, "response_id": response}
    told = {"specversion": "1.0", "type": "llm.usage.v1", "source": "/app", "id": uuid4().hex}
    headers = {"authorization": f"Bearer {door.key}"}
    answer = door.http.post(CLOUDEVENTS, json={**told, "data": data, **more}, headers=headers)
    result(answer)


DOORS: dict[str, Callable[..., None]] = {
    "OTLP": by_otlp,
    "LiteLLM": by_litellm,
    "an event": by_event,
    "an event of that id": by_event_id,
    "a CloudEvent": by_cloudevent,
}


def new_response() -> str:
    return f"chatcmpl-{uuid4().hex}"


# LiteLLM's own calls are told apart by the ids that it gives them.
@pytest.mark.parametrize(
    ("first", "second"), [pair for pair in product(DOORS, repeat=2) if set(pair) != {"LiteLLM"}]
)
def test_a_call_told_at_two_doors_counts_once(door: Door, first: str, second: str) -> None:
    response = new_response()
    DOORS[first](door, response)
    [stored] = door.rows()
    DOORS[second](door, response)
    assert door.rows() == [stored]
    batches = door.batches()
    assert sum(batch["accepted"] for batch in batches) == 1
    assert sum(batch["duplicates"] for batch in batches) == 1


def test_what_is_sent_again_after_another_door_told_of_it_changes_nothing(door: Door) -> None:
    response, call = new_response(), str(uuid4())
    again = event(response_id=response)
    for _ in range(2):
        by_otlp(door, response)
        by_litellm(door, response, litellm_call_id=call)
        door.post(again)
    assert len(door.rows()) == 1


def test_both_records_of_a_call_may_come_in_one_body(door: Door) -> None:
    response = new_response()
    told = [event(response_id=response), event(), event(response_id=response)]
    assert result(door.post(told)) == {"accepted": 2, "duplicates": 1, "rejected": []}


def test_calls_of_litellm_are_told_apart_by_its_call_ids(door: Door) -> None:
    response = new_response()
    for _ in range(2):
        by_litellm(door, response)
    assert len(door.rows()) == 2


def test_a_response_that_litellm_packed_up_is_that_response(door: Door) -> None:
    response = f"resp_{uuid4().hex}"
    packed = f"litellm:custom_llm_provider:openai;model_id:None;response_id:{response}"
    by_otlp(door, response)
    sent = f"resp_{base64.b64encode(packed.encode()).decode()}"
    by_litellm(door, sent, call_type="aresponses")
    by_otlp(door, sent)  # as the application sees it that calls the gateway
    by_event(door, sent)
    assert len(door.rows()) == 1


def test_a_hit_of_the_response_cache_is_an_event_of_its_own(door: Door) -> None:
    response = new_response()
    by_otlp(door, response)
    by_litellm(door, response, cache_hit=True, response_cost=0.0)
    by_event(door, response, cache="redis")
    hit = NEW | {"gen_ai.response.id": response, "litellm.cache_hit": True}
    post_spans(door, span(attributes=hit))
    assert sorted(row["cache"] for row in door.rows()) == ["memory", "none", "redis", "redis"]


def test_attempts_without_a_response_are_events_of_their_own(door: Door) -> None:
    call = str(uuid4())
    for _ in range(2):
        by_litellm(door, call, litellm_call_id=call, status="failure", startTime=now_seconds())
    assert len(door.rows()) == 2


def now_seconds() -> float:
    return datetime.now(UTC).timestamp() - 60


def test_another_providers_response_of_the_same_id_is_another_call(door: Door) -> None:
    response = new_response()
    by_event(door, response, provider="openai")
    by_event(door, response, provider="anthropic")
    by_event(door, response, provider="azure.ai.openai")
    by_event(door, response, provider=None)
    assert [row["provider"] for row in sorted(door.rows(), key=lambda row: row["started_at"])] == [
        "openai",
        "anthropic",
    ]


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one body"])
def test_each_kind_of_provider_tells_of_a_response_once(door: Door, together: bool) -> None:
    response = new_response()
    told = [event(response_id=response, provider=kind) for kind in ("openai", *["anthropic"] * 2)]
    for body in [told] if together else told:
        result(door.post(body))
    assert sorted(row["provider"] for row in door.rows()) == ["anthropic", "openai"]
    by_otlp(door, response)
    by_event(door, response, provider="anthropic", input_tokens=None, output_tokens=None)
    assert len(door.rows()) == 2


def long_responses() -> list[str]:
    start = f"resp_{uuid4().hex * 8}"
    return [f"{start}1", f"{start}2"]


@pytest.mark.parametrize("told_by", [each for each in DOORS if each != "an event of that id"])
def test_long_ids_are_told_apart_by_their_ends_and_alike_at_every_door(
    door: Door, told_by: str
) -> None:
    for response in long_responses():
        DOORS[told_by](door, response)
        by_event(door, response)
        by_otlp(door, response)
    assert len(door.rows()) == 2


def test_the_client_cuts_no_id(door: Door) -> None:
    for response in long_responses():
        fields = from_openai({"id": response, "model": "gpt-4o"})
        assert fields["response_id"] == response
        by_event(door, fields["response_id"])
    assert len(door.rows()) == 2


def test_a_response_hides_none_of_another_source(door: Door) -> None:
    response = new_response()
    by_otlp(door, response)
    other = door.new_key(f"other-{door.source}")
    headers = {"authorization": f"Bearer {other}"}
    assert result(door.post(event(response_id=response), **headers))["accepted"] == 1


def test_an_id_that_repeats_by_nature_is_no_response(door: Door) -> None:
    for _ in range(2):
        by_event(door, "chatcmpl-731")
    assert len(door.rows()) == 2


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "late"])
def test_two_records_of_a_call_around_midnight_are_one(door: Door, order: int) -> None:
    response = new_response()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight - timedelta(seconds=2), midnight + timedelta(seconds=1)][::order]
    first, second = [int(moment.timestamp() * 1e9) for moment in moments]
    by_otlp(door, response, startTimeUnixNano=str(first), endTimeUnixNano=str(first + 10**9))
    by_litellm(door, response, startTime=second / 1e9, endTime=second / 1e9 + 1)
    assert len(door.rows()) == 1


def test_a_call_that_was_broken_off_hides_none_that_says_what_it_cost(door: Door) -> None:
    response = new_response()
    aborted = {"input_tokens": None, "output_tokens": None, "status": "aborted"}
    by_event(door, response, **aborted)
    by_litellm(door, response)
    by_event(door, response, **aborted)
    assert sorted(row["text_output_tokens"] for row in door.rows()) == [0, 150]


def test_many_tell_of_the_same_calls_at_once_and_each_counts_once(door: Door) -> None:
    responses = [new_response() for _ in range(40)]
    answers: list[dict[str, Any]] = []

    def send(turn: int) -> None:
        ordered = responses[turn:] + responses[:turn]
        told = [event(response_id=response) for response in ordered]
        answers.append(dict(result(door.post(told))))

    threads = [threading.Thread(target=send, args=[5 * turn]) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(door.rows()) == 40
    assert sum(answer["accepted"] for answer in answers) == 40
    assert sum(answer["duplicates"] for answer in answers) == 7 * 40


@pytest.mark.parametrize("order", [1, -1], ids=["the estimate first", "the record first"])
def test_the_estimate_of_a_cut_off_stream_never_hides_the_record(door: Door, order: int) -> None:
    response = new_response()
    estimate = {"input_tokens": None, "output_tokens": 3, "status": "aborted"}
    for tell in (lambda: by_event(door, response, **estimate), lambda: by_litellm(door, response))[
        ::order
    ]:
        tell()
    outputs = sorted(row["text_output_tokens"] for row in door.rows())
    assert outputs == ([3, 150] if order == 1 else [150])
