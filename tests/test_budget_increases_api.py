"""The same by the API, with a token: asked, decided once, said as problems where it cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from budgeting import budget
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from finops import budgets
from finops.demo import budgets as demo_budgets
from finops.models import Budget, BudgetIncrease, BudgetStatus
from tests import usage
from tests.desks import reader
from tests.page_texts import price_gpt_4o

pytestmark = pytest.mark.django_db


def post(client: Client, path: str, given: Any) -> HttpResponse:
    return client.post(path, given, content_type="application/json")


@pytest.fixture
def path() -> str:
    made = budget(datetime.now(UTC), name="CX", filters={"team": ["cx"]})
    return f"/api/v1/budgets/{made.pk}/increases"


def wanted(**changes: str) -> dict[str, str]:
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    return {"amount": "12.5", "until": until, "reason": "launch", **changes}


def test_asked_by_an_engineer_and_decided_by_finance_once(path: str) -> None:
    engineer, finance = reader("engineer", "cx"), reader("finance")
    asked = post(engineer, path, wanted())
    assert asked.status_code == 201
    found = asked.json()
    assert (found["amount"], found["state"], found["asked_by"]) == ("12.5", "asked", "engineer-cx")
    one = f"{path}/{found['id']}"
    assert engineer.get(path).json() == {"increases": [engineer.get(one).json()]}
    assert post(engineer, one, {"verb": "approve"}).status_code == 403
    wrong = post(finance, one, {"verb": "refuse"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "note")
    done = post(finance, one, {"verb": "approve", "note": "fine"}).json()
    assert (done["state"], done["decided_by"], done["note"]) == ("approved", "finance-", "fine")
    late = post(finance, one, {"verb": "refuse", "note": "too much"})
    assert (late.status_code, late["Content-Type"]) == (409, "application/problem+json")


def test_wrong_fields_are_named(path: str) -> None:
    client = reader("finance")
    answer = post(client, path, {"amount": -1, "until": "soon", "colour": "red"})
    assert answer.status_code == 400
    assert {each["field"] for each in answer.json()["errors"]} == {
        *("amount", "until", "reason", "colour")
    }
    assert post(client, path, [1]).status_code == 400
    assert post(client, f"{path}/999", {"verb": "approve"}).status_code == 404
    made = post(client, path, wanted()).json()
    assert post(client, f"{path}/{made['id']}", {"verb": "burn"}).status_code == 400


def test_other_teams_find_nothing(path: str) -> None:
    other = reader("engineer", "ads")
    assert other.get(path).status_code == 404
    assert post(other, path, wanted()).status_code == 404
    assert post(reader("viewer", "cx"), path, wanted()).status_code == 403


def test_the_demo_has_budgets_of_the_size_of_its_costs() -> None:
    price_gpt_4o()
    now, zone = datetime.now(UTC), ZoneInfo("UTC")
    events = [
        usage.event(now - timedelta(days=day, minutes=9), team="support", input_tokens=90_000)
        for day in range(20)
    ]
    usage.record(events, now=now)
    by = User.objects.create_user("demo")
    assert [demo_budgets.make(by, now, zone) for _ in range(2)] == [3, 0]
    budgets.evaluate(now, zone)
    assert set(BudgetStatus.objects.filter(value="").values_list("budget__name", flat=True)) == {
        *("The whole company", "Support", "Any user, a day")
    }
    assert BudgetIncrease.objects.get().budget == Budget.objects.get(name="Support")
