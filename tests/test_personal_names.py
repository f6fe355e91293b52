"""What metadata say of a person is the event's user or nothing, and never a tag in the clear."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from ingest_server import Door, result
from litellm_payloads import payload
from litellm_payloads import post as post_litellm
from otlp_attributes import NEW
from otlp_bodies import TRACES, Exporter, encoded, span, traces

from ingest.events import Event

NAMES = (
    *("userId", "user_id", "User-ID", "user", "end_user", "enduser.id", "langfuse_user_id"),
    *("username", "email", "user_email", "endUserId"),
)
ASSOCIATION = "traceloop.association.properties."
PLACES: dict[str, Any] = {
    "metadata": lambda name, value: {"metadata": json.dumps({name: value, "tenant": "acme"})},
    "association properties": lambda name, value: {
        ASSOCIATION + name: value,
        ASSOCIATION + "tenant": "acme",
    },
    "LiteLLM's metadata": lambda name, value: {
        f"metadata.{name}": value,
        "metadata.tenant": "acme",
    },
    "labels": lambda name, value: {
        "tag.tags": [f"{name}:{value}"],
        "metadata": '{"tenant": "acme"}',
    },
}


def event_of(attributes: dict[str, Any], **resource: Any) -> Event:
    [event] = Exporter().events(span(attributes=NEW | attributes), **resource)
    return event


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_means_the_user_is_the_user_and_no_tag(name: str, place: str) -> None:
    event = event_of(PLACES[place](name, "ada"))
    assert (event.user, event.tags) == ("ada", {"tenant": "acme"})


@pytest.mark.parametrize("name", NAMES)
def test_litellm_tells_the_user_in_as_many_ways(door: Door, name: str) -> None:
    given = [
        {"request_tags": [f"{name}:ada", "tenant:acme"]},
        {"metadata": {"requester_metadata": {name: "ada", "tenant": "acme"}}},
        {"metadata": {"spend_logs_metadata": {name: "ada", "tenant": "acme"}}},
    ]
    told = [
        payload(**{"litellm_call_id": str(uuid4()), "request_tags": [], **each}) for each in given
    ]
    result(post_litellm(door.http, door.key, json.dumps(told).encode()))
    rows = door.rows()
    assert [(row["user_name"], row["tags"]) for row in rows] == [("ada", {"tenant": "acme"})] * 3


def test_the_surest_name_is_the_user_and_the_others_are_left_out() -> None:
    metadata = {"email": "ada@example.org", "username": "ada", "user_id": "u-1", "tenant": "acme"}
    event = event_of({"metadata": json.dumps(metadata)})
    assert (event.user, event.tags) == ("u-1", {"tenant": "acme"})
    event = event_of({"metadata": json.dumps(metadata), "user.id": "u-0"})
    assert (event.user, event.tags) == ("u-0", {"tenant": "acme"})


def test_what_else_is_personal_is_left_out() -> None:
    personal = {
        "full_name": "Ada L.",
        "phone": "1",
        "client_ip": "10.0.0.1",
        "billing_email": "a@b",
    }
    event = event_of({"metadata": json.dumps({**personal, "user_tier": "gold"})})
    assert (event.user, event.tags) == (None, {"user_tier": "gold"})


def test_a_resource_names_the_user_of_calls_that_name_none() -> None:
    resource = {"user.id": "u-9", "user.email": "ada@example.org", "tenant": "acme"}
    assert event_of({}, **resource).user == "u-9"
    event = event_of({"user.id": "u-1"}, **resource)
    assert (event.user, event.tags) == ("u-1", {"tenant": "acme"})


def test_a_plain_label_is_no_person() -> None:
    assert event_of({"tag.tags": ["login", "email"]}).tags == {"login": "true", "email": "true"}


def test_nothing_of_a_name_is_stored_beside_the_user(door: Door) -> None:
    name = f"ada-{uuid4().hex}"
    attributes = {"metadata": json.dumps({"userId": name, "email": f"{name}@example.org"})}
    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    body = traces(span(attributes=NEW | attributes), resource={"enduser.email": name})
    assert door.http.post(TRACES, content=encoded(body), headers=headers).status_code == 200
    row = door.row()
    assert row.pop("user_name") == name
    assert name not in str(row)
