"""Finding one budget among many, on the page and by the API: by name, by state, page by page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from budgeting import UNPRICED, budget, percent, price_dollars, spend
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from finops import budgets
from finops.models import Budget, BudgetStatus
from tests.desks import reader

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
API = "/api/v1/budgets"


@pytest.fixture
def finance() -> Client:
    return reader("finance")


@pytest.fixture(autouse=True)
def company(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets that are over by more and by less, reached, unpriced, old, and quiet."""
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    price_dollars()
    spent = {"ads": 300, "cx": 120, "search": 85, "quiet": 1, "odd": 1, "old": 1}
    for team, dollars in spent.items():
        spend(NOON - timedelta(days=1), dollars, now=NOON, team=team)
        terms = {"filters": {"team": [team]}, "thresholds": [percent(80)]}
        budget(NOON - timedelta(days=20), name=f"Team {team}", **terms)
    spend(NOON - timedelta(days=1), 1, now=NOON, team="odd", model=UNPRICED)
    budgets.evaluate(NOON, settings.REPORTING_ZONE)
    aged = BudgetStatus.objects.filter(budget__name="Team old")
    aged.update(evaluated_at=NOON - timedelta(minutes=11))


def names(page: HttpResponse) -> list[str]:
    return re.findall(r'class="row-link" href="[^"]+">([^<]+)<', page.content.decode())


def listed(client: Client, **params: Any) -> tuple[list[str], str | None]:
    answer = client.get(API, params)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    return [each["name"] for each in said["budgets"]], said["next_cursor"]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"q": "team CX"}, ["Team cx"]),
        ({"q": "nothing like this"}, []),
        ({"state": "over"}, ["Team ads", "Team cx"]),
        ({"state": "near"}, ["Team search"]),
        ({"state": "unpriced"}, ["Team odd"]),
        ({"state": "stale"}, ["Team old"]),
        ({"state": "over", "q": "ads"}, ["Team ads"]),
    ],
    ids=lambda given: "-".join(given.values()) if isinstance(given, dict) else "",
)
def test_budgets_are_found_by_name_and_by_state(
    finance: Client, params: dict[str, str], found: list[str]
) -> None:
    page = finance.get("/budgets", params)
    assert (page.status_code, names(page)) == (200, found)
    assert ("No budget is like this" in page.content.decode()) == (not found)
    assert listed(finance, **params) == (found, None)


def test_a_value_that_reached_a_threshold_is_found_though_another_is_nearer_to_its_amount(
    finance: Client,
) -> None:
    line = {"basis": "burn_rate", "kind": "money", "value": 20, "window_hours": 24}
    terms: dict[str, Any] = {"for_each": "user", "thresholds": [line]}
    budget(NOON - timedelta(days=20), name="Any user", **terms)
    spend(NOON - timedelta(days=5), 60, now=NOON, user="steady")
    spend(NOON - timedelta(hours=1), 30, now=NOON, user="fast")
    budgets.evaluate(NOON, settings.REPORTING_ZONE)
    near = ["Team search", "Any user"]
    page = finance.get("/budgets", {"state": "near"})
    assert names(page) == near
    text = page.content.decode()
    assert "worst: steady" in text
    assert text.count("threshold reached") >= 2
    assert "within budget" not in text
    assert listed(finance, state="near", sort="urgency")[0] == near
    assert listed(finance, sort="urgency")[0][:4] == ["Team ads", "Team cx", *near]


def test_the_list_has_pages_with_the_most_urgent_first(
    finance: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.pages.budgets.listing.PAGE_SIZE", 2)
    seen, path = [], "/budgets?q=team"
    while path:
        page = finance.get(path)
        seen += names(page)
        text = page.content.decode()
        assert "6 budgets, the most urgent first" in text
        further = re.search(r'href="([^"]+)">Next<', text)
        path = further[1].replace("&amp;", "&") if further else ""
    assert seen[:3] == ["Team ads", "Team cx", "Team search"]
    assert len(seen) == len(set(seen)) == 6
    assert "Page 3 of 3" in text


@pytest.mark.parametrize("sort", ["name", "urgency"])
def test_the_api_has_pages_in_either_order(finance: Client, sort: str) -> None:
    whole, nothing = listed(finance, sort=sort)
    assert nothing is None
    assert (whole == sorted(whole)) == (sort == "name")
    assert (whole[0], len(whole)) == ("Team ads", 6)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        some, cursor = listed(finance, sort=sort, limit=4, cursor=cursor)
        found += some
    assert found == whole


def test_pages_by_name_go_on_when_the_last_budget_of_one_is_removed(finance: Client) -> None:
    first, cursor = listed(finance, limit=2)
    last = Budget.objects.get(name=first[-1])
    assert finance.delete(f"{API}/{last.pk}").status_code == 204
    assert listed(finance, cursor=cursor)[0][0] == "Team odd"
    gone = finance.get(API, {"sort": "urgency", "cursor": cursor})
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    "params",
    [
        {"state": "fine"},
        {"sort": "age"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"cursor": "x"},
        {"cursor": "99999999"},
        {"page": "2"},
        {"q": "\0"},
    ],
    ids=lambda params: "-".join(f"{name} {value!r}" for name, value in params.items()),
)
def test_what_cannot_be_asked_of_the_list_is_named(finance: Client, params: dict[str, str]) -> None:
    answer = finance.get(API, params)
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == list(params)


def test_the_page_says_what_it_cannot_show(finance: Client) -> None:
    wrong = finance.get("/budgets", {"state": "fine"})
    assert wrong.status_code == 400
    assert "is none of over, near, unpriced, stale" in wrong.content.decode()
    assert finance.get("/budgets", {"page": "soon"}).status_code == 200
    assert names(finance.get("/budgets", {"page": "999"}))


def test_members_of_a_team_find_no_budget_of_another() -> None:
    engineer = reader("engineer", "cx")
    assert listed(engineer, sort="urgency") == (["Team cx"], None)
    assert names(engineer.get("/budgets", {"q": "team"})) == ["Team cx"]
    hidden = Budget.objects.get(name="Team ads")
    answer = engineer.get(API, {"sort": "urgency", "cursor": str(hidden.pk)})
    assert answer.status_code == 400


def test_the_list_names_whose_forecast_is_furthest_over(finance: Client) -> None:
    each = budget(NOON, name="Any team", for_each="team", amount=200)
    budgets.evaluate(NOON, settings.REPORTING_ZONE)
    said = "forecast furthest over: quiet, $5,000.00"
    assert said not in finance.get("/budgets").content.decode()
    BudgetStatus.objects.filter(budget=each, value="quiet").update(forecast=5000)
    page = finance.get("/budgets").content.decode()
    assert "worst: ads" in page
    assert said in page
