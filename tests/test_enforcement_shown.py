"""What pages, the API and alerts say of budgets that refuse and slow calls."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from enforcing import Gateway, beside, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app

from finops import budgets
from finops.models import Alert, Budget, BudgetStatus, EnforcementTally
from ingest.enforcement.answers import CODES
from ingest.enforcement.tallies import KEPT

pytestmark = [pytest.mark.django_db(transaction=True)]


def counted(gateway: Gateway) -> None:
    """Have every server save what it counted."""
    for each in (gateway.door.application, *gateway.others):
        each.configuration.save_notes(datetime.now(UTC))


def checked(budget: Budget) -> None:
    assert budgets.check(budget.pk, timezone.now(), settings.REPORTING_ZONE)


def acts(client: Client, budget: Budget, value: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/budgets/{budget.pk}/status").json()
    rows = {row["value"]: row for row in (answer["status"], *answer["values"])}
    said: dict[str, Any] = rows[value]["enforcement"]
    return said


def words(client: Client, path: str) -> str:
    text = client.get(path).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\xa0", " ").split())


def tile(client: Client, budget: Budget, label: str) -> str:
    page = client.get(f"/budgets/{budget.pk}").content.decode()
    found = re.search(rf"<dt>{label}</dt>\s*<dd[^>]*>([^<]*)<", page)
    assert found, label
    return found[1]


def test_what_is_reserved_and_refused_stands_beside_what_is_spent(
    gateway: Gateway, signed_in: Client
) -> None:
    race = gateway.budget(1)
    gateway.refresh()
    checked(race)
    held = [gateway.ask(estimated_cost="0.33", reserve=True)["decision"] for _ in range(5)]
    assert held == ["allow"] * 3 + ["block"] * 2
    gateway.read()
    counted(gateway)
    said = acts(signed_in, race)
    assert (said["policy"], said["reserved"], said["refused"]) == ("block", "0.99", 2)
    assert (said["refusing"], said["slowing"]) == (True, False)
    assert said["last_refused_at"]
    assert said["as_of"]
    assert (tile(signed_in, race, "Reserved"), tile(signed_in, race, "Calls refused")) == (
        *("$0.99", "2"),
    )
    page = words(signed_in, f"/budgets/{race.pk}")
    assert "Calls are being refused that do not fit" in page
    assert "⊘ refusing now" in words(signed_in, "/budgets")


def test_a_budget_that_slows_calls_says_so(gateway: Gateway, signed_in: Client) -> None:
    slow = gateway.budget(2, enforced="throttle", throttle_percent=50)
    gateway.spend("1.31")
    checked(slow)
    assert "◔ slowing now" in words(signed_in, "/budgets")  # whether anybody asks or not
    assert "from 50 % of the amount on they come one after another." in words(
        signed_in, f"/budgets/{slow.pk}"
    )
    asked = [gateway.ask(estimated_cost="0.01")["decision"] for _ in range(4)]
    assert asked == ["allow", "throttle", "throttle", "throttle"]
    counted(gateway)
    said = acts(signed_in, slow)
    assert (said["slowing"], said["slowed"], said["refused"]) == (True, 3, 0)
    gateway.spend(9)
    assert "nothing is left, and as throttling never blocks" in words(
        signed_in, f"/budgets/{slow.pk}"
    )


def test_of_a_budget_for_each_the_value_that_is_refused_is_named(
    gateway: Gateway, signed_in: Client
) -> None:
    each = gateway.budget(5, for_each="user", period=Budget.Span.DAILY)
    gateway.spend(5, user="ann")
    gateway.spend(1, user="bob")
    checked(each)
    gateway.ask(user="ann")
    gateway.ask(user="bob", estimated_cost=1, reserve=True)
    gateway.read()
    counted(gateway)
    assert (acts(signed_in, each)["refusing"], acts(signed_in, each)["refused"]) == (True, 1)
    assert acts(signed_in, each, "ann")["refusing"]
    bob = acts(signed_in, each, "bob")
    assert (bob["refusing"], bob["refused"], bob["reserved"]) == (False, 0, "1")
    page = words(signed_in, f"/budgets/{each.pk}")
    assert "Calls of user ann are being refused until" in page
    assert page.count("⊘ refusing now") == 2  # above, and beside ann
    assert "being refused" not in words(signed_in, f"/budgets/{each.pk}?value=bob")


def test_two_processes_count_together_and_old_counts_go(
    gateway: Gateway, signed_in: Client
) -> None:
    spent = gateway.budget(1)
    gateway.spend(1)
    checked(spent)
    old = EnforcementTally.objects.create(
        budget=spent,
        period_start=timezone.now() - timedelta(days=60),
        period_end=timezone.now() - KEPT - timedelta(hours=1),
        refused=7,
        slowed=0,
    )
    with beside(gateway) as second:
        second.read()
        assert gateway.decided() == second.decided() == ("block", "budget_spent")
        counted(gateway)
    assert acts(signed_in, spent)["refused"] == 2
    assert not EnforcementTally.objects.filter(pk=old.pk).exists()
    assert EnforcementTally.objects.filter(budget=spent).count() == 1


def test_counts_begin_anew_with_the_period(gateway: Gateway) -> None:
    daily = gateway.budget(1, period=Budget.Span.DAILY, fail_closed=True)
    rolling = gateway.budget(1, period=Budget.Span.ROLLING, rolling_days=7, fail_closed=True)
    gateway.spend(1)
    gateway.ask()
    clock.now += 86_400
    gateway.refresh()
    gateway.ask(estimated_cost=2)
    counted(gateway)
    for each in (daily, rolling):
        rows = EnforcementTally.objects.filter(budget=each).order_by("period_start")
        assert [row.refused for row in rows] == [1, 1]


def test_a_budget_that_only_tells_has_no_enforcement(gateway: Gateway, signed_in: Client) -> None:
    told = gateway.budget(1, enforced="none")
    gateway.spend(2)
    checked(told)
    assert acts(signed_in, told) is None
    assert "Reserved" not in words(signed_in, f"/budgets/{told.pk}")


def test_an_alert_says_that_calls_are_being_refused_and_until_when(
    gateway: Gateway, signed_in: Client
) -> None:
    given = {
        "name": "Gateway cap",
        "filters": {"service": [gateway.door.source]},
        "period": "monthly",
        "amount": "1",
        "enforcement": "block",
        "throttle_percent": "90",
    }
    made = signed_in.post("/api/v1/budgets", given, "application/json")
    assert made.status_code == 201, made.text
    gateway.spend("0.85")
    checked(Budget.objects.get(pk=made.json()["id"]))
    near = Alert.objects.get(facts__budget="Gateway cap")
    assert near.facts["enforcement"] == {
        **{"policy": "block", "acting": "", "until": None},
        **{"refuses_from": "1", "slows_from": "0.9"},
    }
    gateway.spend("0.29")
    checked(Budget.objects.get(pk=made.json()["id"]))
    over = Alert.objects.filter(facts__budget="Gateway cap").latest("pk")
    ends = BudgetStatus.objects.get(budget=made.json()["id"]).period_end
    day = f"{ends.day} {ends:%b}"
    assert over.title.endswith("; calls are being refused")
    assert over.facts["enforcement"]["acting"] == "refusing"
    until = datetime.fromisoformat(over.facts["enforcement"]["until"])
    assert until.astimezone(settings.REPORTING_ZONE).date() == ends
    assert f"being refused until {day}" in words(signed_in, f"/alerts/{over.pk}")
    assert "slowed from $0.90 on, refused from $1.00 on" in words(signed_in, f"/alerts/{near.pk}")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"enforcement": "throttle"}, "Throttle calls, from 100 % of the amount on"),
        ({"enforcement": "throttle", "throttle_percent": "50"}, "from 50 % of the amount on"),
        (
            {"enforcement": "block", "throttle_percent": "50"},
            "Block calls that do not fit; throttle them from 50 % of the amount on",
        ),
    ],
    ids=["usual", "earlier", "both"],
)
def test_a_budgets_page_says_where_slowing_begins(
    signed_in: Client, terms: dict[str, str], said: str
) -> None:
    given = {"name": "slow", "period": "monthly", "amount": "10", **terms}
    made = signed_in.post("/api/v1/budgets", given, "application/json")
    assert made.status_code == 201, made.text
    assert said in words(signed_in, f"/budgets/{made.json()['id']}")


def test_the_readme_names_every_code_of_a_reason() -> None:
    readme = (settings.BASE_DIR / "README.md").read_text()
    assert [code for code in CODES if f"`{code}`" not in readme] == []
