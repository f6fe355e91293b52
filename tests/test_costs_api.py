"""GET /api/v1/costs and its CSV: the shape of answers, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from finops.models import ActivatedTag
from tests import figures, usage

KOLKATA = ZoneInfo("Asia/Kolkata")
START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
WHOLE = "start=2026-10-12&end=2026-10-15"
GOLDEN = Path(__file__).parent / "golden"

pytestmark = pytest.mark.django_db


def record_usage(count: int) -> None:
    figures.price_models()
    usage.record(figures.random_events(20, count, START, END), now=NOW)


def get(client: Client, address: str, **headers: str) -> Any:
    response = client.get(f"{reverse('api-costs')}?{address}", headers=headers)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_answer_has_the_shape_of_the_contract(signed_in: Client) -> None:
    figures.price_models()
    usage.record([usage.event(START, feature="chat", team="cx")], now=NOW)
    answer = get(signed_in, f"{WHOLE}&group_by=feature,model&team=cx&granularity=day")
    assert answer["query"] == {
        "period": None,
        "start": "2026-10-12T00:00:00Z",
        "end": "2026-10-15T00:00:00Z",
        "time_zone": "UTC",
        "granularity": "day",
        "group_by": ["feature", "model"],
        "filters": {"team": ["cx"]},
        "metrics": ["effective_cost", "requests"],
        "limit": None,
        "compare": None,
    }
    # 1000 × 0.0000025 + 200 × 0.00001, less 12.5 %
    row = {"feature": "chat", "model": "gpt-4o", "effective_cost": "0.0039375", "requests": 1}
    assert answer["rows"] == [{"start": "2026-10-12T00:00:00Z", **row}]
    assert answer["totals"] == {"effective_cost": "0.0039375", "requests": 1}
    assert answer["currency"] == "USD"
    assert answer["coverage"] == {"priced_requests": 1, "unpriced_requests": 0}
    assert answer["freshness"]["pending_events"] == 0
    assert "previous" not in answer


def test_starts_are_days_of_the_reporting_zone(signed_in: Client, settings: Settings) -> None:
    settings.REPORTING_ZONE = KOLKATA
    usage.record([usage.event(START + timedelta(hours=20))], now=NOW, zone=KOLKATA)
    answer = get(signed_in, f"{WHOLE}&granularity=day")
    assert [row["start"] for row in answer["rows"]] == ["2026-10-13T00:00:00+05:30"]


def test_csv_has_the_same_rows(signed_in: Client) -> None:
    figures.price_models()
    events = [
        usage.event(START, feature='=HYPERLINK("http://x")', team="cx, north"),
        usage.event(START, feature="plain", team="-1+1", model="mystery-model"),
        usage.event(START + timedelta(days=1), feature='say "hi"\nthere', user="ann"),
    ]
    usage.record(events, now=NOW)
    address = f"{WHOLE}&group_by=feature,team&granularity=day&metrics=effective_cost,requests"
    response = signed_in.get(f"{reverse('api-costs-csv')}?{address}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content)
    assert content == (GOLDEN / "costs.csv").read_bytes()
    by_header = signed_in.get(f"{reverse('api-costs')}?{address}", headers={"Accept": "text/csv"})
    assert b"".join(by_header.streaming_content) == content


@pytest.mark.parametrize("path", ["api-costs", "api-costs-csv", "explore-csv"])
@pytest.mark.parametrize("accept", ["*/*", "text/csv"])
@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_only_get_is_answered(signed_in: Client, path: str, accept: str, method: str) -> None:
    response = signed_in.generic(method, reverse(path), headers={"Accept": accept})
    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"
    assert "GET" in response["Allow"]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("grup_by=team", "grup_by"),
        ("group_by=session", "group_by"),
        ("period=1w", "period"),
        ("start=2026-10-01T00:00", "start"),
        ("start=2026-10-02&end=2026-10-01", "end"),
        ("metrics=money", "metrics"),
        ("granularity=year", "granularity"),
        ("limit=-1", "limit"),
        ("compare=next", "compare"),
        ("team=", "team"),
        ("team=%00", "team"),
        ("format=csv", "format"),
        ("group_by=user&granularity=hour&period=7d", "granularity"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_a_wrong_parameter_is_a_problem_that_names_it(
    signed_in: Client, address: str, field: str, accept: str
) -> None:
    response = signed_in.get(f"{reverse('api-costs')}?{address}", headers={"Accept": accept})
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert [error["field"] for error in problem["errors"]] == [field]


def test_an_unknown_dimension_is_answered_with_the_tags_there_are(signed_in: Client) -> None:
    ActivatedTag.objects.create(key="release")
    answer = signed_in.get("/api/v1/costs?group_by=release")
    assert answer.status_code == 400
    assert "tag:<key> of an activated tag: tag:release" in answer.json()["detail"]


def test_rollups_of_another_zone_are_no_answer(signed_in: Client, settings: Settings) -> None:
    record_usage(5)
    settings.REPORTING_ZONE = KOLKATA
    response = signed_in.get(reverse("api-costs"))
    assert response.status_code == 503
    assert "rebuild_rollups" in response.json()["detail"]


def test_a_question_that_takes_too_long_is_given_up(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_usage(5)
    monkeypatch.setattr("finops.costs.snapshots.TIMEOUT_MILLISECONDS", 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE VIEW slow AS SELECT pg_sleep(1)::text;"
            "ALTER TABLE rollup_unsettled RENAME TO fast;"
            "CREATE VIEW rollup_unsettled AS SELECT fast.* FROM fast, slow"
        )
    response = signed_in.get(reverse("api-costs"))
    assert response.status_code == 503
    assert "shorter period" in response.json()["detail"]
