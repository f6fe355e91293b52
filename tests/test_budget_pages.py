"""The list of budgets and the page of one: figures, states that are plain, and who sees what."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import budget_desk
import pytest
from budgeting import budget, percent, price_dollars, spend
from django.conf import settings
from django.test import Client
from django.utils import timezone

from finops import budgets
from finops.budgets import increases, wanted
from finops.budgets.increases import Doing
from finops.models import Budget, BudgetStatus
from tests.desks import reader

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
ZONE = settings.REPORTING_ZONE


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    price_dollars()


@pytest.fixture
def finance() -> Client:
    return reader("finance")


def checked(**terms: Any) -> Budget:
    """A budget that was evaluated at noon."""
    made = budget(NOON - timedelta(days=20), **terms)
    budgets.evaluate(NOON, ZONE)
    return made


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_list_says_amount_spent_share_and_state(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 30, now=NOON, team="cx")
    spend(NOON - timedelta(days=1), 90, now=NOON, team="ads")
    checked(name="Ads", amount=80, filters={"team": ["ads"]})
    checked(name="CX", amount=200, filters={"team": ["cx"]})
    text = words(page(finance, "/budgets"))
    assert re.search(r"Ads Team is ads Monthly, 1–31 Oct 80.00 90.00 112.5 %.*over budget", text)
    assert re.search(r"CX Team is cx Monthly, 1–31 Oct 200.00 30.00 15.0 %.*within budget", text)
    assert text.index("Ads Team") < text.index("CX Team")  # what is over comes first
    assert "Costs up to" in text


def test_a_budget_for_each_value_shows_its_worst(finance: Client) -> None:
    for user, dollars in (("u-1", 5), ("u-2", 40), ("u-3", 12)):
        spend(NOON - timedelta(hours=2), dollars, now=NOON, user=user)
    made = checked(name="Users", amount=10, period="daily", for_each="user")
    text = words(page(finance, "/budgets"))
    assert "worst: u-2; 2 of 3 over" in text
    assert "10.00 40.00 400.0 %" in text
    one = words(page(finance, f"/budgets/{made.pk}"))
    assert "2 of 3 reached their amounts" in one
    assert "Spent so far by u-2" in one
    other = words(page(finance, f"/budgets/{made.pk}?value=u-3"))
    assert "Spent so far by u-3" in other
    assert "$12.00" in other


def test_no_budget_yet_is_an_empty_list_that_helps(finance: Client) -> None:
    empty = page(finance, "/budgets")
    assert "No budget yet" in empty
    hrefs = re.findall(r'href="(/budgets/new\?[^"]+)"', empty)
    assert len(hrefs) == 3
    assert all(finance.get(each.replace("&amp;", "&")).status_code == 200 for each in hrefs)


def test_one_budget_adds_up_step_by_step(finance: Client) -> None:
    for day, dollars in ((14, 20), (2, 5), (1, 7)):
        spend(NOON - timedelta(days=day), dollars, now=NOON)
    made = checked(name="All", amount=50)
    text = words(page(finance, f"/budgets/{made.pk}"))
    assert "Spent $32.00 64.0 % of the amount" in text
    assert "Left $18.00" in text
    assert re.search(r"Thu 1 Oct 20.00 20.00 40.0 %", text)
    assert re.search(r"Wed 14 Oct 7.00 32.00 64.0 %", text)
    assert "Spent reaches 80 % of the amount 40.00 ○ armed" in text


def test_what_was_told_stands_there_with_its_figures(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 90, now=NOON)
    made = checked(name="All", amount=100, thresholds=[percent(50), percent(80)])
    text = words(page(finance, f"/budgets/{made.pk}"))
    assert "▲ reached 15 Oct, 12:00 UTC" in text
    assert re.search(r"Spent reaches 80 % of the amount 90.00 [\d.–]+ 100.00 Warning", text)
    assert "not told: a higher one was" in text
    assert "threshold reached" in words(page(finance, "/budgets"))


def test_requests_without_a_price_are_never_silent(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 9, now=NOON, model="mystery-model")
    said = {
        "ignore": "1 request has no price. What is spent is without them",
        "breach": "counts as a breach",
        "estimate": "is their estimate at $2.00 per million tokens",
    }
    for policy, text in said.items():
        rate = {"unpriced_rate": 2} if policy == "estimate" else {}
        made = checked(name=policy, amount=100, unpriced=policy, **rate)
        assert text in words(page(finance, f"/budgets/{made.pk}"))
    assert words(page(finance, "/budgets")).count("1 unpriced") == 3


def test_stale_figures_say_so_and_are_no_quiet_ok(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 9, now=NOON)
    made = checked(name="All", amount=100)
    BudgetStatus.objects.filter(budget=made).update(is_stale=True)
    for path in ("/budgets", f"/budgets/{made.pk}"):
        text = words(page(finance, path))
        assert "Stalled" in text
        assert "◷ stale" in text


def test_what_cannot_be_checked_says_why(finance: Client) -> None:
    made = checked(name="All", amount=100)
    BudgetStatus.objects.filter(budget=made).update(
        state="unknown",
        problem="The question is too large.",
        failing_since=NOON - timedelta(hours=1),
    )
    text = words(page(finance, f"/budgets/{made.pk}"))
    assert "could not be checked since 15 Oct, 11:00 UTC: The question is too large." in text


def test_a_budget_that_was_not_checked_yet_is_shown_without_figures(finance: Client) -> None:
    made = budget(NOON, name="New", amount=100)
    assert "not checked yet" in words(page(finance, "/budgets"))
    assert "for the first time within 20 seconds" in words(page(finance, f"/budgets/{made.pk}"))


def test_an_approved_increase_is_part_of_the_amount_until_it_expires(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 90, now=NOON)
    made = checked(name="All", amount=100, thresholds=[percent(80)])
    asked = wanted.read(
        {"amount": "400", "until": "2026-10-20", "reason": "launch"}, made, NOON, ZONE
    )
    act = Doing("tests", NOON)
    increases.approve(increases.ask(made, asked, act).pk, "", act)
    states = []
    for at in (NOON + timedelta(minutes=1), datetime(2026, 10, 21, tzinfo=UTC)):
        budgets.evaluate(at, ZONE)
        status = BudgetStatus.objects.get(budget=made, value="")
        states.append((int(status.amount or 0), status.state))
    assert states == [(500, "within"), (100, "near")]


def test_values_that_did_not_change_make_no_page_older(finance: Client) -> None:
    spend(NOON - timedelta(hours=2), 4, now=NOON, user="u-1")
    made = checked(name="Users", amount=10, period="daily", for_each="user")
    whole, value = made.statuses.order_by("value")
    made.statuses.update(as_of=NOON - timedelta(minutes=1))
    made.statuses.filter(value=value.value).update(as_of=NOON - timedelta(hours=1))
    for path in ("/budgets", f"/budgets/{made.pk}"):
        text = words(page(finance, path))
        assert "Costs up to 15 Oct, 11:59:00 UTC, checked every 20 seconds" in text
    answer = finance.get(f"/api/v1/budgets/{made.pk}/status").json()
    assert {
        each["freshness"]["rolled_up_to"] for each in (answer["status"], *answer["values"])
    } == {"2026-10-15T11:59:00Z"}
    checked(name="Other")
    whole.problem, whole.as_of = "It is too large.", NOON - timedelta(hours=1)
    whole.save()
    assert "Costs up to 15 Oct, 11:00" not in words(page(finance, "/budgets"))


def test_a_saved_budget_and_an_approved_increase_show_at_once(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 90, now=NOON)
    form = budget_desk.given(name="New", threshold_value=["50", "", ""])
    made = budget_desk.made(finance, form)
    text = words(page(finance, f"/budgets/{made.pk}"))
    assert "New is saved." in text
    assert "20 seconds" not in text.replace("checked every 20 seconds", "")
    assert re.search(r"Amount \$100.00 .*Left \$10.00", text)
    assert "50 % of the amount 50.00 ▲ reached 15 Oct, 12:00 UTC" in text
    terms = {"amount": "60", "until": "2026-10-20", "reason": "launch"}
    asked = increases.ask(made, wanted.read(terms, made, NOON, ZONE), Doing("tests", NOON))
    path = f"/budgets/increases/{asked.pk}"
    shown = finance.post(path, {"verb": "approve", "note": ""}, follow=True)
    text = words(shown.content.decode())
    assert "Approved: it is part of the amount." in text
    assert "$160.00" in text
    assert "50 % of the amount 80.00 ▲ reached 15 Oct, 12:00 UTC at $50.00" in text


def test_teams_see_their_budgets_and_no_others() -> None:
    spend(NOON - timedelta(days=1), 9, now=NOON, team="cx")
    own = checked(name="CX", amount=100, filters={"team": ["cx"]})
    others = [checked(name="Ads", filters={"team": ["ads"]}), checked(name="Everything")]
    for role in ("engineer", "viewer"):
        client = reader(role, "cx")
        assert "CX" in page(client, "/budgets")
        assert "Ads" not in page(client, "/budgets")
        assert "Everything" not in words(page(client, "/budgets"))
        shown = page(client, f"/budgets/{own.pk}")
        assert "$9.00" in shown
        assert "/change" not in shown
        assert ("Ask for an increase" in shown) == (role == "engineer")
        assert [client.get(f"/budgets/{each.pk}").status_code for each in others] == [404, 404]


def test_explore_offers_a_budget_of_its_filters_to_who_may_make_one(finance: Client) -> None:
    spend(NOON - timedelta(days=1), 9, now=NOON, team="cx")
    path = "/explore?group_by=model&metrics=list_cost&team=cx"
    assert '"/budgets/new?cost=list_cost&amp;team=cx"' in page(finance, path)
    assert "/budgets/new" not in page(reader("engineer", "cx"), path)


def test_doubts_of_the_whole_stand_beside_the_worst_value(finance: Client) -> None:
    spend(NOON - timedelta(hours=2), 4, now=NOON, user="u-1")
    spend(NOON - timedelta(hours=2), 4, now=NOON, user="u-2", model="mystery-model")
    made = checked(name="Users", amount=10, period="daily", for_each="user")
    for path in ("/budgets", f"/budgets/{made.pk}"):
        assert "1 unpriced" in words(page(finance, path))
    assert "1 request has no price" in words(page(finance, f"/budgets/{made.pk}"))


def test_a_rolling_budget_has_no_end_to_wait_for(finance: Client) -> None:
    spend(NOON - timedelta(days=3), 4, now=NOON)
    made = checked(name="Week", amount=10, period="rolling", rolling_days=7)
    text = words(page(finance, f"/budgets/{made.pk}"))
    assert "Last 7 days, 9–15 Oct" in text
    assert "Left $6.00 Forecast" in text
