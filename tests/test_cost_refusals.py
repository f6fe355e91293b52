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
