"""A month's allocation as CSV, JSON and pages, and cost items as a program keeps them."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from finops.models import Account, CostCenter, CostItem, Role, Team, TeamMember
from tests import figures, ownership, usage

NOW = datetime.now(UTC)
AT = NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
MONTH = f"{AT:%Y-%m}"
CSV, JSON = f"/api/v1/allocations/{MONTH}.csv", f"/api/v1/allocations/{MONTH}.json"
ITEMS = "/api/v1/cost-items"
HEADER = (
    "month,cost_center,team,feature,provider,model,requests,input_tokens,output_tokens,"
    "direct_cost,shared_cost,idle_cost,adjustment,total_cost,currency,status"
)
SEATS = {"name": "=Seats", "kind": "fixed", "amount": "100", "effective_from": f"{MONTH}-01"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recorded() -> None:
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    Team.objects.create(name="=cmd()", cost_center="CC-2")
    usage.record(
        [
            usage.event(AT, team="cx", feature="chat"),
            usage.event(AT, team="=cmd()", feature="+draft", model="mystery-model"),
            usage.event(AT, team="", feature="chat"),
        ],
        now=NOW + timedelta(seconds=1),
    )


@pytest.fixture
def member(administrator: User) -> Client:
    """Of the team cx, whose costs are all that they see."""
    user = User.objects.create_user("mia", "mia@example.org", "correct horse battery")
    Account.objects.create(user=user, role=Role.ENGINEER)
    TeamMember.objects.create(user=user, team=Team.objects.get(name="cx"))
    browser = Client()
    browser.force_login(user)
    return browser


def post(client: Client, terms: dict[str, Any], path: str = ITEMS) -> Any:
    return client.post(path, terms, content_type="application/json")


def table(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))


def test_the_csv_is_as_the_contract_says(signed_in: Client) -> None:
    assert post(signed_in, SEATS).status_code == 201
    response = signed_in.get(CSV)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="allocation-{MONTH}.csv"'
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert lines[0] == HEADER
    assert lines[1:] == [
        f"{MONTH},CC-1,cx,chat,openai,gpt-4o,1,1000,200,0.0039375,50,0,0,50.0039375,USD,draft",
        f"{MONTH},CC-2,'=cmd(),'+draft,openai,mystery-model,1,1000,200,0,0,0,0,0,USD,draft",
        f"{MONTH},Unattributed,Unattributed,chat,openai,gpt-4o,1,1000,200,0.0039375,50,0,0,"
        "50.0039375,USD,draft",
    ]


def test_the_json_has_the_rows_of_the_csv_and_says_why(signed_in: Client) -> None:
    post(signed_in, SEATS)
    found, rows = signed_in.get(JSON).json(), table(signed_in.get(CSV))
    assert [row["total_cost"] for row in found["rows"]] == [row["total_cost"] for row in rows]
    total = sum(Decimal(row["total_cost"]) for row in rows)
    assert Decimal(found["totals"]["total_cost"]) == total
    assert found["coverage"] == {"priced_requests": 2, "unpriced_requests": 1}
    [first, second] = found["shares"]
    assert (first["cost_center"], first["amount"], first["weight"]) == ("CC-1", "50", "0.0039375")
    assert second["of_weight"] == "0.007875"
    assert found["charges"][0] | {"item": ""} == {
        **{"item": "", "name": "=Seats"},
        **{"column": "shared_cost", "amount": "100", "converted": ""},
    }


@pytest.mark.parametrize("month", ["2026-13", "1999-12", "2026-1", "x"])
def test_what_is_no_month_is_no_address(signed_in: Client, month: str) -> None:
    assert signed_in.get(f"/api/v1/allocations/{month}.csv").status_code == 404
    assert signed_in.get(f"/allocation?month={month}").status_code == 200


def test_a_month_without_anything_is_an_empty_table(signed_in: Client) -> None:
    assert table(signed_in.get("/api/v1/allocations/2001-02.csv")) == []
    assert (
        "Nothing was spent in February 2001"
        in signed_in.get("/allocation?month=2001-02").content.decode()
    )
    assert signed_in.get(f"{CSV}?team=cx").status_code == 400


def test_who_is_in_a_team_sees_its_lines_alone(signed_in: Client, member: Client) -> None:
    post(signed_in, SEATS)
    assert [row["team"] for row in table(member.get(CSV))] == ["cx"]
    found = member.get(JSON).json()
    assert (found["is_narrowed"], found["shares"], found["charges"]) == (True, [], [])
    page = member.get(f"/allocation?month={MONTH}").content.decode()
    assert "You see the lines of your teams" in page
    assert "Seats" not in page
    assert "CC-2" not in page
    assert member.get(ITEMS).status_code == 403


def test_the_page_leads_to_what_each_cost_center_bears_and_why(signed_in: Client) -> None:
    post(signed_in, SEATS)
    page = signed_in.get(f"/allocation?month={MONTH}").content.decode()
    assert "code=CC-1" in page
    assert "=Seats" in page
    one = signed_in.get(f"/allocation/cost-center?month={MONTH}&code=CC-1").content.decode()
    assert "of the direct cost: &lt;" in one or "of the direct cost: 0.0039" in one
    assert "cx · chat" in one
    none = signed_in.get(f"/allocation/cost-center?month={MONTH}&code=nobody").content.decode()
    assert "No cost of this month" in none


def test_the_page_offers_the_files_that_its_reader_may_have(
    signed_in: Client, member: Client
) -> None:
    page = signed_in.get(f"/allocation?month={MONTH}").content.decode()
    for name in (f"{MONTH}.csv", f"{MONTH}.xlsx", f"{MONTH}.json"):
        assert f'href="/api/v1/allocations/{name}" download' in page
    assert f'href="/api/v1/requests.csv?period={MONTH}" download' in page
    assert "needs accounts first: CC-1, CC-2, unattributed and 1 more" in page
    CostCenter.objects.update(gl_account="6100")
    signed_in.post("/settings/journal", {"clearing": "1", "unattributed": "2"})
    assert f"{MONTH}.journal.csv" in signed_in.get(f"/allocation?month={MONTH}").content.decode()
    theirs = member.get(f"/allocation?month={MONTH}").content.decode()
    assert "Journal" not in theirs
    assert f"{MONTH}.xlsx" in theirs
    one = signed_in.get(f"/allocation/cost-center?month={MONTH}&code=CC-1").content.decode()
    assert f"/api/v1/requests.csv?period={MONTH}&amp;cost_center=CC-1" in one


def test_a_program_keeps_cost_items(signed_in: Client) -> None:
    first = post(signed_in, SEATS).json()
    tax = {"name": "VAT", "kind": "tax", "percent": "19", "percent_of": "so_far"}
    second = post(signed_in, {**tax, "effective_from": f"{MONTH}-01", "measure": "so_far"}).json()
    path = f"{ITEMS}/{second['id']}"
    wrong = post(signed_in, {**SEATS, "amount": "-1", "kind": "overhead"})
    assert {each["field"] for each in wrong.json()["errors"]} == {"amount", "percent"}
    changed = signed_in.patch(
        path, {"percent": "20", "position": 1}, content_type="application/json"
    )
    assert (changed.json()["percent"], changed.json()["position"]) == ("20", 1)
    late = signed_in.patch(path, {"percent": "5", "version": 1}, content_type="application/json")
    assert late.status_code == 409
    listed = signed_in.get(ITEMS).json()["cost_items"]
    assert [each["id"] for each in listed] == [second["id"], first["id"]]
    assert signed_in.delete(path).status_code == 204
    assert signed_in.get(path).status_code == 404


FORM = {"name": "Seats", "amount": "100", "effective_from": f"{MONTH}-01", "method": "fixed"}


def test_a_person_previews_an_item_before_it_is_saved(signed_in: Client) -> None:
    path = "/settings/cost-items/new?kind=fixed"
    terms = {**FORM, "centers": "CC-1 = 60\nCC-2 = 40"}
    shown = signed_in.post(path, {**terms, "act": "preview"})
    assert "60\xa0% as fixed" in shown.content.decode()
    assert not CostItem.objects.exists()
    assert signed_in.post(path, {**terms, "act": "save"}).status_code == 302
    item = CostItem.objects.get()
    assert item.weights == {"CC-1": "60", "CC-2": "40"}
    page = signed_in.get(f"/settings/cost-items/{item.pk}").content.decode()
    assert "CC-1 = 60" in page
    wrong = signed_in.post(path, {**FORM, "centers": "CC-1 = much", "act": "save"})
    assert wrong.status_code == 400
    assert "Write a number" in wrong.content.decode()


def test_a_person_writes_a_fleet_in_rows_orders_and_ends_it(signed_in: Client) -> None:
    post(signed_in, SEATS)
    sizes = {
        "size_day": [f"{MONTH}-01", ""],
        "size_count": ["4", ""],
        "size_price": ["2.5", ""],
        "size_option": ["spot", "on_demand"],
    }
    terms = {"name": "h100", "effective_from": f"{MONTH}-01", "act": "save", **sizes}
    assert signed_in.post("/settings/cost-items/new?kind=fleet", terms).status_code == 302
    fleet = CostItem.objects.get(kind="fleet")
    assert fleet.sizes == [
        {"day": f"{MONTH}-01", "count": "4", "hour_price": "2.5", "option": "spot"}
    ]
    assert signed_in.get(f"/settings/cost-items/{fleet.pk}").status_code == 200
    signed_in.post(f"/settings/cost-items/{fleet.pk}/move", {"to": "up"})
    listed = signed_in.get("/settings/cost-items").content.decode()
    assert listed.index("h100") < listed.index("=Seats")
    assert "Paid capacity" in signed_in.get(f"/allocation?month={MONTH}").content.decode()
    signed_in.post(f"/settings/cost-items/{fleet.pk}/end", {"day": "nonsense"})
    assert CostItem.objects.filter(pk=fleet.pk, effective_to=None).exists()
    signed_in.post(f"/settings/cost-items/{fleet.pk}/end", {"day": f"{MONTH}-01"})
    assert not CostItem.objects.filter(pk=fleet.pk).exists()
