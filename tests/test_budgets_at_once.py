"""Four workers that evaluate at once and are killed: each crossing is told once, none is lost.

Budgets that cannot be read and a pipeline that stands still are told, and hold up nobody."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from budgeting import UTC_ZONE, budget, cost, percent, price_dollars, spend, whole
from django.contrib.auth.models import User
from django.db import connection
from ingest_server import until

from finops import budgets, rollups, teams
from finops.budgets import Memory, evaluation
from finops.budgets.pipeline import FRESH, STALE
from finops.models import Alert, BudgetStatus, Crossing, Team
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.rules import RuleEntry
from tests import usage
from tests.fact_tables import forget_facts
from tests.ownership import make_centers

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORKERS, ROUNDS, TEAMS = 4, 5, 40


@pytest.fixture(autouse=True)
def prices() -> Iterator[None]:
    price_dollars()
    yield
    forget_facts()


def worker(seconds: float) -> int:
    """A process that evaluates as if a minute passed between any two evaluations; its number."""
    child = os.fork()
    if child:
        return child
    try:
        connection.connection = None
        deadline, turn = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            turn += 1
            budgets.evaluate(NOW + turn * MINUTE, UTC_ZONE, memory=Memory())
    finally:
        os._exit(0)


def test_every_crossing_is_told_once_by_workers_that_die() -> None:
    for number in range(TEAMS):
        terms = {"filters": {"team": [f"team-{number}"]}, "thresholds": [percent(50), percent(100)]}
        budget(NOW, name=f"budget {number}", **terms)
    budget(NOW, name="each", for_each="team", amount=100, thresholds=[percent(60), percent(90)])
    usage.record([cost(NOW, 10, team=f"team-{n}") for n in range(TEAMS)], now=NOW)
    workers = [worker(60.0) for _ in range(WORKERS)]
    try:
        for step in range(ROUNDS):
            time.sleep(0.3)
            dollars = [cost(NOW, 20, team=f"team-{n}") for n in range(TEAMS)]
            usage.record(dollars, now=NOW + (step + 1) * MINUTE)
            os.kill(workers[0], signal.SIGKILL)
            os.waitpid(workers.pop(0), 0)
            workers.append(worker(60.0))
        until_told(TEAMS)
    finally:
        for each in workers:
            os.kill(each, signal.SIGKILL)
            os.waitpid(each, 0)
    connection.close()
    # 10, 30, 50, 70, 90 and 110 dollars: each threshold of each team, and each alert, just once.
    assert Crossing.objects.count() == TEAMS * 4
    keys = list(Alert.objects.exclude(kind__startswith="pipeline").values_list("key", flat=True))
    told = Crossing.objects.filter(is_told=True).values_list("alert_key", flat=True)
    assert sorted(keys) == sorted(told)
    finals = Crossing.objects.filter(line=100, is_told=True).count()
    assert finals == TEAMS


def until_told(teams: int) -> None:
    deadline = time.monotonic() + 60
    while Crossing.objects.filter(line=100).count() < teams:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_pipeline_that_stands_still_is_told_once_and_budgets_are_marked() -> None:
    spent = {"basis": "actual", "kind": "money", "value": 100}
    made = budget(NOW, amount=400, thresholds=[spent, percent(100, "forecast")])
    usage.record([cost(NOW - timedelta(days=n), 9) for n in range(1, 6)], now=NOW)
    budgets.evaluate(NOW, UTC_ZONE)
    assert not whole(made).is_stale
    usage.store([cost(NOW, 60)], now=NOW)  # waits, and nobody folds
    told = []
    for seconds in (100, 190, 250, 400):
        budgets.evaluate(NOW + timedelta(seconds=seconds), UTC_ZONE)
        told.append(Alert.objects.filter(kind="pipeline_stale").count())
    assert told == [0, 1, 1, 1]
    status = whole(made)
    assert (status.is_stale, status.pending_events, status.actual) == (True, 1, 45)
    assert not Crossing.objects.exists()
    later = NOW + timedelta(seconds=420)
    rollups.fold_waiting(later, UTC_ZONE)
    budgets.evaluate(later + FRESH / 2, UTC_ZONE)
    kinds = list(Alert.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["pipeline_stale", "pipeline_recovered", "budget_actual"]
    assert not whole(made).is_stale
    # And a second time it is told anew.
    budgets.evaluate(later + STALE + MINUTE, UTC_ZONE)
    assert Alert.objects.filter(kind="pipeline_stale").count() == 2


def test_a_budget_that_cannot_be_read_is_marked_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick = budget(NOW, name="quick", thresholds=[percent(50)])
    stuck = budget(NOW, name="stuck", for_each="feature")
    usage.record([cost(NOW, 10, feature=f"feature-{n}") for n in range(6)], now=NOW)
    monkeypatch.setattr("finops.costs.reading.MAX_ROWS", 5)
    monkeypatch.setattr("finops.costs.statements.MAX_ROWS", 5)
    monkeypatch.setattr("finops.budgets.questions.VALUES", None)
    report = budgets.evaluate(NOW, UTC_ZONE)
    assert (report.budgets, report.failed) == (2, 1)
    assert (whole(quick).actual, whole(stuck).state) == (60, "unknown")
    assert "more than 5 rows" in whole(stuck).problem
    for minutes in (5, 10, 15):
        now = NOW + minutes * MINUTE
        rollups.fold_waiting(now, UTC_ZONE)
        budgets.evaluate(now, UTC_ZONE)
    [title] = Alert.objects.filter(kind="pipeline_stale").values_list("title", flat=True)
    assert title == "stuck could not be judged"
    monkeypatch.undo()
    budgets.evaluate(NOW + 16 * MINUTE, UTC_ZONE)
    assert (whole(stuck).state, whole(stuck).problem) == ("within", "")


def changes_are_over() -> bool:
    """Whether every transaction as old as the last change has ended, in other databases of this
    server too: until then what was read is rightly read once more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            " > max(changed_by::text::bigint) FROM rollup_unchecked"
        )
        [(is_over,)] = cursor.fetchall()
        return bool(is_over)


def test_what_has_not_changed_is_not_read_again() -> None:
    for number in range(5):
        budget(NOW, name=f"budget {number}", filters={"team": [f"team-{number}"]})
    usage.record([cost(NOW, 10, team=f"team-{n}") for n in range(5)], now=NOW)
    until(changes_are_over, 60)
    memory = Memory()
    first = budgets.evaluate(NOW, UTC_ZONE, memory=memory)
    assert first.queries == 3  # of the last month, of the days before, of today: for all of them
    again = budgets.evaluate(NOW + MINUTE, UTC_ZONE, memory=memory)
    assert (again.budgets, again.queries) == (5, 0)
    spend(NOW, 50, now=NOW + 2 * MINUTE, team="team-3")
    until(changes_are_over, 60)
    third = budgets.evaluate(NOW + 2 * MINUTE, UTC_ZONE, memory=memory)
    assert (third.budgets, third.queries) == (5, 1)
    actuals = BudgetStatus.objects.order_by("budget__name").values_list("actual", flat=True)
    assert list(actuals) == [10, 10, 10, 60, 10]
    # A late event of a day that was read before.
    spend(NOW - timedelta(days=5), 7, now=NOW + 3 * MINUTE, team="team-1")
    until(changes_are_over, 60)
    fourth = budgets.evaluate(NOW + 3 * MINUTE, UTC_ZONE, memory=memory)
    assert fourth.queries == 1
    assert BudgetStatus.objects.get(budget__name="budget 1").actual == 17


def test_figures_by_cost_center_follow_a_team_that_another_one_pays_for() -> None:
    team = Team.objects.create(name="cx", cost_center="CC-1")
    kept = budget(NOW, name="kept", filters={"cost_center": ["CC-1"]})
    each = budget(NOW, name="each", for_each="cost_center")
    usage.record([cost(NOW, 10, team="cx")], now=NOW)
    until(changes_are_over, 60)
    memory = Memory()
    budgets.evaluate(NOW, UTC_ZONE, memory=memory)
    assert whole(kept).actual == 10
    by = User.objects.get(username="ada")
    teams.change(team.pk, "cx", "CC-2", [], by=by, at=NOW)
    budgets.evaluate(NOW + MINUTE, UTC_ZONE, memory=memory)
    assert whole(kept).actual == 0
    values = each.statuses.exclude(value="").values_list("value", "actual")
    assert list(values) == [("CC-2", 10)]


def test_figures_by_cost_center_follow_rules_on_users() -> None:
    burn = percent(300, "burn_rate", window_hours=48)
    kept = budget(NOW, name="kept", filters={"cost_center": ["CC-1"]}, thresholds=[burn])
    usage.record([cost(NOW, 10, user="ann")], now=NOW)
    until(changes_are_over, 60)
    memory = Memory()
    budgets.evaluate(NOW, UTC_ZONE, memory=memory)
    assert whole(kept).actual == 0
    make_centers("CC-1")
    act = Act(User.objects.get(username="ada"), NOW)
    rules.make(RuleEntry({"user": "ann"}, "CC-1"), act)
    budgets.evaluate(NOW + MINUTE, UTC_ZONE, memory=memory)
    assert whole(kept).actual == 10
    rules.make(RuleEntry({"model": "nothing"}, "CC-1", position=1), act)
    budgets.evaluate(NOW + 2 * MINUTE, UTC_ZONE, memory=memory)
    assert (whole(kept).actual, whole(kept).failing_since) == (10, None)


def test_a_portion_that_was_slow_is_read_one_by_one_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        budget(NOW, name=f"budget {number}", filters={"team": [f"team-{number}"]})
    read, memory, sizes, clock = evaluation.reading.read, Memory(), [], [0.0]

    def slow(portion: Any, *arguments: Any) -> Any:
        sizes.append(len(portion))
        if "budget 1" in {each.budget.name for each in portion}:
            clock[0] += 0.2
        return read(portion, *arguments)

    monkeypatch.setattr(evaluation.reading, "read", slow)
    monkeypatch.setattr(evaluation, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(evaluation, "SLOW_SECONDS", 0.2)
    monkeypatch.setattr(evaluation, "SLOW_EACH", 0.0)
    for turn in range(3):
        budgets.evaluate(NOW + turn * MINUTE, UTC_ZONE, memory=memory)
    # All together; each alone; then those that were not to blame together again, and first.
    assert sizes == [3, 1, 1, 1, 2, 1]
