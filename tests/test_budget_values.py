"""Budgets for each of very many values: none is left out, however few are read at once."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from budgeting import UTC_ZONE, budget, cost, percent, price_dollars, spend, whole

from finops import budgets, rollups
from finops.budgets import Memory, contenders
from finops.models import Alert, Budget, Crossing
from tests import usage

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FORECAST = percent(100, "forecast")


def few(monkeypatch: pytest.MonkeyPatch, values: int) -> None:
    """Only so many are read at once."""
    for module in ("questions", "contenders", "closings"):
        monkeypatch.setattr(f"finops.budgets.{module}.VALUES", values)
    monkeypatch.setattr("finops.budgets.contenders.FORECAST_VALUES", 1)


def evaluate(now: datetime, memory: Memory | None = None, *only: Budget) -> None:
    rollups.fold_waiting(now, UTC_ZONE)
    numbers = [each.pk for each in only] or None
    budgets.evaluate(now, UTC_ZONE, memory=memory, only=numbers)


def reached(made: Budget) -> set[tuple[str, str, Any]]:
    rows = Crossing.objects.filter(budget=made).select_related("threshold")
    return {(each.value, str(each.threshold), each.line) for each in rows}


@pytest.fixture(autouse=True)
def priced() -> None:
    price_dollars()


def test_forecasts_of_more_values_than_are_read_at_once_are_judged_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch, 2)
    made = budget(NOON, for_each="user", amount=300, thresholds=[FORECAST])
    days = [NOON - back * DAY for back in range(25)]
    events = [cost(day, 10 + user, user=f"u-{user}") for day in days for user in range(5)]
    usage.record([*events, *(cost(day, 1, user="low") for day in days[:5])], now=NOON)
    memory, told = Memory(), []
    for minute in range(4):
        evaluate(NOON + minute * MINUTE, memory)
        told.append(Alert.objects.filter(kind="budget_forecast").count())
    assert told == [4, 5, 5, 5]
    assert {value for value, _, _ in reached(made)} == {f"u-{user}" for user in range(5)}
    rows = made.statuses.filter(value__startswith="u-")
    assert None not in [each.forecast for each in rows]  # the last one stands between turns
    said = whole(made).forecast_reason
    assert said.startswith("5 values may reach a threshold by forecast or burn rate: the 2 that")
    assert said.endswith("all of them within 2 evaluations.")


@pytest.mark.parametrize("dimension", ["user", "feature"])
@pytest.mark.parametrize("amount", ["fixed", "last_period"])
def test_few_at_once_and_all_at_once_reach_the_same(
    monkeypatch: pytest.MonkeyPatch, dimension: str, amount: str
) -> None:
    chance = random.Random(f"{dimension} {amount}")
    window = 24 if dimension == "user" else chance.choice([6, 24, 48])
    line = {"basis": "burn_rate", "kind": "money", "value": 6, "window_hours": window}
    terms: dict[str, Any] = {"for_each": dimension, "period": "monthly"}
    terms["thresholds"] = [percent(100), percent(70, "forecast"), line]
    terms["amount"] = 40
    if amount == "last_period":
        terms |= {"amount_kind": amount, "amount": None, "change_percent": -40}
    events = []
    for name in (f"{dimension}-{number}" for number in range(8)):
        days = [0, *chance.sample(range(1, 60), chance.choice([2, 10, 25]))]
        most = chance.choice([2, 8, 30])
        events += [
            cost(NOON - day * DAY, chance.randint(1, most), **{dimension: name}) for day in days
        ]
    usage.record(events, now=NOON)
    at_once = budget(NOON - DAY, name="at once", **terms)
    in_turn = budget(NOON - DAY, name="in turn", **terms)
    evaluate(NOON, None, at_once)
    few(monkeypatch, 2)
    memory = Memory()
    for minute in range(4):
        evaluate(NOON + minute * MINUTE, memory, in_turn)
    assert len({text for _, text, _ in reached(at_once)}) == 3
    assert reached(in_turn) == reached(at_once)


def test_the_forecast_of_one_value_in_a_long_period_is_that_of_its_own_budget() -> None:
    days = [NOON - back * DAY for back in range(0, 200, 3)]
    usage.record([cost(day, day.day % 7 + 1, user="ann") for day in days], now=NOON)
    terms = {"period": "yearly", "thresholds": [FORECAST]}
    each = budget(NOON, name="each", for_each="user", **terms)
    own = budget(NOON, name="own", filters={"user": ["ann"]}, **terms)
    evaluate(NOON)
    known = ("actual", "forecast", "forecast_low", "forecast_high", "forecast_reason")
    value = each.statuses.get(value="ann")
    assert value.forecast_method == "weekdays"
    assert [getattr(value, name) for name in known] == [getattr(whole(own), name) for name in known]


def test_whoever_reaches_a_line_just_before_the_end_is_told_though_many_cost_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch, 2)
    budget(NOON, for_each="user", period="daily", amount=10, thresholds=[percent(100)])
    evaluate(NOON)
    night = datetime(2026, 10, 15, 23, 59, 50, tzinfo=UTC)
    usage.record([cost(night, 10 + number, user=f"u-{number}") for number in range(5)], now=night)
    evaluate(night + timedelta(seconds=20))
    told = {each.facts["value"] for each in Alert.objects.filter(kind="budget_actual")}
    assert told == {f"u-{number}" for number in range(5)}


def test_what_was_not_written_down_at_the_end_is_not_taken_for_late_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch, 2)
    budget(NOON, for_each="user", period="daily", amount=100, thresholds=[percent(90)])
    usage.record([cost(NOON, 20 + number, user=f"u-{number}") for number in range(4)], now=NOON)
    evaluate(NOON)
    tomorrow = NOON + DAY
    evaluate(tomorrow)
    spend(NOON, 5, now=tomorrow + MINUTE, user="u-1")  # had 21; 22 and 23 are written down
    evaluate(tomorrow + MINUTE)
    assert [each.title for each in Alert.objects.filter(kind="budget_late_usage")] == [
        "all: u-1: late usage added at least $4.00 to the period from 2026-10-15"
    ]


def test_all_have_their_turns_however_their_places_change(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, 2)
    names = [f"u-{number}" for number in range(8)]
    had: set[str] = set()
    for _ in range(2):
        seen: set[str] = set()
        for turn in range(4):
            moved = names[-2 * turn :] + names[: -2 * turn] if turn else names
            choice = contenders.choose(["x", "y", *moved], (), had)
            assert (choice.always, choice.turns, len(choice.turn)) == (("x", "y"), 4, 2)
            seen |= {*choice.turn}
        assert seen == {*names}


def test_of_more_values_than_can_be_read_the_costliest_are_judged_and_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch, 2)
    for module in ("reading", "statements"):
        monkeypatch.setattr(f"finops.costs.{module}.MAX_ROWS", 12)
    # As it is, such a list is much shorter than an answer may be.
    monkeypatch.setattr("finops.costs.leaders.SHORTEST_LIST", 10)
    made = budget(NOON, for_each="user", amount=300, thresholds=[FORECAST, percent(40)])
    days = [NOON - back * DAY for back in range(5)]
    users = range(20)
    usage.record([cost(day, 10 + n, user=f"u-{n}") for day in days for n in users], now=NOON)
    failed = Alert.objects.filter(kind="pipeline_stale", budget=made)
    told = []
    for minute in (0, 5, 10, 15):
        evaluate(NOON + minute * MINUTE)
        told.append(failed.count())
    assert told == [0, 0, 1, 1]
    assert failed[0].title == "all could not be judged in full"
    row = whole(made)
    assert (row.state, row.failing_since) == ("near", NOON)
    assert row.problem.startswith("Only the values that cost most are judged")
    assert "more than 12 rows" in row.problem
    assert row.forecast_reason == "Forecasts are made for 2 values; not all others could be read."
    for kind in ("budget_actual", "budget_forecast"):
        rows = Alert.objects.filter(kind=kind)
        assert {each.facts["value"] for each in rows} == {"u-19", "u-18"}
    # The last look at the period, which is taken once.
    month = datetime(2026, 11, 1, 0, 1, tzinfo=UTC)
    evaluate(month)
    assert failed.count() == 2
    evaluate(month + MINUTE)
    assert (whole(made).state, whole(made).problem, failed.count()) == ("within", "", 2)


def test_where_there_are_no_forecasts_burn_rates_are_spoken_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch, 2)
    line = {"basis": "burn_rate", "kind": "money", "value": 500, "window_hours": 24}
    made = budget(NOON, for_each="user", thresholds=[line])
    usage.record([cost(NOON, 10 + number, user=f"u-{number}") for number in range(4)], now=NOON)
    evaluate(NOON)
    said = whole(made).forecast_reason
    assert said.startswith("Burn rates are judged of the values that spend most; no other one can")


def test_days_of_values_that_are_asked_for_no_more_take_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch, 2)
    budget(NOON, for_each="user", amount=300, thresholds=[FORECAST])
    days = [NOON - back * DAY for back in range(5)]
    usage.record([cost(day, 10, user=f"u-{n}") for day in days for n in range(6)], now=NOON)
    memory, counts = Memory(), []
    for minute in range(4):
        spend(NOON, 100 * 2**minute, now=NOON + minute * MINUTE, user=f"u-{minute}")
        evaluate(NOON + minute * MINUTE, memory)
        counts.append(sum(any(f.dimension == "user" for f in each.filters) for each in memory.kept))
    assert counts[1:] == counts[:1] * 3
