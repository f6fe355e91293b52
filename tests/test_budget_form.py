"""Making and changing a budget on its pages: what is wrong is said beside its field, and nothing is
saved that was not tested."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from budget_desk import given, made, of_team, saved, tried
from django.test import Client

from finops.models import AuditRecord, Budget, Price
from tests import usage
from tests.desks import reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance() -> Client:
    return reader("finance")


def beside(page: str, name: str) -> str:
    """What is said of the field of this id or name."""
    field = re.search(rf'name="{name}".*?(?=<label|</fieldset)', page, re.S)
    assert field, f"there is no field {name}"
    return field[0]


def test_a_budget_is_tested_before_it_is_saved(finance: Client) -> None:
    straight = finance.post("/budgets/new", given(act="save"))
    assert straight.status_code == 200
    assert "In the last 90 days it would have told" in straight.content.decode()
    assert not Budget.objects.exists()
    budget = made(finance, given())
    assert (budget.name, budget.amount, budget.created_by) == ("All of it", 100, "finance-")
    assert finance.get(f"/budgets/{budget.pk}").status_code == 200


def test_what_is_changed_after_the_test_is_tested_anew(finance: Client) -> None:
    digest = re.search(r'name="tested" value="(\w+)"', tried(finance, given()).content.decode())
    assert digest
    other = finance.post("/budgets/new", given(act="save", amount="5", tested=digest[1]))
    assert other.status_code == 200
    assert not Budget.objects.exists()


def test_the_test_says_what_would_have_been_told_and_when(finance: Client) -> None:
    Price.objects.create(
        kind="contract", provider="openai", model="gpt-4o", source="tests",
        uncached_input_price="0.01", text_output_price="0.01",
    )  # fmt: skip
    now = datetime.now(UTC)
    at = now - timedelta(days=40)
    usage.record([usage.event(at, team="cx"), usage.event(at, team="ads")], now=now)
    daily = of_team("cx", period="daily", amount="12")  # 1,200 tokens at 0.01 are 12 USD
    page = tried(finance, daily).content.decode()
    assert "it would have told once" in page
    assert "The dearest period came to $12.00" in page
    assert "slowed down" not in page
    enforced = tried(finance, {**daily, "enforcement": "block"}).content.decode()
    assert "Calls would have been slowed down or refused on 1 day of 90." in enforced
    assert "100\N{NO-BREAK SPACE}% of the amount" in page
    never = tried(finance, {**daily, "amount": "1000"}).content.decode()
    assert "it would have told nothing" in never


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"name": ""}, "name", "Write what the budget is called"),
        ({"amount": ""}, "amount", "Write how much may be spent"),
        ({"amount": "-5"}, "amount", "Write more than 0"),
        ({"amount": "1e400"}, "amount", "Write"),
        ({"period": "rolling"}, "rolling_days", "Write how many days"),
        ({"amount_kind": "last_period", "amount": ""}, "change_percent", "Write the change"),
        ({"unpriced": "estimate"}, "unpriced_rate", "Write USD per million tokens"),
        ({"for_each": "shoe size"}, "for_each", "is no dimension"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    finance: Client, wrong: dict[str, Any], field: str, said: str
) -> None:
    response = tried(finance, given(**wrong))
    page = response.content.decode()
    assert response.status_code == 400
    assert said in beside(page, field)
    assert 'value="All of it"' in page or "name" in wrong


def test_wrong_rows_are_told_by_row(finance: Client) -> None:
    filters = {"dimension": ["", "team"], "sense": ["is", "not"], "value": ["cx", ""]}
    page = tried(finance, given(**filters, threshold_value=["80", "x", ""])).content.decode()
    assert "Choose the dimension that has this value." in page
    assert 'id="filter-error-2"' in page
    assert 'id="threshold-error-2"' in page
    assert 'id="threshold-error-1"' not in page


def test_a_budget_without_thresholds_is_refused(finance: Client) -> None:
    response = tried(finance, given(threshold_value=["", "", ""]))
    assert response.status_code == 400
    assert "without one nobody would be told" in response.content.decode()


def test_filters_of_explore_are_in_the_form_and_in_its_budget(finance: Client) -> None:
    page = finance.get("/budgets/new?team=cx&model=!gpt-4o&cost=list_cost").content.decode()
    assert 'value="cx"' in page
    assert 'value="gpt-4o"' in page
    both = {"dimension": ["team", "model"], "sense": ["is", "not"], "value": ["cx", "gpt-4o"]}
    budget = made(finance, given(**both, cost="list_cost"))
    assert budget.filters == {"team": ["cx"], "model": ["!gpt-4o"]}
    assert (budget.team, budget.cost) == ("cx", "list_cost")


def test_a_plan_by_month_is_kept_and_shown_again(finance: Client) -> None:
    months = {"plan_month": ["2026-11", "2026-12"], "plan_amount": ["500", "900"]}
    budget = made(finance, given(amount_kind="plan", **months))
    assert [(str(each.month), each.amount) for each in budget.plan.all()] == [
        ("2026-11-01", 500),
        ("2026-12-01", 900),
    ]
    page = finance.get(f"/budgets/{budget.pk}/change").content.decode()
    assert re.search(r'id="plan-2026-12"[^>]*value="900"', page)


def test_a_change_is_shown_as_it_is_saved_and_is_on_record(finance: Client) -> None:
    budget = made(finance, given())
    path = f"/budgets/{budget.pk}/change"
    page = finance.get(path).content.decode()
    assert 'value="100"' in page
    assert 'value="80"' in page
    response = saved(finance, given(amount="250.5"), path)
    assert response.status_code == 302
    budget.refresh_from_db()
    assert str(budget.amount.normalize()) == "250.5"
    actions = list(AuditRecord.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["budget.create", "budget.change"]


def test_two_who_change_it_at_once_do_not_overwrite_each_other(finance: Client) -> None:
    budget = made(finance, given())
    path = f"/budgets/{budget.pk}/change"
    opened = {"version": str(budget.version)}
    assert saved(finance, given(amount="200"), path).status_code == 302
    late = saved(finance, given(amount="300", **opened), path)
    assert late.status_code == 400
    assert "Somebody changed this budget meanwhile" in late.content.decode()
    budget.refresh_from_db()
    assert budget.amount == 200


def test_what_gateways_are_told_is_kept_when_something_else_changes(finance: Client) -> None:
    told = {"enforcement": "throttle", "throttle_percent": "70", "fail_closed": "on"}
    budget = made(finance, given(**told))
    path = f"/budgets/{budget.pk}/change"
    page = finance.get(path).content.decode()
    assert re.search(r'name="fail_closed"[^>]* checked', page)
    assert re.search(r'name="throttle_percent" value="70"', page)
    assert saved(finance, given(amount="300", **told), path).status_code == 302
    budget.refresh_from_db()
    assert (budget.enforcement, int(budget.throttle_percent or 0), budget.fail_closed) == (
        "throttle",
        70,
        True,
    )
    assert (
        "refuses while figures are stale" in finance.get(f"/budgets/{budget.pk}").content.decode()
    )


def test_deleting_asks_and_takes_it_off_the_list(finance: Client) -> None:
    budget = made(finance, given())
    assert "Delete the budget" in finance.get(f"/budgets/{budget.pk}/delete").content.decode()
    assert finance.post(f"/budgets/{budget.pk}/delete").status_code == 302
    assert finance.get(f"/budgets/{budget.pk}").status_code == 404
    assert AuditRecord.objects.filter(action="budget.remove").exists()


@pytest.mark.parametrize("role", ["engineer", "viewer"])
def test_others_do_not_make_budgets(role: str) -> None:
    client = reader(role, "cx")
    assert client.get("/budgets/new").status_code == 403
    assert "New budget" not in client.get("/budgets").content.decode()
