"""/api/v1/budgets: made, changed and removed on record, each wrong field named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from budgeting import cost, price_dollars
from desks import reader
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from jsonschema import Draft202012Validator

from finops import budgets
from finops.api.budget_schema import standing_json
from finops.models import ActivatedTag, AuditRecord, Budget, BudgetStatus, Threshold
from tests import usage

pytestmark = pytest.mark.django_db

PATH = "/api/v1/budgets"
TERMS = {"name": "Search", "filters": {"team": ["cx"]}, "period": "monthly", "amount": "1000"}


def send(client: Client, method: str, path: str, body: object, status: int) -> Any:
    response = client.generic(method, path, json.dumps(body), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def test_a_budget_is_made_read_changed_and_removed(signed_in: Client) -> None:
    made = send(signed_in, "POST", PATH, TERMS, 201)
    assert (made["team"], made["version"], made["amount"]) == ("cx", 1, "1000")
    assert [(each["basis"], each["value"]) for each in made["thresholds"]] == [
        ("actual", "80"),
        ("actual", "100"),
        ("forecast", "100"),
    ]
    path = f"{PATH}/{made['id']}"
    listed = {name: held for name, held in made.items() if name != "warnings"}
    assert signed_in.get(PATH).json() == {"budgets": [listed], "next_cursor": None}
    assert signed_in.get(path).json() == made
    changed = send(signed_in, "PATCH", path, {"amount": 1500.5, "version": 1}, 200)
    assert (changed["amount"], changed["version"], changed["name"]) == ("1500.5", 2, "Search")
    conflict = send(signed_in, "PATCH", path, {"amount": 7, "version": 1}, 409)
    assert conflict["version"] == 2
    assert send(signed_in, "PATCH", path, {"amount": "1500.50"}, 200)["version"] == 2
    send(signed_in, "DELETE", f"{path}?version=1", None, 409)
    assert send(signed_in, "DELETE", f"{path}?version=2", None, 204) is None
    assert signed_in.get(path).status_code == 404
    send(signed_in, "POST", PATH, TERMS, 201)  # its name is free again
    acts = AuditRecord.objects.filter(subject=f"Search (#{made['id']})").order_by("pk")
    assert [each.action for each in acts] == ["budget.create", "budget.change", "budget.remove"]
    assert (acts[1].before, acts[1].after) == ({"amount": "1000"}, {"amount": "1500.5"})
    assert (acts[1].actor, acts[1].team) == ("ada", "cx")


def test_thresholds_of_the_same_terms_stay_the_same(signed_in: Client) -> None:
    made = send(signed_in, "POST", PATH, TERMS, 201)
    before = set(Threshold.objects.values_list("pk", flat=True))
    path = f"{PATH}/{made['id']}"
    only = [{"basis": "actual", "value": 100, "severity": "info"}, {"basis": "actual", "value": 70}]
    send(signed_in, "PATCH", path, {"thresholds": only}, 200)
    back = send(signed_in, "PATCH", path, {"thresholds": made["thresholds"]}, 200)
    assert back["thresholds"] == made["thresholds"]
    in_force = set(Threshold.objects.filter(retired_at=None).values_list("pk", flat=True))
    assert in_force == before


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"nam": "x"}, {"nam"}),
        ({"filters": {"teem": ["cx"]}}, {"filters"}),
        ({"filters": {"team": [""]}}, {"filters.team"}),
        ({"filters": {"team": 7}}, {"filters.team"}),
        ({"filters": ["team"]}, {"filters"}),
        ({"filters": {"tag:release": ["1"]}}, {"filters"}),
        ({"for_each": "tag:release"}, {"for_each"}),
        ({"for_each": "person"}, {"for_each"}),
        ({"owner": "nobody"}, {"owner"}),
        ({"period": "hourly"}, {"period"}),
        ({"period": "rolling"}, {"rolling_days"}),
        ({"period": "rolling", "rolling_days": 1}, {"rolling_days"}),
        ({"rolling_days": 7}, {"rolling_days"}),
        ({"amount": None}, {"amount"}),
        ({"amount": "-1"}, {"amount"}),
        ({"amount": "1e99"}, {"amount"}),
        ({"amount": "0.0000001"}, {"amount"}),
        ({"amount": True}, {"amount"}),
        ({"amount_kind": "plan"}, {"plan"}),
        ({"amount_kind": "plan", "plan": {"October": 1}}, {"plan", "plan.October"}),
        ({"amount_kind": "plan", "plan": {"2026-10": 1}, "period": "daily"}, {"amount_kind"}),
        ({"plan": {"2026-10": 1}}, {"plan"}),
        ({"amount_kind": "last_period"}, {"change_percent"}),
        ({"amount_kind": "last_period", "change_percent": -100}, {"change_percent"}),
        ({"cost": "billed"}, {"cost"}),
        ({"unpriced": "estimate"}, {"unpriced_rate"}),
        ({"unpriced_rate": 3}, {"unpriced_rate"}),
        ({"thresholds": []}, {"thresholds"}),
        ({"thresholds": [7]}, {"thresholds.0"}),
        ({"thresholds": [{"basis": "spent", "value": 1}]}, {"thresholds.0.basis"}),
        ({"thresholds": [{"basis": "actual"}]}, {"thresholds.0.value"}),
        ({"thresholds": [{"basis": "actual", "value": 1}] * 2}, {"thresholds.1.value"}),
        ({"thresholds": [{"basis": "burn_rate", "value": 300}]}, {"thresholds.0.window_hours"}),
        (
            {"thresholds": [{"basis": "burn_rate", "value": 300, "window_hours": 50}]},
            {"thresholds.0.window_hours"},
        ),
        (
            {
                "for_each": "user",
                "thresholds": [{"basis": "burn_rate", "value": 300, "window_hours": 6}],
            },
            {"thresholds.0.window_hours"},
        ),
        ({"amount": "x", "period": "", "note": 5}, {"amount", "period", "note"}),
    ],
)
def test_every_wrong_field_is_named(
    signed_in: Client, given: dict[str, object], fields: set[str]
) -> None:
    answer = send(signed_in, "POST", PATH, {**TERMS, **given}, 400)
    assert {each["field"] for each in answer["errors"]} == fields
    assert all(each["message"].endswith((".", "}.")) for each in answer["errors"])
    assert not Budget.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "7", "{", '{"name": NaN}'])
def test_what_is_no_budget_at_all_is_refused(signed_in: Client, body: str) -> None:
    response = signed_in.post(PATH, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_a_name_is_taken_once_and_a_tag_has_to_be_active(signed_in: Client) -> None:
    ActivatedTag.objects.create(key="release")
    send(signed_in, "POST", PATH, {**TERMS, "for_each": "tag:release"}, 201)
    answer = send(signed_in, "POST", PATH, TERMS, 400)
    assert [each["field"] for each in answer["errors"]] == ["name"]


def test_members_of_a_team_see_its_budgets_and_manage_none(administrator: User) -> None:
    at = datetime.now(UTC)
    for name, filters in (
        ("theirs", {"team": ["cx"]}),
        ("others", {"team": ["ads"]}),
        ("both", {"team": ["cx", "ads"]}),
        ("all", {}),
    ):
        terms = {**TERMS, "name": name, "filters": filters}
        budgets.make(budgets.read(terms), by=administrator, at=at)
    for role in ("engineer", "viewer"):
        client = reader(role, "cx")
        found = client.get(PATH).json()["budgets"]
        assert [each["name"] for each in found] == ["theirs"]
        hidden = Budget.objects.get(name="all")
        assert client.get(f"{PATH}/{hidden.pk}/status").status_code == 404
        send(client, "PATCH", f"{PATH}/{found[0]['id']}", {"amount": 5}, 403)
        send(client, "POST", PATH, TERMS, 403)
    assert len(reader("finance").get(PATH).json()["budgets"]) == 4


def test_shares_of_money_are_rounded_and_money_is_not(administrator: User) -> None:
    now, third = datetime.now(UTC), Decimal("0." + "3" * 100)
    held = budgets.make(budgets.read(TERMS), by=administrator, at=now)
    row = BudgetStatus(
        budget=held, period_start=now.date(), period_end=now.date(), evaluated_at=now,
        actual=third, forecast=third * 2, forecast_method="weekdays", burn={"6": str(third)},
    )  # fmt: skip
    said = standing_json(row)
    assert (said["actual"], said["burn"]) == (f"{third}", {"6": "0.3333"})
    assert (said["forecast"], said["forecast_low"]) == ("0.66667", None)
    row.forecast, row.forecast_method = third, "complete"  # it is what was spent
    assert standing_json(row)["forecast"] == said["actual"]


def test_what_takes_long_to_read_is_left_to_the_worker_and_the_status_says_so(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.budgets.checking.SECONDS", 0.0)
    made = send(signed_in, "POST", PATH, TERMS, 201)
    answer = signed_in.get(f"{PATH}/{made['id']}/status").json()
    assert answer["status"] is None
    assert answer["note"] == "It is checked for the first time within 20 seconds."


def test_a_change_by_the_api_shows_in_the_status_at_once(signed_in: Client) -> None:
    path = f"{PATH}/{send(signed_in, 'POST', PATH, TERMS, 201)['id']}"
    send(signed_in, "PATCH", path, {"amount": "70"}, 200)
    assert signed_in.get(f"{path}/status").json()["status"]["amount"] == "70"


def test_the_status_follows_the_document(signed_in: Client) -> None:
    price_dollars()
    now = datetime.now(UTC)
    made = send(signed_in, "POST", PATH, {**TERMS, "for_each": "user", "amount": 50}, 201)
    path = f"{PATH}/{made['id']}/status"
    first = signed_in.get(path).json()
    assert (first["status"]["actual"], first["note"]) == ("0", "")  # evaluated at once
    tokens = {"input_tokens": 60, "output_tokens": 0, "team": "cx", "user": "ann"}
    usage.record([usage.event(now, **tokens)], now=now)
    budgets.evaluate(datetime.now(UTC) + timedelta(seconds=20), settings.REPORTING_ZONE)
    answer = signed_in.get(path).json()
    assert (answer["status"]["actual"], answer["status"]["state"]) == ("60", "over")
    assert [(each["value"], each["actual"]) for each in answer["values"]] == [("ann", "60")]
    assert {(each["line"], each["is_told"]) for each in answer["crossings"]} == {
        ("40", False),
        ("50", True),
    }
    schema = signed_in.get("/api/schema/", headers={"Accept": "application/json"}).json()
    for asked, template in ((path, "/{number}/status"), (PATH, ""), (path[:-7], "/{number}")):
        described = schema["paths"][f"{PATH}{template}"]["get"]["responses"]["200"]["content"]
        validator = Draft202012Validator(
            {**described["application/json"]["schema"], "components": schema["components"]}
        )
        errors = validator.iter_errors(signed_in.get(asked).json())
        assert [error.message for error in errors] == []


def test_the_values_of_a_status_come_in_pages_and_crossings_name_their_threshold(
    signed_in: Client,
) -> None:
    price_dollars()
    now = datetime.now(UTC)
    terms = {"name": "Each", "period": "monthly", "for_each": "user", "amount": 50}
    path = f"{PATH}/{send(signed_in, 'POST', PATH, terms, 201)['id']}/status"
    usage.record([cost(now, 10 + n, user=f"u-{n}") for n in range(5)], now=now)
    usage.record([cost(now, 60, user="ann")], now=now)
    budgets.evaluate(now + timedelta(seconds=20), settings.REPORTING_ZONE)
    whole = signed_in.get(path).json()
    assert whole["next_cursor"] is None
    found, cursor, pages = [], "", 0
    while cursor is not None:
        page = signed_in.get(path, {"limit": 4, "cursor": cursor}).json()
        assert page["status"] == whole["status"]
        found, cursor, pages = found + page["values"], page["next_cursor"], pages + 1
    assert (found, pages) == (whole["values"], 2)
    assert [each["value"] for each in found][:2] == ["ann", "u-4"]
    [terms] = [each["terms"] for each in whole["crossings"] if each["is_told"]]
    assert terms == {
        **{"basis": "actual", "kind": "percent", "value": "100"},
        **{"window_hours": None, "severity": "critical"},
    }
    for wrong in ({"limit": 0}, {"limit": 1001}, {"cursor": "x"}, {"page": 2}):
        assert signed_in.get(path, wrong).status_code == 400
