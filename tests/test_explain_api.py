"""The API's explanation of a change: exact to the last digit, by anything, in JSON and CSV."""

from __future__ import annotations

import csv
import html
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import figures, usage
from tests.page_texts import price_gpt_4o

START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 18, tzinfo=UTC)
NOW = datetime(2026, 10, 18, 12, tzinfo=UTC)
LATTER = "start=2026-10-15&end=2026-10-18"
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def json_of(client: Client, address: str, page: str = "api-explain") -> Any:
    response = client.get(f"{reverse(page)}?{address}")
    assert response.status_code == 200, response.content
    return response.json()


def amounts(parts: dict[str, str]) -> Decimal:
    return sum((Decimal(each or 0) for each in parts.values()), Decimal(0))


@pytest.fixture
def random_usage() -> None:
    figures.price_models()
    usage.record(figures.random_events(41, 80, START, END), now=NOW)


@pytest.mark.usefixtures("random_usage")
@pytest.mark.parametrize(
    "more",
    [
        *("", "&group_by=team,model&team=!cx", "&group_by=status,latency_tier"),
        *("&group_by=user,model&limit=2", "&group_by=feature&limit=1", "&user=ann&group_by=model"),
        "&against=weeks_before&group_by=feature",
        "&against_times=0.3711&group_by=feature",
        "&against=weeks_before&against_times=2.5&group_by=user&limit=2",
        "&against_start=2026-10-12T05:30:00Z&against_end=2026-10-14T07:20:00Z&group_by=feature",
    ],
)
def test_rows_and_parts_add_up_to_the_difference_to_the_last_digit(
    signed_in: Client, more: str
) -> None:
    answer = json_of(signed_in, LATTER + more)
    costs = json_of(signed_in, LATTER + filters_of(more), "api-costs")
    assert answer["after"]["effective_cost"] == costs["totals"]["effective_cost"]
    before, after = (Decimal(answer[side]["effective_cost"] or 0) for side in ("before", "after"))
    difference = Decimal(answer["difference"])
    assert difference == after - before == amounts(answer["parts"])
    rows = answer["rows"]
    assert sum(Decimal(row["difference"] or 0) for row in rows) == difference
    for row in rows:
        own = Decimal(row["after"] or 0) - Decimal(row["before"] or 0)
        assert Decimal(row["difference"] or 0) == own == amounts(row["parts"])
    for part, amount in answer["parts"].items():
        assert sum(Decimal(row["parts"][part] or 0) for row in rows) == Decimal(amount)


def filters_of(more: str) -> str:
    kept = [each for each in more.split("&") if each.startswith(("user=", "team="))]
    return "".join(f"&{each}" for each in kept)


@pytest.mark.usefixtures("random_usage")
def test_the_parts_of_the_whole_are_the_same_by_whatever_it_is_grouped(signed_in: Client) -> None:
    wholes = [
        json_of(signed_in, f"{LATTER}&group_by={each}")["parts"]
        for each in ("", "model", "feature", "team,model", "cost_center", "variant")
    ]
    assert all(each == wholes[0] for each in wholes)


@pytest.mark.usefixtures("random_usage")
def test_of_very_many_combinations_those_with_their_own_prices_are_told_apart(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.costs.drivers.MOST_GROUPS", 0)
    answer = json_of(signed_in, f"{LATTER}&group_by=feature")
    assert answer["mixed"] == ["feature", "provider", "model", "service_tier"]
    assert amounts(answer["parts"]) == Decimal(answer["difference"])


@pytest.mark.usefixtures("random_usage")
def test_csv_has_the_rows_of_the_json_answer(signed_in: Client) -> None:
    address = f"{LATTER}&group_by=feature,model"
    answer = json_of(signed_in, address)
    response = signed_in.get(f"{reverse('api-explain-csv')}?{address}")
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert rows == [
        {
            **{name: row[name] for name in ("feature", "model")},
            **{name: row[name] or "" for name in ("before", "after", "difference")},
            **{name: amount or "" for name, amount in row["parts"].items()},
        }
        for row in answer["rows"]
    ]
    name = "change-2026-10-15-to-2026-10-17-by-feature-model.csv"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_a_change_is_told_by_what_was_changed(signed_in: Client) -> None:
    price_gpt_4o()
    before = [usage.event(START + DAY, feature="chat") for _ in range(4)]
    after = [usage.event(START + 4 * DAY, feature="chat", input_tokens=3000) for _ in range(4)]
    usage.record([*before, *after], now=NOW)
    answer = json_of(signed_in, f"{LATTER}&group_by=feature")
    # 4 requests with 2,000 tokens more at $2.50 for a million.
    told = {name: part for name, part in answer["parts"].items() if part != "0"}
    assert told == {"input_length": "0.02"}
    assert answer["difference"] == "0.02"
    assert answer["against"]["query"]["start"] == "2026-10-12T00:00:00Z"
    (row,) = answer["rows"]
    assert (row["feature"], row["before"], row["after"]) == ("chat", "0.018", "0.038")


@pytest.mark.usefixtures("random_usage")
def test_causes_and_what_they_leave_add_up_to_the_difference(signed_in: Client) -> None:
    answer = json_of(signed_in, LATTER)
    told = sum(Decimal(each["difference"]) for each in answer["causes"])
    assert told + Decimal(answer["unexplained"]) == Decimal(answer["difference"])
    assert answer["localized_difference"] == answer["difference"]
    unlike = json_of(signed_in, f"{LATTER}&against_start=2026-10-12&against_end=2026-10-13")
    told = sum(Decimal(each["difference"]) for each in unlike["causes"])
    assert told + Decimal(unlike["unexplained"]) == Decimal(unlike["localized_difference"])
    assert "taken for as long a time" in " ".join(unlike["notes"])


@pytest.mark.usefixtures("random_usage")
def test_the_bridge_stands_where_causes_cannot_be_looked_for(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.costs.leaf_sums.MOST_LEAVES", 1)
    answer = json_of(signed_in, LATTER)
    assert amounts(answer["parts"]) == Decimal(answer["difference"]) != 0
    assert (answer["causes"], answer["unexplained"]) == ([], None)
    assert "more than 1 combinations" in answer["notes"][0]


def test_requests_of_unknown_cost_are_counted_and_never_a_zero(signed_in: Client) -> None:
    usage.record([usage.event(START), usage.event(START + 4 * DAY)], now=NOW)
    answer = json_of(signed_in, LATTER)
    for side in (answer["before"], answer["after"]):
        assert (side["effective_cost"], side["unpriced_requests"]) == (None, 1)
    assert answer["difference"] is None
    assert set(answer["parts"].values()) == {None}
    assert "what they cost is unknown" in " ".join(answer["notes"])


def test_what_lost_its_price_is_not_called_gone(signed_in: Client) -> None:
    price_gpt_4o()
    earlier = [usage.event(START + timedelta(hours=n), feature="chat") for n in range(20)]
    later = [
        usage.event(START + timedelta(days=4, hours=n), feature="chat", model="gpt-secret")
        for n in range(20)
    ]
    usage.record([*earlier, *later], now=NOW)
    answer = json_of(signed_in, f"{LATTER}&group_by=feature")
    told = " ".join([*(each["reason"] for each in answer["causes"]), *answer["notes"]])
    assert "No request after has a price" in told
    assert "gone" not in told
    page = signed_in.get(f"{reverse('explain')}?{LATTER}&group_by=feature").text
    assert "No price is known for any of the 20 requests" in html.unescape(page)


def test_where_nothing_was_used_nothing_is_to_be_explained(signed_in: Client) -> None:
    answer = json_of(signed_in, f"{LATTER}&group_by=feature")
    assert (answer["difference"], answer["rows"]) == ("0", [])
    assert set(answer["parts"].values()) == {"0"}


@pytest.mark.usefixtures("random_usage")
def test_a_day_that_has_not_ended_is_as_long_as_its_figures(signed_in: Client) -> None:
    answer = json_of(signed_in, "start=2026-10-17&end=2090-01-01")
    assert answer["before"]["elapsed_days"] > 20_000
    assert 0 < answer["after"]["elapsed_days"] < 20_000


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("metrics=requests", "metrics"),
        ("against=never", "against"),
        ("against=7d&against=8d", "against"),
        ("against_times=-1", "against_times"),
        ("against_times=1e3", "against_times"),
        ("against_start=2026-01-02&against_end=2026-01-01", "against_end"),
        ("team=", "team"),
        ("color=red", "color"),
        ("metrics=effective_cost&group_by=shoe", "group_by"),
    ],
)
def test_what_cannot_be_explained_is_refused_by_name(
    signed_in: Client, address: str, field: str
) -> None:
    response = signed_in.get(f"{reverse('api-explain')}?{address}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field


@pytest.mark.usefixtures("random_usage")
def test_what_costs_are_asked_with_is_understood(signed_in: Client) -> None:
    asked = f"{LATTER}&metrics=effective_cost,requests&granularity=day&compare=previous"
    assert json_of(signed_in, asked)["parts"] == json_of(signed_in, LATTER)["parts"]


def test_what_was_expected_is_the_same_usage_in_proportion(signed_in: Client) -> None:
    price_gpt_4o()
    first, second = START + DAY, START + 2 * DAY
    events = [usage.event(first, feature="answers", input_tokens=1000) for _ in range(8)]
    events += [usage.event(second, feature="answers", input_tokens=1000) for _ in range(6)]
    usage.record(events, now=NOW)
    answer = json_of(
        signed_in,
        "start=2026-10-14&end=2026-10-15&against_start=2026-10-12&against_end=2026-10-14"
        "&against_times=0.25&group_by=feature",
    )
    assert answer["before"]["requests"] == 2
    changed = {name: amount for name, amount in answer["parts"].items() if Decimal(amount)}
    assert list(changed) == ["volume"]
    assert Decimal(changed["volume"]) == Decimal(answer["after"]["effective_cost"]) * 4 / 6
    assert answer["localized_difference"] == answer["difference"]
