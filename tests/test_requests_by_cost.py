"""Requests, the most expensive first: within a day, page by page, the unpriced last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import figures, usage
from tests.page_texts import rows_of

DAY = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
ASKED = "start=2026-10-12&end=2026-10-13&sort=cost"

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(db: None) -> None:
    figures.price_models()
    events = figures.random_events(41, 60, DAY, DAY + timedelta(days=1))
    # Equal costs, at one instant and at others.
    events += [usage.event(DAY + timedelta(hours=n // 2), id=f"same-{n}") for n in range(8)]
    outside = [usage.event(DAY + timedelta(days=1), id="after", output_tokens=90_000)]
    usage.record([*events, *outside], now=NOW)


def walk(client: Client, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = f"{reverse('api-requests')}?{address}"
    while following:
        answer = client.get(following).json()
        found += answer["requests"]
        following = answer["next"]
    return found


def rank(request: dict[str, Any]) -> tuple[Decimal, str, str]:
    cost = request["effective_cost"]
    return Decimal(-1 if cost is None else cost), request["started_at"], request["event_key"]


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("size", [1, 7, 500])
def test_pages_by_cost_hold_every_request_once_in_order(signed_in: Client, size: int) -> None:
    found = walk(signed_in, f"{ASKED}&limit={size}")
    costs = [rank(each)[0] for each in found]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == -1
    everything = walk(signed_in, ASKED.replace("cost", "newest") + "&limit=500")
    assert len(found) == 68
    assert {each["event_key"] for each in found} == {each["event_key"] for each in everything}


@pytest.mark.usefixtures("recorded")
def test_filters_hold(signed_in: Client) -> None:
    found = walk(signed_in, f"{ASKED}&model=gpt-4o&user=ann&limit=3")
    assert found
    assert {(each["model"], each["user"]) for each in found} == {("gpt-4o", "ann")}


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("period=7d&sort=cost", "sort"),
        (f"{ASKED}&sort=price".replace("sort=cost&", ""), "sort"),
        (f"{ASKED}&cursor=nonsense", "cursor"),
        (f"{ASKED}&cursor=WyJOYU4iLCAiMjAyNi0xMC0xMlQwMDowMDowMFoiLCAiMDAiXQ", "cursor"),
    ],
)
def test_what_cannot_be_sorted_is_refused(signed_in: Client, address: str, field: str) -> None:
    response = signed_in.get(f"{reverse('api-requests')}?{address}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.usefixtures("recorded")
def test_a_cursor_of_the_other_order_is_refused(signed_in: Client) -> None:
    path = reverse("api-requests")
    newest = signed_in.get(f"{path}?{ASKED.replace('cost', 'newest')}&limit=1").json()
    response = signed_in.get(f"{path}?{ASKED}&cursor={newest['next_cursor']}")
    assert response.status_code == 400


@pytest.mark.usefixtures("recorded")
def test_the_page_goes_on_in_its_order(signed_in: Client) -> None:
    page = signed_in.get(f"/requests?{ASKED}")
    assert "most expensive first" in page.text
    assert "sort=cost" in page.text.partition("Less expensive requests")[0][-400:]
    costs = [Decimal(row[-1]) for row in rows_of(page.text) if row[-1] != "unpriced"]
    assert costs == sorted(costs, reverse=True)
    pushed = signed_in.get(f"/requests?{ASKED}", headers={"HX-Request": "true"})
    assert pushed.headers["HX-Push-Url"].endswith("&sort=cost")


@pytest.mark.usefixtures("recorded")
def test_a_longer_period_offers_the_last_day_and_says_what_is_wrong_with_more(
    signed_in: Client,
) -> None:
    whole = "/requests?start=2026-10-12&end=2026-10-15"
    assert "/requests?period=24h&amp;sort=cost" in signed_in.get(whole).text
    refused = signed_in.get(f"{whole}&sort=cost")
    assert refused.status_code == 400
    assert "within one day" in refused.text
