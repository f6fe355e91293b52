"""What a planned event makes of the steps of a series, to the part of each that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from finops.anomalies.excuses import Excuses, excuses
from finops.anomalies.gathering import LongSeries
from finops.anomalies.measures import MOST_UNPRICED, Metric, Step, value
from finops.anomalies.planning import Plan
from finops.anomalies.scales import DAY, HOUR
from finops.anomalies.series import Key
from finops.detection import Expectation
from finops.periods import start_of_day

BERLIN = ZoneInfo("Europe/Berlin")
ANSWERS = Key.of({"feature": "answers", "team": "cx"})
PLANNED = {"feature": ["answers"]}


def day(number: int, hour: int = 0, month: int = 4) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=BERLIN).astimezone(UTC)


def days_of(month: int, key: Key = ANSWERS) -> tuple[LongSeries, datetime]:
    """Twenty days of Berlin from the 20th of the month before, and when they end."""
    first = start_of_day(datetime(2026, month - 1, 20).date(), BERLIN)
    end = day(12, month=month)
    starts = DAY.starts(first, end, BERLIN)
    return LongSeries(key, starts, [Step() for _ in starts]), end


@pytest.mark.parametrize("month", [4, 11])  # clocks changed on 29 March and on 25 October
def test_a_day_that_was_planned_is_that_day_on_either_side_of_a_change_of_clocks(
    month: int,
) -> None:
    series, end = days_of(month)
    found = excuses(series, end, [Plan(day(10, month=month), day(11, month=month), PLANNED)])
    [span] = found.known
    assert [series.starts()[at] for at in span] == [day(10, month=month)]


@pytest.mark.parametrize(
    ("start", "end", "factors"),
    [
        (day(10), day(11), {10: 3.0}),
        (day(10, 14), day(10, 20), {10: 1.5}),
        (day(10, 12), day(11, 12), {10: 2.0, 11: 2.0}),
        (day(1), day(2), {1: 3.0}),
    ],
)
def test_of_a_part_of_a_day_as_much_more_is_expected(
    start: datetime, end: datetime, factors: dict[int, float]
) -> None:
    series, until = days_of(4)
    found = excuses(series, until, [Plan(start, end, PLANNED, 3.0)])
    held = {series.starts()[at].astimezone(BERLIN).day: each for at, each in found.factors.items()}
    assert held == pytest.approx(factors)
    assert not found.known


def test_two_plans_of_the_same_hour_both_hold() -> None:
    start = datetime(2026, 4, 10, tzinfo=UTC)
    series = LongSeries(ANSWERS, [start + n * HOUR.step for n in range(5)], [Step()] * 5)
    hour = Plan(start + HOUR.step, start + 2 * HOUR.step, PLANNED, 2.0)
    found = excuses(series, start + 5 * HOUR.step, [hour, hour])
    assert found.factors == {1: 4.0}


def test_a_plan_of_a_part_of_a_series_excuses_it_and_one_of_others_does_not() -> None:
    hours = timedelta(hours=3)
    both = [
        Plan(day(10), day(10) + hours, {"feature": ["answers"]}, 3.0),
        Plan(day(9), day(9) + hours, {"team": ["ads"]}, 3.0),
    ]
    series, end = days_of(4)
    assert not excuses(series, end, both).known
    series, end = days_of(4, Key.of({"model": "gpt-4o"}))
    found = excuses(series, end, both)
    assert [span.start for span in found.known] == [21, 20]
    assert not found.factors


def test_what_is_expected_is_of_the_usage_with_its_plan() -> None:
    excused = Excuses([], {3: 4.0})
    values: Sequence[float | None] = [1.0, None, 1.0, 8.0]
    assert excused.relieved(values) == [1.0, None, 1.0, 2.0]
    held = Expectation([1.0, 1.0], [0.5, None], [2.0, 1.5])
    assert excused.restored(held, 4) == Expectation([1.0, 4.0], [0.5, None], [2.0, 6.0])


@pytest.mark.parametrize(
    ("unpriced", "is_known"), [(0, True), (10, True), (11, False), (100, False)]
)
def test_the_cost_of_usage_of_which_much_has_no_price_is_unknown_and_not_less(
    unpriced: int, is_known: bool
) -> None:
    assert MOST_UNPRICED * 100 == 10
    step = Step(requests=100, unpriced_requests=unpriced, tokens=1000)
    for metric in (Metric.COST, Metric.UNIT_PRICE):
        assert (value(metric, step) is not None) == is_known
