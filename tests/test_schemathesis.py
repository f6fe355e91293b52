"""Requests made up from our own OpenAPI document get answers that it describes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from ingest_server import Door
from pytest_django.live_server_helper import LiveServer
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from finops import api_tokens

document = SchemaGenerator().get_schema(request=None, public=True)
described = schemathesis.openapi.from_dict(document)
ingest = described.include(path_regex="^/api/v1/(events$|ingest/|authorize)")
queries = described.include(method="GET", path_regex="^/api/v1/").exclude(
    path_regex="^/api/v1/authorize"
)
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


@ingest.parametrize()
@examples
def test_the_ingest_door_answers_as_documented(case: schemathesis.Case, door: Door) -> None:
    case.call_and_validate(
        base_url=door.url,
        headers={"authorization": f"Bearer {door.key}"},
        excluded_checks=[*JUDGEMENTS, ignored_auth],
    )


@pytest.fixture
def authorization(transactional_db: None, administrator: User) -> str:
    return (
        f"Bearer {api_tokens.create_token(administrator, now=datetime.now(UTC), by=administrator)}"
    )


@queries.parametrize()
@examples
def test_the_query_api_answers_as_documented(
    case: schemathesis.Case, authorization: str, live_server: LiveServer
) -> None:
    case.call_and_validate(
        base_url=live_server.url,
        headers={"authorization": authorization},
        excluded_checks=[*JUDGEMENTS, ignored_auth],
    )
