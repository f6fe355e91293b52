"""Single requests: the events behind a figure, and why each cost what it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops import requests, rollups
from finops.models import IngestKey, Price
from finops.periods import Period
from finops.query import CostQuery, InvalidQuery
from tests import figures, usage

START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
KOLKATA = ZoneInfo("Asia/Kolkata")
WHOLE = "start=2026-10-12&end=2026-10-15"

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(db: None) -> None:
    figures.price_models()
    add_key("tests")
    usage.record(figures.random_events(30, 120, START, END), now=NOW)
    rollups.settle(LATER)
    usage.record([usage.event(START + timedelta(days=2), id="late", user="ann")], now=NOW)


def add_key(service: str) -> None:
    IngestKey.objects.create(prefix=service[:16], digest=service.encode(), service=service)


def query(**changes: Any) -> CostQuery:
    plain = CostQuery.from_params({}, now=NOW, zone=ZoneInfo("UTC"))
    return plain.replace(**{"period": Period(START, END), **changes})


def walk(asked: CostQuery, size: int) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    cursor = None
    while True:
        page = requests.page(asked, cursor, size)
        assert len(page.rows) <= size
        ids += [row.id for row in page.rows]
        if page.next_cursor is None:
            return ids
        cursor = page.next_cursor


def newest_first(events: list[dict[str, Any]]) -> list[str]:
    ordered = sorted(events, key=lambda e: (e["started_at"], e["event_key"].int), reverse=True)
    return [event["event_id"] for event in ordered]


@given(
    size=st.integers(1, 50),
    start=st.integers(0, 3 * 1440 - 2),
    minutes=st.integers(1, 3 * 1440),
    filters=st.sampled_from(
        [{}, {"feature": "chat"}, {"user": "ann"}, {"user": "bob", "team": "cx"}, {"team": "none"}]
    ),
    exclude=st.booleans(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_hold_every_request_once_newest_first(
    recorded: None, size: int, start: int, minutes: int, filters: dict[str, str], exclude: bool
) -> None:
    first = START + timedelta(minutes=start)
    period = Period(first, first + timedelta(minutes=minutes))
    asked = query(period=period)
    kept = [e for e in figures.stored() if period.start <= e["started_at"] < period.end]
    for name, value in filters.items():
        asked = asked.with_filter(name, value, exclude=exclude)
        kept = [e for e in kept if (e[name] == value) is not exclude]
    assert walk(asked, size) == newest_first(kept)


def test_requests_of_one_instant_are_told_apart_by_their_key(db: None) -> None:
    usage.record([usage.event(START, id=f"same-{n}") for n in range(7)], now=NOW)
    assert sorted(walk(query(), 2)) == [f"same-{n}" for n in range(7)]


def test_only_requests_that_figures_count_are_listed(recorded: None) -> None:
    usage.store([usage.event(START, id="waiting")], now=NOW)
    assert "waiting" not in walk(query(), 50)


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "é", "WyIyMDI2IiwgIngiXQ", "a" * 5000])
def test_a_cursor_of_somebody_else_is_refused(db: None, cursor: str) -> None:
    with pytest.raises(InvalidQuery, match="cursor"):
        requests.page(query(), cursor, 5)


def test_the_api_pages_by_cursor(signed_in: Client, recorded: None) -> None:
    address = f"{reverse('api-requests')}?{WHOLE}&feature=chat&limit=4"
    ids: list[str] = []
    while address:
        answer = signed_in.get(address).json()
        ids += [each["id"] for each in answer["requests"]]
        address = answer["next"]
    chat = [event for event in figures.stored() if event["feature"] == "chat"]
    assert ids == newest_first(chat)


def test_a_page_too_long_is_refused(signed_in: Client) -> None:
    response = signed_in.get(f"{reverse('api-requests')}?limit=501")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "limit"


def test_a_rating_trace_adds_up_to_the_stored_costs(recorded: None) -> None:
    for event in figures.stored():
        (request,) = requests.get(event["event_id"])
        trace = request.trace
        assert trace
        assert trace.agrees
        assert trace.effective_cost == event["effective_cost"]
        if event["effective_cost"] is None:
            assert trace.list_price is None
            continue
        for each in trace.buckets:
            assert each.quantity is not None
            assert each.list_unit_price is not None
            assert each.list_amount == each.quantity * each.list_unit_price
        amounts = [each.effective_amount or Decimal(0) for each in trace.buckets]
        assert sum(amounts, Decimal(0)) == event["effective_cost"]


def test_a_trace_that_disagrees_with_the_stored_cost_says_so(recorded: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET effective_cost = 1 WHERE event_id = 'late'")
    (request,) = requests.get("late")
    assert request.trace
    assert not request.trace.agrees


def test_one_request_is_shown_with_its_trace(signed_in: Client, recorded: None) -> None:
    answer = signed_in.get(reverse("api-request", args=["late"])).json()
    assert answer["user"] == "ann"
    assert answer["effective_cost"] == "0.0039375"
    trace = answer["rating_trace"]
    assert trace["agrees_with_stored_costs"] is True
    assert trace["buckets"][0] == {
        "bucket": "uncached_input",
        "quantity": 1000,
        "list_unit_price": "0.0000025",
        "list_amount": "0.0025",
        "effective_unit_price": "0.0000021875",
        "effective_amount": "0.0021875",
        "why": "list price × 0.875 by contract",
    }
    assert trace["list_price"]["source"] == "tests"
    assert trace["list_price"]["kind"] == "catalog"
    assert trace["contract_price"]["discount_percent"] == "12.5"
    assert trace["contract_price"]["recorded_at"]
    assert answer["same_id"] == []


@pytest.mark.parametrize(
    "name", ["a/b//c", "/leading", "späße 漢字 🦊", "100%25?x=1&y#z", "a b+c", "trailing/"]
)
def test_ids_may_hold_anything(signed_in: Client, name: str) -> None:
    add_key("tests")
    usage.record([usage.event(START, id=name)], now=NOW)
    response = signed_in.get(f"/api/v1/requests/{quote(name, safe='/')}")
    assert response.status_code == 200
    assert response.json()["id"] == name


def test_the_same_id_of_several_days_and_sources_is_newest_first(signed_in: Client) -> None:
    for source in ("alpha", "beta"):
        add_key(source)
        moments = [START, START + timedelta(days=1)]
        usage.record([usage.event(at, id="twin") for at in moments], now=NOW, source=source)
    answer = signed_in.get("/api/v1/requests/twin").json()
    assert answer["started_at"] == "2026-10-13T00:00:00Z"
    assert len(answer["same_id"]) == 3
    narrowed = signed_in.get("/api/v1/requests/twin?source=beta&day=2026-10-12").json()
    assert (narrowed["source"], narrowed["started_at"]) == ("beta", "2026-10-12T00:00:00Z")
    assert narrowed["same_id"] == []
    by_key = signed_in.get(f"/api/v1/requests/{narrowed['event_key']}?day=2026-10-12").json()
    assert by_key["event_key"] == narrowed["event_key"]


@pytest.mark.parametrize(
    ("address", "status", "field"),
    [
        ("nobody", 404, None),
        ("late?day=tomorrow", 400, "day"),
        ("late?source=%00", 400, "source"),
        ("late?team=cx", 400, "team"),
    ],
)
def test_what_is_not_there_or_wrong_is_a_problem(
    signed_in: Client, address: str, status: int, field: str | None
) -> None:
    response = signed_in.get(f"/api/v1/requests/{address}")
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert [each["field"] for each in response.json().get("errors", [])] == (
        [field] if field else []
    )


def test_prices_keep_their_version_in_the_trace(recorded: None) -> None:
    Price.objects.update(superseded_at=NOW)
    (request,) = requests.get("late")
    assert request.trace
    assert request.trace.list_price
    assert request.trace.list_price.superseded_at == NOW
    assert request.trace.agrees


def test_a_request_that_its_reader_may_not_see_is_not_there(
    signed_in: Client, recorded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signed_in.get("/api/v1/requests/late").status_code == 200
    monkeypatch.setattr(
        "finops.access.narrow", lambda asked, user: asked.with_filter("team", "search")
    )
    assert signed_in.get("/api/v1/requests/late").status_code == 404
    listed = signed_in.get(f"/api/v1/requests?{WHOLE}").json()
    assert {each["team"] for each in listed["requests"]} <= {"search"}
