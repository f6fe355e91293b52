"""What is out of order in a series is found in time, and the rest is left in peace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from finops.detection import DRIFT, DROP, SHIFT, SPIKE, Episode, Series, judge

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK = np.array([1, 1.05, 1.1, 1.05, 0.95, 0.4, 0.35])


def series(step: timedelta, values: Sequence[float | None] | np.ndarray) -> Series:
    return Series(START, step, list(values))


def found(step: timedelta, values: Sequence[float | None] | np.ndarray) -> list[Episode]:
    return list(judge(series(step, values)).episodes)


def hours(weeks: int, seed: int = 1, noise: float = 0.1) -> np.ndarray:
    """Working hours by day and week, in dollars."""
    count = weeks * 168
    day = 1 + 0.8 * np.sin((np.arange(count) % 24 - 8) / 24 * 2 * np.pi)
    random = np.random.default_rng(seed).lognormal(0, noise, count)
    return 10 * day * np.repeat(np.resize(WEEK, weeks * 7), 24) * random


def minutes(count: int = 2880, per_minute: float = 10, seed: int = 1) -> np.ndarray:
    """Requests that come by chance, 2 USD an hour, more by day than by night."""
    random = np.random.default_rng(seed)
    rate = per_minute * (1 + 0.5 * np.sin(np.arange(count) / 1440 * 2 * np.pi))
    sums = [random.lognormal(0, 0.5, requests).sum() for requests in random.poisson(rate)]
    return np.array(sums) / per_minute / 30


def days(count: int = 180, seed: int = 1, noise: float = 0.05) -> np.ndarray:
    return 100 * np.resize(WEEK, count) * np.random.default_rng(seed).lognormal(0, noise, count)


@pytest.mark.parametrize("seed", range(3))
def test_a_jump_to_three_times_is_found_within_ten_minutes(seed: int) -> None:
    values = minutes(seed=seed)
    values[2500:2560] *= 3
    episode = next(e for e in found(MINUTE, values) if e.found >= 2500)
    assert episode.direction == 1
    assert 2495 <= episode.first <= episode.found < 2510
    assert 2540 <= episode.last <= 2590
    assert not episode.is_open


@pytest.mark.parametrize("seed", range(3))
def test_thirty_percent_more_is_found_on_the_first_day(seed: int) -> None:
    values = days(seed=seed)
    values[130:] *= 1.3
    episode = next(e for e in found(DAY, values) if e.found >= 130)
    assert (episode.first, episode.found, episode.direction) == (130, 130, 1)


def test_thirty_percent_more_is_found_within_a_day_of_hours() -> None:
    values = hours(8)
    values[1200:] *= 1.3
    episode = next(e for e in found(HOUR, values) if e.found >= 1200)
    assert episode.found < 1224
    assert episode.direction == 1


@pytest.mark.parametrize(
    ("step", "values"),
    [
        (MINUTE, minutes()),
        (HOUR, hours(8)),
        (DAY, days(395)),
        (HOUR, hours(8) * np.linspace(1, 2, 8 * 168)),
    ],
    ids=["minutes", "hours", "days", "growth"],
)
def test_ordinary_traffic_is_left_in_peace(step: timedelta, values: np.ndarray) -> None:
    assert len(found(step, values)) <= (12 if step == DAY else 1)


def test_weekends_are_expected_once_a_week_was_seen() -> None:
    expectation = judge(series(HOUR, hours(8))).expectation.expected
    saturday, friday = expectation[7 * 168 + 5 * 24 + 12], expectation[7 * 168 + 4 * 24 + 12]
    assert saturday is not None
    assert friday is not None
    assert saturday < 0.6 * friday


def test_a_spike_a_shift_a_drift_and_a_drop_are_told_apart() -> None:
    spike, shift, drift, drop = (hours(8) for _ in range(4))
    spike[1100] *= 6
    shift[1100:1200] *= 3
    drift[900:] *= np.linspace(1, 2.2, len(drift) - 900)
    drop[1100:1106] *= 0.05
    kinds = [{e.kind for e in found(HOUR, values)} for values in (spike, shift, drop)]
    assert kinds == [{SPIKE}, {SHIFT}, {DROP}]
    assert {e.kind for e in found(HOUR, drift)} & {DRIFT, SHIFT}


@pytest.mark.parametrize("step", [MINUTE, HOUR, DAY], ids=["minutes", "hours", "days"])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "No points"),
        ([None] * 500, "Nothing is known"),
        ([0.0] * 500, "Nothing was used"),
        ([1.0], "Brand new"),
        ([1.0, 2.0], "Brand new"),
        ([0.0] * 490 + [5.0] * 10, "Brand new"),
    ],
    ids=["empty", "unknown", "zero", "one", "two", "just begun"],
)
def test_where_there_is_nothing_to_judge_it_says_why(
    step: timedelta, values: list[float | None], words: str
) -> None:
    judged = judge(series(step, values))
    assert words in judged.note
    assert not judged.episodes
    assert list(judged.expectation.expected) == [None] * len(values)


@pytest.mark.parametrize("step", [MINUTE, HOUR, DAY], ids=["minutes", "hours", "days"])
def test_a_constant_series_is_calm_until_it_jumps(step: timedelta) -> None:
    assert not found(step, [7.0] * 600)
    (episode,) = found(step, [7.0] * 590 + [14.0] * 10)
    assert (episode.first, episode.is_open) == (590, True)
    assert episode.reason.startswith("2 times what")


@pytest.mark.parametrize("step", [MINUTE, HOUR, DAY], ids=["minutes", "hours", "days"])
@pytest.mark.parametrize("rate", [0.05, 0.4, 2.0])
def test_small_counts_are_left_in_peace(step: timedelta, rate: float) -> None:
    counts = np.random.default_rng(4).poisson(rate, 1300).astype(float)
    assert len(found(step, counts)) <= (1300 / 30 if step == DAY else 2)


def test_what_stops_is_one_drop_and_then_the_new_normal() -> None:
    values = hours(8)
    values[1000:] = 0
    (episode,) = found(HOUR, values)
    assert (episode.kind, episode.direction) == (DROP, -1)
    assert episode.found < 1012
    assert not episode.is_open


def test_a_gap_is_no_drop_and_history_goes_on_behind_it() -> None:
    values: list[float | None] = [float(value) for value in hours(8)]
    values[1000:1030] = [None] * 30
    assert not found(HOUR, values)
    values[1100] = 10 * (values[1100] or 0)
    (episode,) = found(HOUR, values)
    assert episode.first == 1100


def test_a_shift_is_taken_as_the_new_level_after_a_while() -> None:
    values = hours(8, noise=0.03)
    values[800:] *= 2
    rises = [e for e in found(HOUR, values) if e.found >= 800 and e.direction > 0]
    assert rises[0].kind == SHIFT
    assert rises[0].found <= 802
    assert 24 <= rises[-1].last - 800 <= 24 * 14
    assert not rises[-1].is_open


def test_one_incident_does_not_blind() -> None:
    values = hours(8)
    values[800:812] *= 20
    values[1150:1156] *= 4
    episodes = found(HOUR, values)
    assert [(e.first // 10, e.direction) for e in episodes] == [(80, 1), (115, 1)]


def test_what_comes_again_within_a_day_is_one_episode_if_asked_for() -> None:
    values = hours(8)
    for at in (1000, 1010, 1025, 1100):
        values[at : at + 3] *= 8
    one, other = judge(series(HOUR, values), gathered=True).episodes
    assert [first for first, _ in one.parts] == [1000, 1010, 1025]
    assert (one.first, one.last, one.is_open) == (1000, 1027, False)
    assert one.reason.endswith("; the worst of 3 times within 28 hours")
    assert other.parts == ((1100, 1102),)
    assert len(found(HOUR, values)) == 4


def test_what_is_gathered_stays_open_until_a_day_was_calm() -> None:
    values = hours(8)
    values[1000:1003] *= 8
    for until, is_open in ((1020, True), (1026, True), (1027, False)):
        (episode,) = judge(series(HOUR, values[:until]), gathered=True).episodes
        assert (episode.first, episode.last, episode.is_open) == (1000, 1002, is_open)


def test_negative_values_and_odd_numbers_do_not_disturb() -> None:
    values = [float(value) for value in hours(4)]
    values[300] = -50.0
    values[320:323] = [float("inf"), float("nan"), -0.0]
    judged = judge(series(HOUR, values))
    assert len(judged.episodes) <= 3
    assert any(e.first <= 300 <= e.last and e.direction < 0 for e in judged.episodes)


def test_what_was_planned_is_neither_found_nor_learned() -> None:
    values = hours(8)
    values[1000:1048] *= 5
    episode, *_ = judge(series(HOUR, values)).episodes
    assert episode.first == 1000
    judged = judge(series(HOUR, values), known=[range(1000, 1048)])
    assert not judged.episodes
    ordinary = judge(series(HOUR, hours(8)), known=[range(1000, 1048)]).expectation
    assert judged.expectation == ordinary


def test_only_the_direction_and_the_size_asked_for_are_told() -> None:
    values = hours(8)
    values[1000:1003] *= 6
    values[1200:1206] *= 0.05
    both, up, down = (judge(series(HOUR, values), direction=d).episodes for d in (0, 1, -1))
    assert [e.direction for e in both] == [1, -1]
    assert (list(up), list(down)) == ([both[0]], [both[1]])
    assert [e.direction for e in judge(series(HOUR, values), floor=20).episodes] == [1]


def test_the_reason_says_how_much_of_what() -> None:
    values = hours(8, noise=0.03)
    values[7 * 168 + 24 + 12 : 7 * 168 + 24 + 14] *= 4
    episode = next(e for e in found(HOUR, values) if e.last >= 7 * 168)
    assert "times what this time of the week comes to" in episode.reason
    assert " against " in episode.reason


def test_a_day_is_called_by_its_weekday_where_it_is_lived() -> None:
    values = days(noise=0.02)
    values[17 * 7 + 1] *= 3
    midnight_in_tokyo = START - timedelta(hours=9)
    judged = judge(Series(midnight_in_tokyo, DAY, [float(value) for value in values]))
    (reason,) = [e.reason for e in judged.episodes if e.first == 17 * 7 + 1]
    assert "what Tuesdays come to" in reason


def test_bursts_that_do_not_move_a_day_are_told_only_to_who_asks_for_more() -> None:
    values, random = hours(4, noise=0.3), np.random.default_rng(2)
    values *= np.repeat(random.lognormal(0, 0.5, 28), 24)
    values[random.integers(200, 670, 8)] *= 4
    calm = found(HOUR, values)
    eager = judge(series(HOUR, values), alarms_per_month=2).episodes
    assert len(calm) <= 1 < len(eager)


@pytest.mark.parametrize(
    ("step", "seasons"),
    [(timedelta(0), None), (timedelta(days=-1), None), (HOUR, [1]), (HOUR, [0, 24])],
)
def test_what_is_no_step_or_season_is_refused(step: timedelta, seasons: list[int] | None) -> None:
    with pytest.raises(ValueError, match=r"step|season"):
        judge(series(step, [1.0] * 100), seasons=seasons)
