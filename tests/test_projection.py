"""The price calculator: exact, and the same on the page and in the API."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from page_texts import text_of

from finops.pricing.formula import EXACT
from finops.pricing.projection import Load, project, token_cost
from tests.page_texts import price_gpt_4o

ASKED = {
    "requests_per_day": "100000",
    "input_tokens": "500",
    "output_tokens": "300",
    "cached_percent": "45",
    "cost_per_cached_request": "0.0001",
}
TYPED = {"input_price_per_million": "30", "output_price_per_million": "60"}


def test_the_example_comes_out_to_the_last_digit() -> None:
    load = Load(100_000, 500, 300, Decimal(45))
    cost = token_cost(load, Decimal("0.03") / 1000, Decimal("0.06") / 1000)
    found = project(load, cost, Decimal("0.0001"))
    assert found.monthly_cost == Decimal("54585.00")
    assert found.cost_per_request == Decimal("0.018195")
    assert found.cached_cost + found.model_cost == found.monthly_cost


@given(
    st.integers(0, 10**9),
    st.decimals(0, 100, places=6),
    st.decimals(0, 1000, places=18),
    st.decimals(0, 1000, places=18),
)
def test_a_month_is_the_sum_of_its_requests(
    requests: int, cached: Decimal, cost: Decimal, hit: Decimal
) -> None:
    found = project(Load(requests, 1, 1, cached), cost, hit)
    with localcontext(EXACT):
        assert found.monthly_cost == found.cached_cost + found.model_cost
        assert found.monthly_cost == found.daily_cost * 30


@pytest.mark.django_db
def test_the_api_reproduces_the_example(signed_in: Client) -> None:
    answer = signed_in.get("/api/v1/projection", {**ASKED, **TYPED}).json()
    assert (answer["monthly_cost"], answer["cost_per_request"]) == ("54585", "0.018195")
    assert answer["request_cost"] == "0.033"
    assert answer["prices"] == []


@pytest.mark.django_db
def test_prices_are_taken_from_the_ledger(signed_in: Client) -> None:
    price_gpt_4o()
    answer = signed_in.get("/api/v1/projection", {**ASKED, "model": "gpt-4o", "provider": "openai"})
    found = answer.json()
    # 500 × 2.5 / 1M + 300 × 10 / 1M
    assert found["request_cost"] == "0.00425"
    assert found["prices"][0]["kind"] == "contract"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cached_percent": "101"}, "cached_percent"),
        ({"input_tokens": "1.5"}, "input_tokens"),
        ({"input_tokens": "many"}, "input_tokens"),
        ({"requests_per_day": ""}, "requests_per_day"),
        ({"days": "0"}, "days"),
        ({"model": "gpt-4o"}, "input_price_per_million"),
        ({"provider": "openai"}, "model"),
        ({"input_price_per_million": ""}, "input_price_per_million"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(signed_in: Client, wrong: dict[str, str], field: str) -> None:
    asked = {**ASKED, **TYPED, **wrong}
    answer = signed_in.get("/api/v1/projection", asked)
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert signed_in.get("/prices/calculator", asked).status_code == 400


@pytest.mark.django_db
def test_a_model_without_a_price_costs_nothing_known(signed_in: Client) -> None:
    answer = signed_in.get("/api/v1/projection", {**ASKED, "model": "mystery-1"})
    assert answer.status_code == 400
    assert "has no price in the ledger" in answer.json()["detail"]


@pytest.mark.django_db
def test_the_page_shows_the_example_until_something_is_asked(signed_in: Client) -> None:
    assert "$54,585.00" in text_of(signed_in.get("/prices/calculator").text)
    page = signed_in.get("/prices/calculator", {**ASKED, **TYPED, "days": "1"}).text
    assert "$1,819.50" in text_of(page)


@pytest.mark.django_db
def test_the_calculator_says_everything_wrong_at_once(signed_in: Client) -> None:
    wrong = {**ASKED, **TYPED, "requests_per_day": "many", "cached_percent": "101", "days": "0"}
    page = signed_in.get("/prices/calculator", wrong)
    assert page.status_code == 400
    assert page.text.count('aria-invalid="true"') == 3
    assert "is at most 100" in page.text
    assert "is from 1 to 366" in page.text
