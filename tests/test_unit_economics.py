"""What an outcome costs, and what is left of money: through the API, of usage that is known."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from finops.models import Account, ActivatedTag, Role, Team, TeamMember
from tests import figures, usage

pytestmark = pytest.mark.django_db
D = Decimal
EACH = D("0.0039375")  # one request of gpt-4o


@pytest.fixture
def today() -> date:
    return timezone.now().astimezone(UTC).date()


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def ago(today: date, count: int) -> date:
    return today - timedelta(days=count)


@pytest.fixture
def used(signed_in: Client, today: date) -> Client:
    """Requests of the support bot on each of the last twenty days: two a day by acme, one by
    globex, one on each of the last ten days by nobody; a search of ads beside them."""
    figures.price_models()
    ActivatedTag.objects.create(key="customer")
    events = []
    for count in range(1, 21):
        at = noon(ago(today, count))
        bot: dict[str, Any] = {"feature": "bot", "team": "cx"}
        events += [usage.event(at, tags={"customer": "acme"}, **bot) for _ in range(2)]
        events.append(usage.event(at, tags={"customer": "globex"}, **bot))
        if count <= 10:
            events.append(usage.event(at, **bot))
            events.append(usage.event(at, feature="search", team="ads"))
    usage.record(events, now=timezone.now(), tags=frozenset({"customer"}))
    return signed_in


def make(client: Client, **terms: Any) -> None:
    given = {"key": "tickets", "name": "Tickets resolved", "unit": "ticket", **terms}
    answer = client.post("/api/v1/business-metrics", given, content_type="application/json")
    assert answer.status_code == 201, answer.text


def send(client: Client, values: list[dict[str, Any]], key: str = "tickets") -> Any:
    address = f"/api/v1/business-metrics/{key}/values"
    return client.post(address, {"values": values}, content_type="application/json")


def ask(client: Client, **params: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/unit-economics", {"metric": "tickets", **params})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def of_days(today: date, first: int, last: int, value: str) -> list[dict[str, Any]]:
    return [{"period": ago(today, n).isoformat(), "value": value} for n in range(first, last + 1)]


BOT = {"filters": {"feature": ["bot"]}}


def test_what_a_ticket_costs_is_of_days_of_which_both_sides_are_known(
    used: Client, today: date
) -> None:
    make(used, **BOT)
    assert send(used, of_days(today, 1, 4, "2")).status_code == 200
    found = ask(used, period="7d")
    totals = found["totals"]
    # Six days with four requests each, of which four days have a value; today is still running.
    assert D(totals["cost"]) == 24 * EACH
    assert D(totals["matched_cost"]) == 16 * EACH
    assert totals["value"] == "8"
    assert D(totals["cost_per_unit"]) == 2 * EACH
    assert D(totals["cost_by_state"]["no_value"]) == 8 * EACH
    assert sum(map(D, totals["cost_by_state"].values())) == D(totals["cost"])
    known = {row["start"]: row["cost_per_unit"] for row in found["rows"]}
    assert known[ago(today, 5).isoformat()] is None
    reasons = {row["start"]: row["reason"] for row in found["rows"]}
    assert reasons[ago(today, 5).isoformat()] == "no_value"
    same = {**{"period": "7d", "feature": "bot"}, "metrics": "effective_cost"}
    assert used.get("/api/v1/costs", same).json()["totals"]["effective_cost"] == totals["cost"]


def test_nothing_is_divided_by_no_outcomes(used: Client, today: date) -> None:
    make(used, **BOT)
    send(used, of_days(today, 1, 6, "0"))
    totals = ask(used, period="7d")["totals"]
    assert totals["cost_per_unit"] is None
    assert totals["reason"] == "no_outcomes"
    assert D(totals["matched_cost"]) == 24 * EACH


def test_today_is_no_figure_before_it_is_over(used: Client, today: date) -> None:
    make(used, **BOT)
    usage.record(
        [usage.event(timezone.now() - timedelta(seconds=1), feature="bot")], now=timezone.now()
    )
    send(used, of_days(today, 0, 0, "5"))
    row = ask(used, period="2d", granularity="day")["rows"][-1]
    assert (row["cost_per_unit"], row["reason"], row["is_partial"]) == (None, "running", True)
    assert row["cost_by_state"]["running"] == row["cost"]


def test_why_a_ticket_costs_more_adds_up_to_the_last_digit(used: Client, today: date) -> None:
    make(used, **BOT)
    send(used, [*of_days(today, 1, 7, "2"), *of_days(today, 8, 16, "3")])
    start, end = ago(today, 7).isoformat(), today.isoformat()
    found = ask(used, start=start, end=end, compare="previous")
    change = {name: D(value) for name, value in found["change"].items()}
    assert change["after"] == 2 * EACH
    assert change["due_to_cost"] + change["due_to_outcomes"] == change["difference"]
    assert change["difference"] == change["after"] - change["before"]
    assert change["due_to_outcomes"] > 0
    assert found["previous"]["query"]["start"].startswith(ago(today, 14).isoformat())
    running = ask(used, period="8d", compare="previous")
    assert running["previous"]["query"]["start"].startswith(ago(today, 14).isoformat())
    assert ask(used, period="15d", compare="previous")["not_compared_because"]


def test_active_users_are_never_added(used: Client, today: date) -> None:
    make(used, key="users", name="Active users", unit="user", adds_up=False)
    send(used, of_days(today, 1, 3, "10"), "users")
    found = ask(used, metric="users", period="4d", granularity="day")
    assert [row["value"] for row in found["rows"]] == ["10", "10", "10"]
    assert found["totals"]["value"] is None
    assert found["totals"]["cost_per_unit"] is None
    for params in ({"granularity": "week"}, {"granularity": "total"}):
        answer = used.get("/api/v1/unit-economics", {"metric": "users", "period": "7d", **params})
        assert answer.status_code == 400
        assert "does not add up" in answer.json()["detail"]


def test_a_month_has_its_own_value_beside_its_days(used: Client, today: date) -> None:
    make(used, key="users", name="Active users", unit="user", adds_up=False)
    month = f"{today:%Y-%m}"
    assert send(used, [{"period": month, "value": "40"}], "users").status_code == 200
    [row] = ask(used, metric="users", period=month, granularity="month")["rows"]
    assert row["value"] == "40"
    assert row["reason"] in {"running", "not_recorded"}
    assert not ask(used, metric="users", period=month, granularity="day")["rows"][0]["value"]


REVENUE = {
    **{"key": "revenue", "name": "Revenue", "unit": "", "kind": "money"},
    **{"dimensions": ["tag:customer"], "absent_is_zero": True},
}


def test_margins_add_up_to_revenue_less_all_cost(used: Client, today: date) -> None:
    make(used, **REVENUE)
    lines = [
        f"{ago(today, n)},{name},{amount}"
        for n in range(1, 5)
        for name, amount in (("acme", "0.02"), ("initech", "0.01"))
    ]
    body = "\n".join(["period,tag:customer,value", *lines])
    address = "/api/v1/business-metrics/revenue/values"
    assert used.post(address, body, content_type="text/csv").json()["added"] == 8
    start, end = ago(today, 4).isoformat(), today.isoformat()
    asked = {"metric": "revenue", "start": start, "end": end, "group_by": "tag:customer"}
    found = ask(used, **asked, granularity="total")
    rows = {row["tag:customer"]: row for row in found["rows"]}
    assert {name: row["margin"] for name, row in rows.items()} == {
        "acme": "0.0485",
        "globex": str((-4 * EACH).normalize()),  # which brought nothing
        "initech": "0.04",  # which used nothing
        "Unattributed": str((-8 * EACH).normalize()),
    }
    assert sum(D(row["margin"]) for row in rows.values()) == D(found["totals"]["margin"])
    assert D(found["totals"]["cost"]) == 20 * EACH
    assert D(found["totals"]["margin"]) == D("0.12") - 20 * EACH
    text = used.get("/api/v1/unit-economics.csv", {**asked, "granularity": "total"})
    table = list(csv.DictReader(io.StringIO(text.getvalue().decode())))
    assert sum(D(row["margin"]) for row in table) == D(found["totals"]["margin"])


def test_what_has_no_price_is_in_no_figure_and_said(used: Client, today: date) -> None:
    at = noon(ago(today, 1))
    usage.record([usage.event(at, feature="new", model="mystery")], now=timezone.now())
    make(used, filters={"feature": ["new"]})
    send(used, of_days(today, 1, 1, "2"))
    totals = ask(used, period="2d")["totals"]
    assert (totals["cost"], totals["cost_per_unit"], totals["reason"]) == (None, None, "no_price")
    assert totals["unpriced_requests"] == 1


@pytest.fixture
def months(signed_in: Client) -> tuple[Client, date]:
    """Usage of the two months before this one, by two customers, one of them in two teams."""
    figures.price_models()
    ActivatedTag.objects.create(key="customer")
    Team.objects.create(name="cx", cost_center="CC-1")
    first = (timezone.now().date().replace(day=1) - timedelta(days=1)).replace(day=1)
    before = first - timedelta(days=20)
    events = []
    for count in range(25):
        at = noon(before.replace(day=1) + timedelta(days=2 * count))
        own = {
            "team": ("cx", "ads")[count % 2],
            "tags": {"customer": ("acme", "globex")[count % 3 > 0]},
        }
        events.append(usage.event(at, input_tokens=1000 + count, **own))
    start = before.replace(day=1)
    events.append(usage.event(datetime(start.year, start.month, 1, tzinfo=UTC), team="cx"))
    usage.record(events, now=timezone.now(), tags=frozenset({"customer"}))
    return signed_in, first


def test_a_fully_loaded_month_is_that_of_its_allocation(months: tuple[Client, date]) -> None:
    client, month = months
    item = {"kind": "fixed", "name": "Seats", "amount": "100", "effective_from": "2020-01-01"}
    assert (
        client.post("/api/v1/cost-items", item, content_type="application/json").status_code == 201
    )
    allocated = client.get(f"/api/v1/allocations/{month:%Y-%m}.json").json()
    make(client, **REVENUE)
    send(client, [{"period": f"{month:%Y-%m}", "value": "900", "tag:customer": "acme"}], "revenue")
    asked = {"metric": "revenue", "period": f"{month:%Y-%m}", "basis": "fully_loaded"}
    found = ask(client, **asked, group_by="tag:customer")
    assert D(found["totals"]["cost"]) == D(allocated["totals"]["total_cost"]) > 100
    assert sum(D(row["cost"]) for row in found["rows"]) == D(found["totals"]["cost"])
    assert D(found["totals"]["margin"]) == 900 - D(found["totals"]["cost"])
    make(client, key="by-team", name="By team", dimensions=["team"], absent_is_zero=True)
    send(client, [{"period": f"{month:%Y-%m}", "value": "1", "team": "cx"}], "by-team")
    by_team = ask(client, **{**asked, "metric": "by-team"}, group_by="team")
    for row in by_team["rows"]:
        lines = [D(each["total_cost"]) for each in allocated["rows"] if each["team"] == row["team"]]
        assert D(row["cost"]) == sum(lines)
    for wrong in ({"period": "30d"}, {"granularity": "day"}):
        answer = client.get("/api/v1/unit-economics", {**asked, **wrong})
        assert answer.json()["errors"][0]["field"] == "basis"


def test_part_of_a_line_bears_its_part_of_what_is_shared(months: tuple[Client, date]) -> None:
    client, month = months
    item = {"kind": "overhead", "name": "Overhead", "percent": "50", "effective_from": "2020-01-01"}
    assert (
        client.post("/api/v1/cost-items", item, content_type="application/json").status_code == 201
    )
    make(client, filters={"tag:customer": ["acme"]})
    send(client, [{"period": f"{month:%Y-%m}", "value": "3"}])
    asked = {"period": f"{month:%Y-%m}", "granularity": "month"}
    direct = D(ask(client, **asked)["totals"]["cost"])
    loaded = D(ask(client, **asked, basis="fully_loaded")["totals"]["cost"])
    # Cost centers bear whole cents, so that their halves are not those of customers.
    assert abs(loaded - direct * D("1.5")) < D("0.02")
    assert loaded > direct


@pytest.mark.parametrize(
    ("params", "field", "said"),
    [
        ({"metric": "nothing"}, "metric", "unknown metric"),
        ({"metric": ""}, "metric", "is missing"),
        ({"group_by": "model"}, "group_by", "no values by model"),
        ({"team": "cx"}, "team", "no values by team"),
        ({"granularity": "hour"}, "granularity", "day"),
        ({"period": "24h"}, "period", "whole days"),
        ({"basis": "guess"}, "basis", "unknown basis"),
        ({"metrics": "requests"}, "metrics", "no parameter"),
        ({"limit": "3"}, "limit", "no parameter"),
        ({"nonsense": "1"}, "nonsense", "unknown parameter"),
    ],
)
def test_what_cannot_be_asked_is_said(
    signed_in: Client, params: dict[str, str], field: str, said: str
) -> None:
    make(signed_in)
    answer = signed_in.get("/api/v1/unit-economics", {"metric": "tickets", **params})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert said in error["message"]


def test_a_month_as_a_whole_is_not_parted_into_days(used: Client, today: date) -> None:
    make(used)
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    send(used, [{"period": f"{month:%Y-%m}", "value": "40"}])
    asked = {"metric": "tickets", "period": f"{month:%Y-%m}", "granularity": "day"}
    answer = used.get("/api/v1/unit-economics", asked)
    assert answer.json()["errors"][0]["field"] == "granularity"
    assert "as a whole" in answer.json()["detail"]


def member(client: Client, team: str, role: Role = Role.ENGINEER) -> Client:
    user = User.objects.create_user(f"of-{team}")
    Account.objects.create(user=user, role=role)
    found, _ = Team.objects.get_or_create(name=team)
    TeamMember.objects.create(user=user, team=found)
    theirs = Client()
    theirs.force_login(user)
    return theirs


def test_a_team_learns_its_own_outcomes_and_nobodys_money(used: Client, today: date) -> None:
    day = ago(today, 1).isoformat()
    make(used, key="by-team", name="By team", dimensions=["team"])
    values = [{"period": day, "value": v, "team": t} for t, v in (("cx", "4"), ("ads", "777"))]
    send(used, values, "by-team")
    make(used)  # of everybody
    send(used, of_days(today, 1, 1, "888"))
    make(used, key="bot", name="Of the bot", filters={"team": ["cx"]})
    send(used, of_days(today, 1, 1, "4"), "bot")
    make(used, **{**REVENUE, "dimensions": ["team"]})
    send(used, [{"period": day, "value": "999", "team": "cx"}], "revenue")
    engineer = member(used, "cx")
    whole = ask(engineer, metric="by-team", period="2d", group_by="team")
    assert [row["team"] for row in whole["rows"]] == ["cx"]
    assert whole["totals"]["value"] == "4"
    assert D(whole["totals"]["cost"]) == 4 * EACH
    assert ask(engineer, metric="bot", period="2d")["totals"]["value"] == "4"
    for hidden in ("tickets", "revenue"):
        answer = engineer.get("/api/v1/unit-economics", {"metric": hidden})
        assert answer.status_code == 400
        assert "unknown metric" in answer.text
        assert hidden not in answer.json()["detail"].split("known are")[-1]
    assert engineer.get("/api/v1/business-metrics").status_code == 403
