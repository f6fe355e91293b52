"""What every answer tells a browser: where its parts may come from, and to keep none of it."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from ingest_server import Door
from pytest_django import Settings

pytestmark = pytest.mark.django_db

PAGES = ("/", "/explore", "/keys/new", "/account", "/api/docs/", "/nothing-here")
DATA = ("/explore.csv", "/api/v1/costs", "/api/v1/nothing", "/api/schema/", "/audit.jsonl")
SIGNED_OUT = ("/", "/sign-in", "/invitations/x", "/healthz", "/api/v1/costs", "/metrics")


def policy_of(text: str) -> dict[str, list[str]]:
    parts = (part.split() for part in text.split(";"))
    return {name: sources for name, *sources in parts}


def is_guarded(headers: Mapping[str, str]) -> None:
    policy = policy_of(headers["Content-Security-Policy"])
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    for name in ("script-src", "style-src", "form-action", "connect-src"):
        assert policy[name] == ["'self'"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", PAGES + DATA)
def test_what_a_reader_is_answered_is_guarded_and_kept_nowhere(
    signed_in: Client, path: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        response = signed_in.get(path, headers=headers)
        is_guarded(response.headers)
        assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_so_is_what_anybody_else_is_answered(client: Client, path: str) -> None:
    is_guarded(client.get(path).headers)


def test_so_is_what_broke(signed_in: Client) -> None:
    signed_in.raise_request_exception = False
    with mock.patch.object(connection, "cursor", side_effect=RuntimeError("broken")):
        response = signed_in.get("/")
    assert response.status_code == 500
    is_guarded(response.headers)


def test_so_is_a_request_for_a_host_that_is_not_ours(client: Client) -> None:
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    is_guarded(response.headers)


def test_a_form_that_is_far_too_long_is_refused(signed_in: Client) -> None:
    assert signed_in.post("/keys/new", {"service": "x" * 1024 * 1024}).status_code == 400
    assert (
        signed_in.post("/keys/new", {str(number): "" for number in range(2000)}).status_code == 400
    )
    files = {"file": BytesIO(b"{}"), "other": BytesIO(b"{}")}
    assert signed_in.post("/prices/sources", files).status_code == 400


def test_files_may_be_kept(client: Client) -> None:
    response = client.get("/static/css/base.css")
    is_guarded(response.headers)
    assert "max-age" in response.headers["Cache-Control"]


def test_over_https_browsers_are_told_to_stay_there(client: Client, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    response = client.get("/sign-in", secure=True)
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_doors_own_answers_are_taken_for_what_they_say(door: Door) -> None:
    for response in (door.post([]), door.post(content=b"<"), door.http.get("/healthz")):
        assert response.headers["x-content-type-options"] == "nosniff"
