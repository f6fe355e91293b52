"""Requests made up from our own OpenAPI document get answers that it describes.

What is made up of an address grows with its parameters, and takes long to make up: it is done when
its test begins, by the one worker whose test it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from ingest_server import Door
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from finops import api_tokens
from finops.query import DIMENSIONS

document = SchemaGenerator().get_schema(request=None, public=True)
EVENTS = "/api/v1/events"
MUST_HAVE = ("id", "timestamp", "model")
DOORS = [EVENTS, *(path for path in document["paths"] if path.startswith("/api/v1/ingest/"))]
ASKED = [path for path in document["paths"] if path.startswith("/api/v1/authorize")]
QUERIES = [
    path
    for path, methods in document["paths"].items()
    if path.startswith("/api/v1/") and "get" in methods and path not in ASKED
]
# One parser reads the filters of all figures. One address is asked with every one of them in every
# wrong shape, the others with these.
ALL_FILTERS = "/api/v1/costs"
FILTERS = {"model", "team", "user"}
# A schema cannot judge all: a bad event is refused inside a 200, to spoil no neighbours; a string
# is no NDJSON; what a period and its bounds say together may be nonsense; `limit=` is not given.
JUDGEMENTS = (negative_data_rejection, positive_data_acceptance)
examples = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: Any, value: Any) -> Any:
    return value.encode(errors="surrogatepass") if isinstance(value, str) else b""


def described(path: str, address: dict[str, Any]) -> BaseSchema:
    """The document as if it had this address alone."""
    return schemathesis.openapi.from_dict({**document, "paths": {path: address}})


@pytest.fixture(params=DOORS + ASKED)
def door_described(request: pytest.FixtureRequest) -> BaseSchema:
    address = deepcopy(document["paths"][request.param])
    if request.param == EVENTS:
        # One by itself is tried in every wrong shape; of those in lists, what each must have.
        event = document["components"]["schemas"]["Event"]
        short = {**event, "properties": {name: event["properties"][name] for name in MUST_HAVE}}
        body = address["post"]["requestBody"]["content"]["application/json"]["schema"]
        _, listed, named = body["oneOf"]
        listed["items"] = named["properties"]["events"]["items"] = short
    return described(request.param, address)


@pytest.mark.usefixtures("door")
@schemathesis.pytest.from_fixture("door_described").parametrize()
@examples
def test_the_ingest_door_answers_as_documented(case: schemathesis.Case, door: Door) -> None:
    case.call_and_validate(
        base_url=door.url,
        headers={"authorization": f"Bearer {door.key}"},
        excluded_checks=[*JUDGEMENTS, ignored_auth],
    )


@pytest.fixture(params=QUERIES)
def query_described(request: pytest.FixtureRequest) -> BaseSchema:
    path = request.param
    asked = deepcopy(document["paths"][path])
    left_out = set() if path == ALL_FILTERS else set(DIMENSIONS) - FILTERS
    asked["get"]["parameters"] = [
        each for each in asked["get"].get("parameters", []) if each["name"] not in left_out
    ]
    return described(path, asked)


@pytest.fixture
def authorization(administrator: User) -> str:
    return (
        f"Bearer {api_tokens.create_token(administrator, now=datetime.now(UTC), by=administrator)}"
    )


Application = Callable[[dict[str, Any], Any], Any]


@pytest.fixture
def application(db: None) -> Iterator[Application]:
    """The web process's part in this thread, on the test's connection, which requests would close.

    Over HTTP, most of the time would go into a thread and a connection for each request.
    """
    web = WSGIHandler()
    ends = (request_started, request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield lambda environ, start: web({**environ, "REMOTE_ADDR": "127.0.0.1"}, start)
    for end in ends:
        end.connect(close_old_connections)


@pytest.mark.usefixtures("authorization", "application")
@schemathesis.pytest.from_fixture("query_described").include(method="GET").parametrize()
@examples
def test_the_query_api_answers_as_documented(
    case: schemathesis.Case, authorization: str, application: Application
) -> None:
    with transaction.atomic():
        case.call_and_validate(
            app=application,
            headers={"authorization": authorization},
            excluded_checks=[*JUDGEMENTS, ignored_auth],
        )
        transaction.set_rollback(True)
