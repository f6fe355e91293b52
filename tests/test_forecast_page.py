"""Forecast, the page and the API: the same figures, of what their reader may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from finops import ledger
from finops.forecasts.changes import UNTOLD
from finops.models import PlannedEvent
from tests import budgeting, usage
from tests.desks import reader
from tests.page_texts import price_gpt_4o, text_of

pytestmark = pytest.mark.django_db

DAYS = 60
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def figures(now: datetime) -> None:
    """Sixty days of two teams, the working days dearer."""
    price_gpt_4o()
    usage.record(
        (
            usage.event(
                now - timedelta(days=day, minutes=5),
                input_tokens=(20_000 if (now - timedelta(days=day)).weekday() < 5 else 5_000)
                + 97 * (day * 31 % 17),
                team=team,
                user="ann",
            )
            for day in range(DAYS)
            for team in ("search", "support")
        ),
        now=now,
    )


@pytest.mark.usefixtures("figures")
def test_the_page_says_what_the_api_says_and_filters_narrow_it(signed_in: Client) -> None:
    answer = signed_in.get("/api/v1/forecast?group_by=team").json()
    page = text_of(signed_in.get("/forecast?group_by=team").text)
    assert answer["method"] == "model"
    assert answer["reason"] in page
    assert len(answer["periods"]) == 4
    for period in answer["periods"]:
        low, expected, high = (Decimal(period[name]) for name in ("low", "expected", "high"))
        assert Decimal(period["spent"]) <= low <= expected <= high
    assert [group["name"] for group in answer["groups"]] == ["search", "support"]
    assert len(answer["days"]) >= 90
    for name in ("search", "support", "How good it was before", "Taken in"):
        assert name in page
    fragment = signed_in.get("/forecast?group_by=team", headers=FRAGMENT)
    assert "<html" not in fragment.text
    assert fragment["HX-Push-Url"] == "/forecast?group_by=team"
    assert "/forecast.csv?group_by=team" in fragment.text
    csv_text = signed_in.get("/forecast.csv?group_by=team").getvalue().decode()
    lines = [line.split(",") for line in csv_text.splitlines()]
    assert lines[0] == ["kind", "of", "start", "end", "spent", "low", "expected", "high"]
    first = answer["periods"][0]
    assert lines[1][:4] == ["period", "", first["start"], first["end"]]
    assert {line[1] for line in lines[1:]} == {"", "search", "support"}
    assert sum(line[0] == "day" for line in lines) == len(answer["days"])
    for path in ("/?period=7d&team=search", "/explore?period=7d&team=search&metrics=requests"):
        assert 'href="/forecast?team=search' in signed_in.get(path).text
    one = signed_in.get("/api/v1/forecast?team=search").json()
    both = [Decimal(each["periods"][0]["spent"]) for each in (answer, one)]
    assert both[0] == 2 * both[1]
    assert "Nothing matches these filters" in signed_in.get("/forecast?team=nobody").text


@pytest.mark.usefixtures("figures")
def test_a_price_of_the_ledger_that_begins_later_is_taken_in(
    signed_in: Client, now: datetime
) -> None:
    plain = signed_in.get("/api/v1/forecast").json()
    terms = {"kind": "contract", "provider": "openai", "model": "gpt-4o"}
    prices = {"uncached_input_price_per_million": "5", "text_output_price_per_million": "20"}
    later = (now + timedelta(days=2)).date()
    ledger.add({**terms, **prices, "effective_from": f"{later}"}, author="tests", zone=UTC)
    found = signed_in.get("/api/v1/forecast?group_by=model").json()
    [change] = found["changes"]
    assert (change["kind"], change["start"], change["factor"]) == ("price", f"{later}", "2")
    assert "gpt-4o × 2" in change["text"]
    before, after = (Decimal(each["periods"][2]["expected"]) for each in (plain, found))
    assert abs(after - 2 * before) < Decimal("1e-9")
    [group] = found["groups"]
    assert Decimal(group["periods"][2]["expected"]) == after
    assert "gpt-4o × 2 (100 % of the cost)" in text_of(signed_in.get("/forecast").text)
    viewer = reader("viewer", "search")
    [told] = viewer.get("/api/v1/forecast").json()["changes"]
    assert (told["text"], told["factor"], told["amount"]) == (UNTOLD, None, None)
    assert "gpt-4o" not in text_of(viewer.get("/forecast").text)


@pytest.mark.usefixtures("figures")
def test_a_planned_event_with_a_factor_multiplies_its_part_of_the_cost(
    signed_in: Client, now: datetime
) -> None:
    plain = signed_in.get("/api/v1/forecast").json()
    noon = (now + timedelta(days=2)).replace(hour=12, minute=0, second=0)
    shared = {"created_by": "ada", "created_at": now, "changed_at": now}
    PlannedEvent.objects.create(
        name="Launch",
        start=noon,
        end=noon + timedelta(days=1, hours=12),
        filters={"team": ["search"]},
        factor=3,
        **shared,
    )
    PlannedEvent.objects.create(name="Fair", start=noon, end=noon + timedelta(days=9), **shared)
    found = signed_in.get("/api/v1/forecast?group_by=team").json()
    assert [each["factor"] for each in found["changes"]] == ["1.5", "2"]
    assert {each["text"] for each in found["changes"]} == {"Launch: × 3, of 50 % of the cost"}
    days = {each["day"]: Decimal(each["expected"]) for each in plain["days"]}
    for each in found["days"]:
        ahead = (datetime.fromisoformat(each["day"]).date() - noon.date()).days
        times = {0: Decimal("1.5"), 1: 2}.get(ahead, 1)
        assert abs(Decimal(each["expected"]) - times * days[each["day"]]) < Decimal("1e-9")
    search, support = found["groups"]
    assert Decimal(search["periods"][0]["expected"]) >= Decimal(support["periods"][0]["expected"])
    assert "Launch: × 3" in text_of(signed_in.get("/forecast?team=search").text)
    assert "Launch" not in text_of(signed_in.get("/forecast?team=support").text)


@pytest.mark.usefixtures("figures")
def test_a_budget_is_forecast_in_its_own_period(
    signed_in: Client, administrator: User, now: datetime
) -> None:
    made = budgeting.budget(
        now, administrator, name="Search", period="quarterly", filters={"team": ["search"]}
    )
    answer = signed_in.get(f"/api/v1/forecast?budget={made.pk}").json()
    [period] = answer["periods"]
    assert answer["query"]["filters"] == {"team": ["search"]}
    length = datetime.fromisoformat(period["end"]) - datetime.fromisoformat(period["start"])
    assert length.days > 85
    page = signed_in.get(f"/forecast?budget={made.pk}")
    assert "Where is Search heading?" in page.text
    assert signed_in.get("/forecast?budget=99999").status_code == 404
    assert signed_in.get("/api/v1/forecast?budget=99999").status_code == 404
    assert signed_in.get(f"/api/v1/forecast?budget={made.pk}&team=x").status_code == 400


@pytest.mark.parametrize(
    "wrong",
    ["period=7d", "metrics=requests", "group_by=team,model", "budget=x", "colour=red", "team="],
)
def test_a_wrong_question_is_refused_by_name(signed_in: Client, wrong: str) -> None:
    answer = signed_in.get(f"/api/v1/forecast?{wrong}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == wrong.partition("=")[0]


def test_without_usage_the_page_says_how_to_send_some(signed_in: Client) -> None:
    assert "No usage has arrived yet" in signed_in.get("/forecast").text
    answer = signed_in.get("/api/v1/forecast?group_by=team").json()
    assert (answer["method"], answer["groups"], answer["days"]) == ("none", [], [])
    assert answer["periods"][0]["expected"] is None


def test_two_days_of_usage_are_too_few_and_that_is_said(signed_in: Client, now: datetime) -> None:
    price_gpt_4o()
    usage.record([usage.event(now - timedelta(hours=each)) for each in (30, 1)], now=now)
    page = text_of(signed_in.get("/forecast").text)
    assert "It takes 3 whole days of usage; there" in page
    assert "Cost per day" not in page
