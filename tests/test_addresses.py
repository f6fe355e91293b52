"""Addresses beside those of the doors are served or told where to go, and never redirected."""

from __future__ import annotations

import json

import pytest
from ingest_server import Door, event, result
from otlp_attributes import NEW
from otlp_bodies import JSON, PROTOBUF, encoded, span, traces
from test_otlp_door import status

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize("path", ["/api/v1/events/", "//api/v1/events", "/api//v1/events//"])
def test_other_slashes_lead_to_the_door_of_events(door: Door, path: str) -> None:
    headers = {"authorization": f"Bearer {door.key}"}
    url = door.url + path  # httpx would take // for a host
    assert result(door.http.post(url, json=event(), headers=headers))["accepted"] == 1
    refused = door.http.get(url)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path", ["/v1/traces/", "//v1/traces", "/otlp/v1/traces", "/a/b/v1/traces/"]
)
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_exporters_may_put_their_path_behind_any_other(
    door: Door, path: str, content_type: str
) -> None:
    headers = {"authorization": f"Bearer {door.key}", "content-type": content_type}
    content = encoded(traces(span(attributes=NEW)), content_type)
    response = door.http.post(door.url + path, content=content, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    assert len(door.rows()) == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/spans", "/v1/traces/x", "/v1/trace"])
def test_where_no_telemetry_is_taken_the_right_address_is_told(
    door: Door, method: str, path: str
) -> None:
    response = door.http.request(method, path, headers={"content-type": JSON})
    assert (response.status_code, response.headers["content-type"]) == (404, JSON)
    if method != "HEAD":
        code, message = status(response)
        assert (code, "/v1/traces" in message) == (5, True)


def test_it_is_told_in_the_encoding_of_the_request(door: Door) -> None:
    response = door.http.post("/v1/spans", content=b"", headers={"content-type": PROTOBUF})
    assert (response.status_code, response.headers["content-type"]) == (404, PROTOBUF)
    code, message = status(response)
    assert (code, "/v1/traces" in message) == (5, True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path", ["/api/v1/ingest", "/api/v1/ingest/", "/api/v1/ingest/other", "/api/v1/events/one"]
)
def test_where_no_events_are_taken_the_right_addresses_are_told(
    door: Door, method: str, path: str
) -> None:
    response = door.http.request(method, path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert "/api/v1/ingest/litellm" in json.loads(response.content)["detail"]
