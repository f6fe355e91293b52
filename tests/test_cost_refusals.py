"""What costs refuse rather than answer wrongly, and how the remainder is told from a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from finops import costs
from finops.periods import Period
from finops.query import CostQuery, InvalidQuery
from tests import figures, usage

START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
WHOLE = {"start": "2026-10-12", "end": "2026-10-15"}

pytestmark = pytest.mark.django_db


def query(start: datetime = START, end: datetime = END, **changes: Any) -> CostQuery:
    plain = CostQuery.from_params({}, now=NOW, zone=ZoneInfo("UTC"))
    return plain.replace(period=Period(start, end), **changes)


def test_only_the_remainder_is_marked_as_other(signed_in: Client) -> None:
    names = ["Other", "Other", "Other", "chat", "chat", "search"]
    usage.record([usage.event(START, feature=name) for name in names], now=NOW)
    asked = {**WHOLE, "group_by": "feature", "metrics": "requests", "granularity": "total"}
    rows = signed_in.get(reverse("api-costs"), {**asked, "limit": "1"}).json()["rows"]
    assert [(row["feature"], row["requests"], row.get("is_other")) for row in rows] == [
        ("Other", 3, None),
        ("Other", 3, True),
    ]
    unlimited = signed_in.get(reverse("api-costs"), asked).json()["rows"]
    assert not any("is_other" in row for row in unlimited)


def test_requests_of_another_zone_than_the_rollups_are_no_answer(
    signed_in: Client, settings: Settings
) -> None:
    usage.record([usage.event(START)], now=NOW)
    settings.REPORTING_ZONE = ZoneInfo("Asia/Kolkata")
    response = signed_in.get(reverse("api-requests"))
    assert response.status_code == 503
    assert "rebuild_rollups" in response.json()["detail"]


def test_an_answer_with_too_many_rows_says_what_makes_it_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usage.record([usage.event(START, feature=f"f{n}") for n in range(6)], now=NOW)
    for module in ("reading", "statements"):
        monkeypatch.setattr(f"finops.costs.{module}.MAX_ROWS", 3)
    with pytest.raises(InvalidQuery, match="filter, choose fewer dimensions, or rank by cost"):
        costs.run(query(group_by=("feature",)))


def drop_events(day: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE usage_event_{day}")


@pytest.fixture
def dropped(db: None) -> None:
    """Usage of three days, the events of the first of which are gone."""
    usage.record(figures.random_events(50, 200, START, END), now=NOW)
    drop_events("2026_10_12")


RAGGED = START + timedelta(hours=5, minutes=30)
NOON = START + timedelta(hours=12)


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        (query(start=RAGGED), "choose whole hours"),
        (query(end=RAGGED), "choose whole hours"),
        (query(start=RAGGED, granularity="hour"), "choose whole hours"),
        (query(start=NOON, group_by=("user",)), "choose whole days"),
        (query(start=NOON, group_by=("user",), limit=2), "choose whole days"),
        (query(start=NOON, metrics=("users",)), "choose whole days"),
        (query(end=NOON, group_by=("user",), granularity="hour"), "choose granularity day"),
    ],
)
def test_figures_over_dropped_events_are_refused(
    dropped: None, asked: CostQuery, advice: str
) -> None:
    with pytest.raises(InvalidQuery, match=f"single events before 2026-10-13 are gone; {advice}"):
        costs.run(asked)


def test_periods_that_rollups_answer_need_no_events(dropped: None) -> None:
    for asked in (query(), query(start=NOON), query(start=NOON, granularity="hour")):
        assert costs.run(asked).totals["requests"]
    assert costs.run(query(group_by=("user",))).totals["requests"] == 200
    assert costs.run(query(start=RAGGED + timedelta(days=1))).totals["requests"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_a_period_that_begins_before_the_first_event_ever_is_answered(zone: str) -> None:
    first = START + timedelta(minutes=5)
    usage.record([usage.event(first, user="ann")], now=NOW, zone=ZoneInfo(zone))
    for start in (START - timedelta(minutes=20), START - timedelta(days=9, minutes=7)):
        for group_by in ((), ("user",)):
            asked = query(start=start, group_by=group_by).replace(zone=ZoneInfo(zone))
            assert costs.run(asked).totals["requests"] == 1
            ends = asked.replace(period=Period(start, START))
            assert costs.run(ends).totals["requests"] == 0


def test_what_requests_without_a_user_cost_is_no_cost_per_user() -> None:
    figures.price_models()
    usage.record([usage.event(START, user=name) for name in ("ann", "bob", "", "")], now=NOW)
    whole = costs.run(query(granularity="total", metrics=("effective_cost", "cost_per_user")))
    assert whole.totals["cost_per_user"] == whole.totals["effective_cost"] / 4
    nobody = query(granularity="total", group_by=("user",), metrics=("cost_per_user",))
    named = {row.keys: row.values["cost_per_user"] for row in costs.run(nobody).rows}
    assert named["Unattributed",] is None
    assert named["ann",] == whole.totals["cost_per_user"]
