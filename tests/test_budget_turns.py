"""Budgets that change, and figures that come back, while somebody watches: nothing that matters is
lost, and nothing is told of what is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from budgeting import UNPRICED, UTC_ZONE, budget, cost, percent, price_dollars, spend
from django.contrib.auth.models import User

from finops import budgets, rollups
from finops.models import Alert, Budget
from tests import usage

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


def evaluate(now: datetime) -> None:
    rollups.fold_waiting(now, UTC_ZONE)
    budgets.evaluate(now, UTC_ZONE)


@pytest.fixture(autouse=True)
def prices() -> None:
    price_dollars()


def told(kind: str) -> list[str]:
    return [each.title for each in Alert.objects.filter(kind=kind).order_by("pk")]


def change(made: Budget, at: datetime, **fields: object) -> None:
    draft = budgets.changed_draft(Budget.objects.get(pk=made.pk), fields)
    budgets.change(made.pk, draft, by=User.objects.get(username="ada"), at=at)


def test_late_usage_beyond_the_note_of_a_day_is_noted_the_next_day() -> None:
    budget(NOW, period="weekly", thresholds=[percent(90)])
    spend(NOW, 40, now=NOW)
    evaluate(NOW)
    later = NOW + 7 * DAY
    evaluate(later)
    spend(NOW, 5, now=later + MINUTE)
    evaluate(later + MINUTE)
    spend(NOW, 50, now=later + 2 * MINUTE)
    evaluate(later + 2 * MINUTE)
    assert len(told("budget_late_usage")) == 1
    evaluate(later + DAY)
    assert told("budget_late_usage")[1:] == [
        "all: late usage added $55.00 to the period from 2026-10-12"
    ]


def test_usage_that_comes_days_late_is_noted_for_its_own_period_and_no_alarm() -> None:
    made = budget(NOW, period="daily", thresholds=[percent(50)])
    for day in range(4):
        evaluate(NOW + day * DAY)
    now = NOW + 3 * DAY
    for minute, day in ((1, 2), (2, 0), (3, 1)):
        spend(NOW + day * DAY, 70, now=now + minute * MINUTE)
        evaluate(now + minute * MINUTE)
        evaluate(now + minute * MINUTE + DAY / 1440 / 2)
    assert told("budget_late_usage") == [
        f"all: late usage added $70.00 to the period from 2026-10-{day}" for day in (17, 15, 16)
    ]
    assert told("budget_actual") == []
    assert made.crossings.count() == 0


def test_a_rolling_budget_tells_anew_of_requests_without_a_price_that_come_anew() -> None:
    budget(NOW - MINUTE, period="rolling", rolling_days=2, unpriced="breach")
    spend(NOW, 1, now=NOW, model=UNPRICED)
    evaluate(NOW)
    evaluate(NOW + DAY)
    assert len(told("budget_unpriced")) == 1
    evaluate(NOW + 5 * DAY)
    spend(NOW + 6 * DAY, 1, now=NOW + 6 * DAY, model=UNPRICED)
    evaluate(NOW + 6 * DAY)
    assert len(told("budget_unpriced")) == 2


def test_a_new_length_of_periods_tells_nothing_of_those_before_it() -> None:
    made = budget(NOW, period="monthly", amount=1000)
    for back in range(1, 14):
        spend(NOW - back * DAY, 20, now=NOW)
    evaluate(NOW)
    change(made, NOW + MINUTE, period="daily", amount=15)
    evaluate(NOW + 2 * MINUTE)
    assert told("budget_actual") == []


def test_a_budget_of_other_usage_tells_of_that() -> None:
    made = budget(NOW, filters={"team": ["cx"]}, thresholds=[percent(80)])
    spend(NOW, 90, now=NOW, team="cx")
    evaluate(NOW)
    change(made, NOW + MINUTE, filters={"team": ["ads"]})
    evaluate(NOW + MINUTE)
    spend(NOW, 95, now=NOW + 2 * MINUTE, team="ads")
    evaluate(NOW + 2 * MINUTE)
    assert told("budget_actual")[1:] == ["all has spent $95.00, 95 % of $100.00"]


@pytest.mark.parametrize(
    "fields",
    [{"filters": {"team": ["ads"]}}, {"unpriced": "estimate", "unpriced_rate": 50_000_000}],
    ids=["filters", "estimate"],
)
def test_other_figures_of_a_period_that_is_over_are_no_late_usage(fields: Any) -> None:
    made = budget(NOW, period="daily", filters={"team": ["cx"]}, thresholds=[percent(90)])
    spend(NOW, 40, now=NOW, team="cx")
    spend(NOW, 70, now=NOW, team="ads")
    spend(NOW, 1, now=NOW, team="cx", model=UNPRICED)
    evaluate(NOW)
    evaluate(NOW + DAY)
    change(made, NOW + DAY + MINUTE, **fields)
    evaluate(NOW + DAY + MINUTE)
    assert told("budget_late_usage") == []


def test_of_very_many_values_the_costliest_are_told_first_and_the_others_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("finops.budgets.recording.MOST_ALERTS", 2)
    made = budget(NOW, for_each="user", period="daily", amount=5, thresholds=[percent(100)])
    usage.record([cost(NOW, dollars, user=f"u{dollars}") for dollars in (6, 9, 7, 8, 5)], now=NOW)
    users = []
    for minute in range(4):
        evaluate(NOW + minute * MINUTE)
        alerts = Alert.objects.filter(kind="budget_actual").order_by("pk")
        users.append([each.facts["value"] for each in alerts])
    assert users[0] == ["u9", "u8"]
    assert users[1] == ["u9", "u8", "u7", "u6"]
    assert users[2] == users[3] == ["u9", "u8", "u7", "u6", "u5"]
    assert {each.state for each in made.statuses.exclude(value="")} == {"over"}


def test_days_that_were_written_down_are_no_measure_of_a_longer_period() -> None:
    monday = NOW - 3 * DAY
    made = budget(monday, period="daily", thresholds=[percent(90)])
    spend(monday, 10, now=monday)
    evaluate(monday)
    evaluate(monday + DAY)
    spend(NOW, 40, now=NOW)
    change(made, NOW, period="weekly")
    evaluate(NOW + MINUTE)
    evaluate(monday + 7 * DAY)
    evaluate(monday + 8 * DAY)
    assert told("budget_late_usage") == []


def test_late_usage_of_very_many_values_is_noted_some_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("finops.budgets.closings.MOST_NOTES", 2)
    budget(NOW, for_each="user", period="daily", thresholds=[percent(90)])
    spend(NOW, 1, now=NOW, user="u0")
    evaluate(NOW)
    tomorrow = NOW + DAY
    evaluate(tomorrow)
    usage.record([cost(NOW, 20, user=f"u{number}") for number in range(5)], now=tomorrow + MINUTE)
    counts = []
    for minute in range(1, 5):
        evaluate(tomorrow + minute * MINUTE)
        counts.append(len(told("budget_late_usage")))
    assert counts == [2, 4, 5, 5]
