"""What a budget would have told in the past, before it is saved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from budgeting import UTC_ZONE, cost, percent, price_dollars

from finops import budgets
from finops.budgets import BackTest
from tests import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def two_months() -> None:
    """Ten dollars a day since the middle of August, and fifty on the first of October."""
    price_dollars()
    events = [cost(NOW - timedelta(days=back), 10, user="ann") for back in range(60)]
    events.append(cost(datetime(2026, 10, 1, 9, tzinfo=UTC), 50, user="bob"))
    usage.record(events, now=NOW)


def tried(days: int = 90, **fields: Any) -> BackTest:
    draft = budgets.read({"name": "new", "period": "monthly", "amount": 200, **fields})
    return budgets.back_test(draft, days, now=NOW, zone=UTC_ZONE)


def fired(found: BackTest) -> list[tuple[date, str, int]]:
    return [(each.day, each.threshold.basis, int(each.threshold.value)) for each in found.fired]


def test_it_says_which_thresholds_would_have_been_told_on_which_day() -> None:
    found = tried(thresholds=[percent(50), percent(100)])
    assert fired(found) == [
        (date(2026, 8, 26), "actual", 50),
        (date(2026, 9, 10), "actual", 50),
        (date(2026, 9, 20), "actual", 100),
        (date(2026, 10, 5), "actual", 50),
        (date(2026, 10, 15), "actual", 100),
    ]
    last = found.fired[-1]
    assert (last.actual, last.amount, last.line) == (200, 200, 200)
    assert any("2026-08-17" in note for note in found.notes)


def test_what_was_told_before_the_days_that_are_tried_is_not_told_again() -> None:
    assert fired(tried(8, thresholds=[percent(50), percent(100)])) == [
        (date(2026, 10, 15), "actual", 100)
    ]


def test_forecasts_are_made_of_what_was_known_then() -> None:
    found = tried(thresholds=[percent(100, "forecast")])
    # Three days of August at ten dollars make 150 of its rest; September is to come to 300.
    assert fired(found)[0] == (date(2026, 9, 2), "forecast", 100)


def test_each_value_is_tried_by_itself_and_hours_are_said_to_be_left_out() -> None:
    burn = {"basis": "burn_rate", "kind": "percent", "value": 300, "window_hours": 6}
    found = tried(period="daily", amount=40, for_each="feature", thresholds=[percent(100), burn])
    assert found.fired == ()
    found = tried(period="daily", amount=40, for_each="user", thresholds=[percent(100)])
    assert [(each.day, each.value) for each in found.fired] == [(date(2026, 10, 1), "bob")]
    notes = tried(thresholds=[burn]).notes
    assert any(note.startswith("Burn rates over hours were not tried") for note in notes)


def test_it_says_what_periods_came_to_and_how_often_calls_would_have_been_refused() -> None:
    found = tried(enforcement="block").periods
    assert found is not None
    # Fifteen days of August, and thirty of September, at ten dollars a day.
    assert (found.highest, found.highest_in.first) == (300, date(2026, 9, 1))
    assert found.average == (150 + 300) / 2
    # From the 20th of September to its end, and on the 15th of October.
    assert found.enforced_days == 11 + 1
    slowed = tried(enforcement="throttle", throttle_percent=50).periods
    assert slowed is not None
    assert slowed.enforced_days == 6 + 21 + 11
    users = tried(period="daily", amount=40, for_each="user", enforcement="block").periods
    assert users is not None
    assert (users.highest, users.highest_of, users.enforced_days) == (50, "bob", 1)
    only_told, nothing = tried().periods, tried(filters={"team": ["none"]}).periods
    assert only_told is not None
    assert (only_told.enforced_days, nothing) == (0, None)


def test_a_burn_rate_over_whole_days_is_tried() -> None:
    burn = {"basis": "burn_rate", "kind": "percent", "value": 500, "window_hours": 24}
    # 310 dollars in 31 days are ten a day: on the first of October it was sixty.
    found = tried(amount=310, thresholds=[burn])
    assert [each.day for each in found.fired] == [date(2026, 10, 1)]
