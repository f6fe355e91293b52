"""Budgets evaluated on real usage: what is told, when, and only once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from budgeting import UTC_ZONE, budget, cost, percent, price_dollars, spend, whole
from django.contrib.auth.models import User

from finops import budgets, rollups
from finops.budgets import Report
from finops.models import Alert, Budget, BudgetClosing, Crossing
from tests import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def prices() -> None:
    price_dollars()


def evaluate(now: datetime) -> Report:
    rollups.fold_waiting(now, UTC_ZONE)
    return budgets.evaluate(now, UTC_ZONE)


def told(kind: str = "") -> list[str]:
    found = Alert.objects.order_by("pk")
    return [each.title for each in (found.filter(kind=kind) if kind else found)]


def test_a_threshold_is_told_once_when_it_is_reached_to_the_last_digit() -> None:
    made = budget(NOW, thresholds=[percent(80), percent(100)])
    spend(NOW - 2 * MINUTE, 79, now=NOW)
    evaluate(NOW)
    assert (told(), whole(made).state) == ([], "within")
    spend(NOW, 1, now=NOW + MINUTE)
    evaluate(NOW + MINUTE)
    assert told() == ["all has spent $80.00, 80 % of $100.00"]
    evaluate(NOW + 2 * MINUTE)
    assert len(told()) == 1
    status = whole(made)
    assert (status.actual, status.amount, status.state) == (80, 100, "near")
    assert status.as_of is not None


def test_of_several_reached_at_once_the_highest_is_told() -> None:
    made = budget(NOW, thresholds=[percent(50), percent(80), percent(100)])
    spend(NOW, 120, now=NOW)
    evaluate(NOW)
    assert told() == ["all has spent $120.00, 120 % of $100.00"]
    crossings = Crossing.objects.filter(budget=made).order_by("line")
    assert [(each.line, each.is_told) for each in crossings] == [
        (50, False),
        (80, False),
        (100, True),
    ]
    assert whole(made).state == "over"


def test_the_facts_of_an_alert_say_it_all() -> None:
    made = budget(NOW, filters={"team": ["cx"]}, thresholds=[percent(80)])
    spend(NOW - timedelta(days=20), 30, now=NOW, team="cx")
    spend(NOW - timedelta(days=2), 50, now=NOW, team="cx")
    spend(NOW, 40, now=NOW, team="cx")
    spend(NOW, 1000, now=NOW, team="ads")
    evaluate(NOW)
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity, alert.team) == ("budget_actual", "warning", "cx")
    assert alert.budget == made
    facts = alert.facts
    assert facts["threshold"] == {
        "basis": "actual",
        "kind": "percent",
        "value": "80",
        "window_hours": None,
    }
    assert (facts["amount"], facts["actual"], facts["previous"]) == ("100", "90", "30")
    assert (facts["period_start"], facts["period_end"]) == ("2026-10-01", "2026-11-01")
    assert facts["series"] == [
        {"day": "2026-10-13", "actual": "50"},
        {"day": "2026-10-15", "actual": "40"},
    ]


def test_each_value_of_a_dimension_has_the_budget_for_itself() -> None:
    made = budget(NOW, for_each="user", period="daily", amount=50, thresholds=[percent(100)])
    usage.record(
        [
            cost(NOW, 60, user="ann"),
            cost(NOW, 49, user="bob"),
            cost(NOW, 500),  # names no user
        ],
        now=NOW,
    )
    evaluate(NOW)
    assert told() == ["all: ann has spent $60.00, 120 % of $50.00"]
    status = whole(made)
    assert (status.actual, status.values, status.values_over, status.state) == (609, 2, 1, "over")
    values = {each.value: each.actual for each in made.statuses.exclude(value="")}
    assert values == {"ann": 60, "bob": 49, "Unattributed": 500}


def test_a_raised_amount_arms_thresholds_again() -> None:
    made = budget(NOW, thresholds=[percent(80)])
    spend(NOW, 90, now=NOW)
    evaluate(NOW)
    raised = budgets.changed_draft(Budget.objects.get(pk=made.pk), {"amount": 200})
    budgets.change(made.pk, raised, by=User.objects.get(username="ada"), at=NOW + MINUTE)
    evaluate(NOW + MINUTE)
    assert (len(told()), whole(made).state) == (1, "within")
    spend(NOW, 80, now=NOW + 2 * MINUTE)
    evaluate(NOW + 2 * MINUTE)
    assert told()[1:] == ["all has spent $170.00, 85 % of $200.00"]


def test_late_usage_for_a_closed_period_is_a_note() -> None:
    made = budget(NOW, period="daily", thresholds=[percent(50)])
    spend(NOW, 40, now=NOW)
    evaluate(NOW)
    tomorrow = NOW + timedelta(days=1)
    evaluate(tomorrow)
    closing = BudgetClosing.objects.get(budget=made)
    assert (closing.actual, closing.amount) == (40, 100)
    spend(NOW, 20, now=tomorrow + MINUTE)
    evaluate(tomorrow + MINUTE)
    assert told("budget_actual") == []
    assert told("budget_late_usage") == [
        "all: late usage added $20.00 to the period from 2026-10-15"
    ]
    evaluate(tomorrow + 2 * MINUTE)
    assert len(told()) == 1


def test_what_was_reached_just_before_the_end_of_a_period_is_told_after_it() -> None:
    budget(NOW, period="daily", thresholds=[percent(50)])
    evaluate(NOW)
    night = datetime(2026, 10, 15, 23, 59, 50, tzinfo=UTC)
    spend(night, 70, now=night)
    evaluate(night + timedelta(seconds=20))
    assert told() == ["all has spent $70.00, 70 % of $100.00"]
    assert Decimal(BudgetClosing.objects.get().actual) == 70
