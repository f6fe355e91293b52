"""Cost centers and rules by hand, what nobody bears, and teams that move."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from finops.models import AuditRecord, CostCenter, OwnershipRule, Team
from finops.periods import local_day
from tests import figures, ownership, usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def spent(signed_in: Client) -> Client:
    """Three requests of two teams, of which nobody pays for any."""
    figures.price_models()
    now = timezone.now()
    events = [
        usage.event(now - timedelta(hours=2), team=team, feature="chat", user="ann")
        for team in ("cx", "cx", "hr")
    ]
    usage.record(events, now=now)
    return signed_in


def answer(client: Client, **asked: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/ownership/unattributed", asked).json()
    return found


def test_what_nobody_bears_is_given_away_from_its_row(spent: Client) -> None:
    ownership.make_centers("CC-1")
    page = spent.get("/unattributed")
    assert page.status_code == 200
    assert "0 %" in page.text
    assert answer(spent)["allocated_percent"] == "0"
    given = {
        "back": "unattributed", "cost_center": "CC-1", "effective_from": "",
        "dimension_1": "team", "value_1": "cx", "value_2": "chat", "value_3": "gpt-4o",
    }  # fmt: skip
    done = spent.post("/settings/ownership", given, follow=True)
    assert "Usage of team cx is CC-1" in done.text
    assert done.redirect_chain[-1][0] == "/unattributed"
    [rule] = OwnershipRule.objects.all()
    assert (rule.conditions, rule.effective_from) == ({"team": "cx"}, None)
    found = answer(spent, group_by="team")
    assert found["allocated_percent"] == "66.66"
    assert [(row["team"], row["requests"]) for row in found["rows"]] == [("hr", 1)]
    assert AuditRecord.objects.filter(action="ownership.rule", actor="ada").count() == 1


def test_a_rule_is_ended_moved_and_removed(spent: Client) -> None:
    ownership.make_centers("CC-1", "CC-2")
    for code, value in (("CC-1", "cx"), ("CC-2", "hr")):
        spent.post(
            "/settings/ownership",
            {"cost_center": code, "dimension_2": "team", "value_2": value},
        )
    first, second = OwnershipRule.objects.all()
    address = f"/settings/ownership/rules/{second.pk}"
    assert (
        "Rule 1 asks"
        in spent.post(
            "/settings/ownership", {"cost_center": "CC-2", "dimension_1": "team", "value_1": "cx"}
        ).text
    )
    spent.post(address, {"what": "move", "position": "1"})
    assert [rule.pk for rule in OwnershipRule.objects.all()] == [second.pk, first.pk]
    today = local_day(timezone.now(), settings.REPORTING_ZONE)
    spent.post(address, {"what": "end", "effective_to": today.isoformat()})
    assert "until before" in spent.get("/settings/ownership?q=hr").text
    assert answer(spent, group_by="team", period="24h")["rows"][0]["team"] == "hr"
    spent.post(address, {"what": "remove"})
    assert list(OwnershipRule.objects.all()) == [first]


def test_a_team_that_moves_leaves_what_was_before_to_its_former_cost_center(spent: Client) -> None:
    team = Team.objects.create(name="cx", cost_center="CC-1")
    today = local_day(timezone.now(), settings.REPORTING_ZONE)
    tomorrow = today + timedelta(days=1)
    changed = {"name": "cx", "cost_center": "CC-2", "since": tomorrow.isoformat()}
    assert spent.post(f"/teams/{team.pk}", changed).status_code == 302
    asked = {"group_by": "cost_center", "granularity": "total", "team": "cx", "period": "7d"}
    rows = spent.get("/api/v1/costs", asked).json()["rows"]
    assert [row["cost_center"] for row in rows] == ["CC-1"]
    page = spent.get(f"/teams/{team.pk}").text
    assert "Cost centers of the team" in page
    assert tomorrow.isoformat() in page
    changed["since"] = (today - timedelta(days=2)).isoformat()
    spent.post(f"/teams/{team.pk}", changed)
    rows = spent.get("/api/v1/costs", asked).json()["rows"]
    assert [row["cost_center"] for row in rows] == ["CC-2"]
    assert CostCenter.objects.filter(code="CC-2").exists()


def test_cost_centers_are_made_and_changed_by_their_code(spent: Client) -> None:
    terms = {"code": "CC-1", "name": "Care", "gl_account": "6411", "owner_email": "ann"}
    wrong = spent.post("/settings/ownership/cost-centers", terms)
    assert wrong.status_code == 400
    assert "Write an e-mail address" in wrong.text
    terms["owner_email"] = "ann@example.com"
    spent.post("/settings/ownership/cost-centers", {**terms, "is_active": "on"})
    [center] = spent.get("/api/v1/cost-centers").json()["cost_centers"]
    assert center == {**terms, "is_active": True}
    answered = spent.post(
        "/api/v1/cost-centers",
        {"code": "CC-1", "is_active": False},
        content_type="application/json",
    )
    assert (answered.json()["name"], answered.json()["is_active"]) == ("", False)


def test_the_api_makes_changes_and_removes_rules(spent: Client) -> None:
    ownership.make_centers("CC-1")
    terms = {"conditions": {"user": "ann"}, "cost_center": "CC-1"}
    made = spent.post("/api/v1/ownership/rules", terms, content_type="application/json")
    assert made.status_code == 201, made.text
    address = f"/api/v1/ownership/rules/{made.json()['id']}"
    again = spent.post("/api/v1/ownership/rules", terms, content_type="application/json")
    assert [each["field"] for each in again.json()["errors"]] == ["conditions"]
    assert answer(spent)["unattributed_cost"] == "0"
    ended = spent.patch(address, {"effective_to": "2026-01-01"}, content_type="application/json")
    assert ended.json()["effective_to"] == "2026-01-01"
    assert spent.get("/api/v1/ownership/rules").json()["count"] == 1
    assert spent.delete(address).status_code == 204
    assert spent.delete(address).status_code == 404
