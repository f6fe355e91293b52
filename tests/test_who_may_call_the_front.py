"""The addresses that the ingest process answers itself, before any page: who may call them."""

from __future__ import annotations

import httpx
import pytest
from ingest_server import Door
from who_may_call import METHODS

# A key opens these and nothing else does.
DOORS = (
    *("/api/v1/events", "/api/v1/ingest/litellm", "/api/v1/ingest/cloudevents"),
    *("/v1/traces", "/v1/logs", "/v1/metrics"),
    "/api/v1/authorize",
)
# So it does these, which proxies ask with GET.
GATES = ("/api/v1/authorize/gate",)
# For whoever watches the process.
OPEN = ("/healthz", "/metrics")
CREDENTIALS = {
    "nothing": {},
    "an API token": {"authorization": "Bearer ft_12345678_" + "a" * 40},
    "a session": {"cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"},
    "a key that is none": {"authorization": "Bearer fk_12345678_" + "a" * 40},
}


def test_every_address_of_the_front_is_walked(door: Door) -> None:
    unknown = set(door.application._endpoints) - {*OPEN, *DOORS, *GATES}
    assert not unknown, f"{unknown}: add each to DOORS, GATES or OPEN above"


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_doors_open_to_keys_alone(door: Door, credential: str) -> None:
    told = {
        (method, path): door.http.request(
            method, path, headers=CREDENTIALS[credential], content=b"[]"
        ).status_code
        for path in door.application._endpoints
        if path in DOORS
        for method in METHODS
    }
    assert {key: 401 if key[0] == "POST" else 405 for key in told} == told


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_gates_open_to_keys_alone(door: Door, credential: str) -> None:
    for method in METHODS:
        for path in GATES:
            given = CREDENTIALS[credential]
            status = door.http.request(method, path, headers=given).status_code
            assert status == (401 if method == "GET" else 405)


def test_who_watches_is_told_of_no_service(door: Door) -> None:
    answered = door.post([{"id": "1", "timestamp": "never", "model": "cx-secret-model"}])
    assert answered.json()["accepted"] == 0
    for path in OPEN:
        for method in ("GET", "HEAD"):
            response: httpx.Response = door.http.request(method, path)
            assert response.status_code == 200
            assert door.source not in response.text
            assert "cx-secret" not in response.text
