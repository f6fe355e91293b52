"""Costs beside those of the period before, as JSON and CSV, and what the files are called."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import figures, usage

START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 18, tzinfo=UTC)
NOW = datetime(2026, 10, 18, 12, tzinfo=UTC)
LATTER = "start=2026-10-15&end=2026-10-18&compare=previous"

pytestmark = pytest.mark.django_db


def json_of(client: Client, address: str) -> Any:
    response = client.get(f"{reverse('api-costs')}?{address}")
    assert response.status_code == 200, response.content
    return response.json()


def csv_of(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(f"{reverse('api-costs-csv')}?{address}")
    assert response.status_code == 200, response.content
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def record_usage() -> None:
    figures.price_models()
    usage.record(figures.random_events(31, 120, START, END), now=NOW)


@pytest.mark.parametrize("granularity", ["total", "day", "hour"])
@pytest.mark.parametrize("more", ["", "&limit=2", "&metrics=requests,latency_p95"])
def test_csv_has_every_row_of_both_periods_once(
    signed_in: Client, granularity: str, more: str
) -> None:
    record_usage()
    address = f"{LATTER}&group_by=feature,model&granularity={granularity}{more}"
    answer = json_of(signed_in, address)
    rows = csv_of(signed_in, address)
    metrics = answer["query"]["metrics"]

    def written(row: dict[str, Any]) -> tuple[str, ...]:
        values = (row[name] for name in ("start", "feature", "model", *metrics))
        return tuple("" if value is None else str(value) for value in values)

    def kept(prefix: str) -> list[tuple[str, ...]]:
        names = [f"{prefix}start", "feature", "model", *(prefix + name for name in metrics)]
        found = (tuple(row[name] for name in names) for row in rows)
        return sorted(each for each in found if each[names.index(f"{prefix}requests")] != "0")

    assert kept("") == sorted(map(written, answer["rows"]))
    assert kept("previous_") == sorted(map(written, answer["previous"]["rows"]))


def test_csv_sets_a_group_beside_its_former_self(signed_in: Client) -> None:
    figures.price_models()
    day = timedelta(days=1)
    events = [
        *(usage.event(START, feature="both") for _ in range(3)),
        usage.event(START + 2 * day, feature="gone"),
        usage.event(START + 3 * day, feature="both"),
        usage.event(START + 4 * day, feature="new"),
    ]
    usage.record(events, now=NOW)
    asked = f"{LATTER}&group_by=feature&granularity=day&metrics=requests,effective_cost"
    rows = [list(row.values()) for row in csv_of(signed_in, asked)]
    one, three = "0.0039375", "0.0118125"
    assert rows == [
        ["2026-10-15T00:00:00Z", "both", "1", one, "2026-10-12T00:00:00Z", "3", three],
        ["2026-10-16T00:00:00Z", "new", "1", one, "2026-10-13T00:00:00Z", "0", "0"],
        ["2026-10-17T00:00:00Z", "gone", "0", "0", "2026-10-14T00:00:00Z", "1", one],
    ]


def test_the_longer_of_two_months_keeps_all_its_days(signed_in: Client) -> None:
    usage.record([usage.event(datetime(2026, 8, 31, 5, tzinfo=UTC))], now=NOW)
    asked = "period=2026-09&compare=previous&granularity=day&metrics=requests"
    (row,) = csv_of(signed_in, asked)
    assert row == {
        "start": "",
        "requests": "0",
        "previous_start": "2026-08-31T00:00:00Z",
        "previous_requests": "1",
    }


def test_the_column_before_adds_up_to_the_total_before(signed_in: Client) -> None:
    record_usage()
    address = f"{LATTER}&group_by=user&granularity=total&limit=2"
    rows = csv_of(signed_in, address)
    total = json_of(signed_in, address)["previous"]["totals"]["effective_cost"]
    amounts = [Decimal(row["previous_effective_cost"] or 0) for row in rows]
    assert sum(amounts, Decimal(0)) == Decimal(total)


def test_a_user_called_unattributed_takes_no_row_away(signed_in: Client) -> None:
    figures.price_models()
    usage.record([usage.event(START), usage.event(START, user="Unattributed")], now=NOW)
    address = f"{LATTER}&group_by=user&granularity=total&metrics=requests"
    rows = csv_of(signed_in, address)
    assert [row["previous_requests"] for row in rows] == ["1", "1"]


@pytest.mark.parametrize(
    ("first", "is_covered"),
    [
        (START - timedelta(days=9), True),
        (START, True),
        # A quiet first hour or two are no gap.
        (START + timedelta(hours=3, minutes=20), True),
        (START + timedelta(hours=5), False),
        (START + timedelta(days=3, hours=1), False),
    ],
)
def test_it_is_told_whether_the_period_before_was_recorded(
    signed_in: Client, first: datetime, is_covered: bool
) -> None:
    usage.record([usage.event(first), usage.event(END - timedelta(hours=1))], now=NOW)
    answer = json_of(signed_in, LATTER)
    hour = first.replace(minute=0).isoformat().replace("+00:00", "Z")
    assert answer["freshness"]["recorded_since"] == hour
    assert answer["previous"]["is_covered"] is is_covered


def test_before_the_first_event_nothing_is_recorded(signed_in: Client) -> None:
    answer = json_of(signed_in, LATTER)
    assert answer["freshness"]["recorded_since"] is None
    assert answer["previous"]["is_covered"] is False


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("period=2026-10&group_by=feature,model", "costs-2026-10-by-feature-model"),
        ("start=2026-10-01&end=2026-10-08", "costs-2026-10-01-to-2026-10-07"),
        ("start=2026-10-01&end=2026-12-01", "costs-2026-10-01-to-2026-11-30"),
        ("start=2026-10-07&end=2026-10-08&group_by=team", "costs-2026-10-07-by-team"),
        (
            "start=2026-10-07T09:00:00Z&end=2026-10-07T12:30:00Z",
            "costs-2026-10-07T0900-to-2026-10-07T1230",
        ),
        ('period=2026-10&group_by=tag:a"; x/é', "costs-2026-10-by-tag-a-x"),
        ("period=2026-10&group_by=tag:" + "x" * 200, "costs-2026-10-by-tag-" + "x" * 129),
    ],
)
def test_a_file_is_named_after_what_it_holds(signed_in: Client, address: str, name: str) -> None:
    for path in (reverse("api-costs-csv"), reverse("explore-csv")):
        response = signed_in.get(f"{path}?{address}")
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
