"""Forecasts of a period: exact where days are equal, calm where there is little to go by."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.forecasts import Forecast, forecast
from finops.periods import Period, days

ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = days(date(2026, 10, 1), date(2026, 11, 1), ZONE)


def at(day: int, hour: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def series(first: date, *amounts: object) -> list[tuple[date, Decimal]]:
    return [(first + timedelta(days=n), Decimal(str(each))) for n, each in enumerate(amounts)]


def asked(known: list[tuple[date, Decimal]], as_of: datetime, period: Period = OCTOBER) -> Forecast:
    return forecast(known, period, as_of, ZONE)


@pytest.mark.parametrize("count", [3, 10, 21, 60])
def test_equal_days_forecast_exactly_themselves(count: int) -> None:
    today = date(2026, 10, 11)
    known = series(today - timedelta(days=count), *(["0.1"] * count))
    spent = min(count, 10) * Decimal("0.1")
    found = asked(known, at(11))
    assert found.expected == spent + 21 * Decimal("0.1")
    assert found.low == found.high == found.expected
    assert found.method == ("weekdays" if count >= 21 else "proportion")


def test_three_weeks_tell_the_days_of_the_week_apart() -> None:
    amounts = [10 if (date(2026, 9, 7) + timedelta(days=n)).weekday() < 5 else 1 for n in range(24)]
    found = asked(series(date(2026, 9, 7), *amounts), at(1))
    # October 2026 has 22 working days and 9 days of weekends.
    assert (found.expected, found.method) == (229, "weekdays")
    assert found.low == found.high == 229


@pytest.mark.parametrize("weeks", [4, 6])
def test_days_that_ran_away_lift_no_day_of_the_week(weeks: int) -> None:
    amounts = [10 + n % 7 for n in range(weeks * 7)]
    first = date(2026, 9, 30) - timedelta(days=len(amounts) - 1)
    plain = asked(series(first, *amounts), at(1))
    amounts[9] *= 12
    amounts[20] *= 7
    found = asked(series(first, *amounts), at(1))
    assert (found.expected, found.low) == (plain.expected, plain.low)
    assert found.reason.endswith("weeks of days. 2 days out of line are left out.")


def test_another_level_and_rare_days_are_not_out_of_line() -> None:
    first = date(2026, 9, 3)
    risen = asked(series(first, *[10] * 20, *[80] * 8), at(1))
    assert risen.expected is not None
    assert risen.expected > 31 * 25
    rare = asked(series(first, *[0, 0, 0, 50, 0, 0, 0] * 4), at(1))
    assert rare.expected is not None
    assert rare.expected >= 4 * 50


def test_few_days_are_taken_in_proportion_and_fewer_not_at_all() -> None:
    found = asked(series(date(2026, 10, 1), 10, 20, 30), at(4))
    assert (found.expected, found.method) == (20 * 31, "proportion")
    assert found.low is not None
    assert found.high is not None
    assert 60 <= found.low < 620 < found.high
    for known, count in ((series(date(2026, 10, 1), 10, 20), 2), ([], 0)):
        nothing = asked(known, at(3))
        assert (nothing.expected, nothing.low, nothing.high, nothing.method) == (None,) * 3 + (
            "none",
        )
        assert f"there are {count}" in nothing.reason


def test_gaps_and_silence_are_days_without_cost() -> None:
    assert asked(series(date(2026, 9, 1), *([0] * 40)), at(11)).expected == 0
    gapped = [(date(2026, 10, 1), Decimal(40)), (date(2026, 10, 4), Decimal(40))]
    assert asked(gapped, at(5)).expected == 80 + 20 * 27
    # What begins late is no month of zeros before it.
    late = series(date(2026, 9, 1), *([0] * 35), 5, 5, 5, 5, 5)
    assert asked(late, at(11)).expected == 25 + 21 * 5


def test_part_of_today_is_spent_and_the_rest_is_to_come() -> None:
    known = series(date(2026, 10, 1), *([24] * 10), 12)
    assert asked(known, at(11, 12)).expected == 24 * 31
    assert asked(known, at(11, 18)).expected == 252 + 6 + 20 * 24


def test_a_day_of_25_hours_is_as_long_as_it_is() -> None:
    day = date(2026, 10, 25)
    known = series(date(2026, 10, 20), *([25] * 5), 5)
    as_of = datetime(2026, 10, 25, 5, tzinfo=BERLIN).astimezone(UTC)  # six hours have passed
    found = forecast(known, days(day, day + timedelta(days=1), BERLIN), as_of, BERLIN)
    assert found.expected == 5 + 19


def test_a_period_that_is_over_is_what_was_spent() -> None:
    known = series(date(2026, 9, 30), 99, 1, 2, 3)
    found = asked(known, at(1, month=11))
    assert (found.expected, found.low, found.high, found.method) == (6, 6, 6, "complete")


@given(
    known=st.lists(st.decimals(0, 1000, places=4), max_size=70),
    hours=st.integers(0, 31 * 24),
)
def test_nothing_spent_is_taken_back(known: list[Decimal], hours: int) -> None:
    as_of = at(1) + timedelta(hours=hours)
    days_known = series(as_of.date() - timedelta(days=max(len(known) - 1, 0)), *known)
    spent = sum((amount for day, amount in days_known if day.month == 10), Decimal(0))
    found = asked(days_known, as_of)
    if found.expected is not None:
        assert found.low is not None
        assert found.high is not None
        assert spent <= found.low <= found.expected <= found.high
