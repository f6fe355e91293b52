"""Budgets that take long to read: each has its turn, and one that has none is told, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from budgeting import UTC_ZONE, budget, price_dollars, spend, whole
from desks import reader

from finops import budgets, rollups
from finops.budgets import Memory, evaluation
from finops.budgets.moments import Evaluated
from finops.models import Alert, Budget, BudgetStatus

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


def never() -> bool:
    return False


@pytest.fixture(autouse=True)
def prices() -> None:
    price_dollars()


def evaluate(minute: int, memory: Memory, **more: Any) -> None:
    now = NOW + minute * MINUTE
    rollups.fold_waiting(now, UTC_ZONE)
    budgets.evaluate(now, UTC_ZONE, memory=memory, **more)


def three() -> list[Budget]:
    return [budget(NOW, name=f"budget {number}") for number in range(3)]


def test_slow_budgets_have_their_turns_where_one_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, *others = three()
    read = evaluation.reading.read

    def slowly(portion: Sequence[Any], *arguments: Any) -> list[Evaluated]:
        if portion[0].number == stuck.pk:
            found = read(portion, *arguments)
            return [Evaluated(each.watched, each.asked, problem="too slow") for each in found]
        return read(portion, *arguments)

    monkeypatch.setattr(evaluation.reading, "read", slowly)
    monkeypatch.setattr(evaluation, "note_time", lambda *_: None)
    memory = Memory(slow={each.pk for each in (stuck, *others)})
    for minute in range(3):  # one has its turn each time, even when there is no time
        evaluate(minute, memory, has_time=never)
    assert whole(stuck).problem == "too slow"
    assert [whole(each).state for each in others] == ["within", "within"]


def test_a_budget_that_there_is_never_time_for_is_told_once_and_says_since_when() -> None:
    made = budget(NOW, name="Support")
    spend(NOW, 10, now=NOW)
    memory = Memory()
    evaluate(0, memory)
    for minute in range(1, 16):
        evaluate(minute, memory, has_time=never)
        told = Alert.objects.filter(kind="pipeline_stale").exclude(budget=None)
        assert told.count() == (minute >= 10)
    [alert] = told
    assert alert.title == "Support could not be judged"
    assert (alert.budget, alert.facts["since"]) == (made, NOW.isoformat())
    assert "There was no time to read it" in alert.facts["problem"]
    finance = reader("finance")
    shown = finance.get(f"/budgets/{made.pk}").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "could not be checked since 15 Oct, 12:00 UTC: There was no time" in shown
    status = finance.get(f"/api/v1/budgets/{made.pk}/status").json()["status"]
    assert (status["state"], status["failing_since"]) == ("unknown", "2026-10-15T12:00:00Z")
    assert status["actual"] == "10"
    evaluate(16, memory)
    status = finance.get(f"/api/v1/budgets/{made.pk}/status").json()["status"]
    assert (status["state"], status["failing_since"], status["problem"]) == ("within", None, "")


def test_after_a_pause_nothing_is_told_that_there_was_no_time_for_once() -> None:
    budget(NOW, name="Support")
    memory = Memory()
    evaluate(0, memory)
    evaluate(60, memory, has_time=never)
    assert not Alert.objects.exists()
    assert BudgetStatus.objects.get().state == "within"
