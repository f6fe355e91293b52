"""The API describes itself, correctly, and shows its description without the internet."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator

from finops.query import DIMENSIONS
from tests import usage


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    response = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def test_the_document_is_valid_and_complete(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yaml"))


def test_every_address_of_the_contract_is_described(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert {
        "/api/v1/costs",
        "/api/v1/costs.csv",
        "/api/v1/requests",
        "/api/v1/requests/{request_id}",
        "/api/v1/events",
        *("/v1/traces", "/v1/logs", "/v1/metrics"),
    } <= schema["paths"].keys()
    parameters = {each["name"] for each in schema["paths"]["/api/v1/costs"]["get"]["parameters"]}
    assert {"period", "start", "end", "group_by", "metrics", "limit", *DIMENSIONS} <= parameters


@pytest.mark.django_db
def test_answers_follow_the_document(signed_in: Client, schema: dict[str, Any], now: Any) -> None:
    usage.record([usage.event(now)], now=now)
    for path, more in (("/api/v1/costs", "&compare=previous"), ("/api/v1/requests", "")):
        response = signed_in.get(f"{path}?start=2026-10-01&end=2026-11-01{more}")
        described = schema["paths"][path]["get"]["responses"]["200"]["content"]
        validator = Draft202012Validator(
            {**described["application/json"]["schema"], "components": schema["components"]}
        )
        assert [error.message for error in validator.iter_errors(response.json())] == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/costs", "/api/v1/costs.csv", "/api/v1/requests"])
def test_other_methods_and_formats_are_refused_as_documented(
    signed_in: Client, schema: dict[str, Any], path: str
) -> None:
    described = schema["paths"][path]["get"]["responses"]
    for response in (
        signed_in.post(path),
        signed_in.put(path, headers={"Accept": "text/csv"}),
        signed_in.get(path, headers={"Accept": "application/xml"}),
    ):
        assert response["Content-Type"] == "application/problem+json"
        assert "application/problem+json" in described[str(response.status_code)]["content"]
    assert {"405", "406"} <= described.keys()
    assert "405" in schema["paths"]["/api/v1/events"]["post"]["responses"]


def test_a_limit_is_told_by_the_status_that_its_door_answers(schema: dict[str, Any]) -> None:
    told = {path: schema["paths"][path]["post"]["responses"] for path in LIMITED}
    assert ["429" in told[path] for path in LIMITED] == [True, False, True, True]
    assert all("503" in answers for answers in told.values())


LIMITED = (
    "/api/v1/events",
    "/api/v1/ingest/litellm",  # LiteLLM sends again after 5xx alone
    "/api/v1/ingest/cloudevents",
    "/v1/traces",
)


def test_the_event_is_described_by_the_schema_that_reads_it(schema: dict[str, Any]) -> None:
    body = schema["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]
    validator = Draft202012Validator(
        {**body["application/json"]["schema"], "components": schema["components"]}
    )
    event = {"id": "1", "timestamp": "2026-10-15T12:00:00Z", "model": "gpt-4o"}
    assert validator.is_valid(event)
    assert validator.is_valid({"events": [event]})
    assert not validator.is_valid({**event, "input_tokens": -1})
    assert not validator.is_valid([{"id": "1"}])


def test_the_browsable_document_needs_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert not re.findall(r"https?://", page)


@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing", "/api/v2/costs"])
def test_other_addresses_of_the_api_are_problems(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
