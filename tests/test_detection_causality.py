"""What was said of a point stays said: judgements depend on the past alone, and on no unit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.detection import Judgement, Series, judge

START = datetime(2026, 3, 2, tzinfo=UTC)
STEPS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


def made(seed: int, count: int) -> list[float | None]:
    """A series of any kind, with things going wrong in it."""
    random = np.random.default_rng(seed)
    season = random.choice([7, 24, 60])
    base = 5 + random.uniform(0, 4) * np.sin(np.arange(count) / season * 2 * np.pi)
    values = random.poisson(base) if seed % 3 else base * random.lognormal(0, 0.2, count)
    values = np.asarray(values, dtype=float)
    for _ in range(int(random.integers(0, 5))):
        at, length = int(random.integers(0, count)), int(random.integers(1, 40))
        values[at : at + length] *= random.choice([0, 0.3, 3, 10])
    values[random.random(count) < random.choice([0, 0.02, 0.4])] = 0
    return [
        None if gap else float(v)
        for v, gap in zip(values, random.random(count) < 0.02, strict=True)
    ]


def said(judged: Judgement, until: int) -> tuple[list[object], list[object]]:
    """Expectations and what of episodes never changes, of the points before `until`."""
    columns = judged.expectation
    points: list[object] = []
    for column in (columns.expected, columns.low, columns.high):
        points += [None if v is None else pytest.approx(v, rel=1e-6) for v in column[:until]]
    episodes = [(e.first, e.found, e.direction) for e in judged.episodes if e.found < until]
    return points, episodes


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), until=st.integers(1, 420))
def test_more_points_change_nothing_that_was_said(name: str, seed: int, until: int) -> None:
    values = made(seed, 420)
    before = judge(Series(START, STEPS[name], values[:until]))
    after = judge(Series(START, STEPS[name], values))
    assert said(after, until) == said(before, until)
    closed = [e for e in before.episodes if not e.is_open]
    assert list(after.episodes)[: len(closed)] == closed
    assert all(not e.is_open for e in list(after.episodes)[:-1])
    assert all(e.first <= e.found <= e.last for e in after.episodes)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), until=st.integers(50, 420))
def test_what_is_gathered_stays_so_too_and_its_parts_are_the_episodes(
    seed: int, until: int
) -> None:
    values = made(seed, 420)
    asked = {"alarms_per_month": 30.0}
    whole = Series(START, STEPS["hours"], values)
    after = judge(whole, gathered=True, **asked)
    before = judge(Series(START, STEPS["hours"], values[:until]), gathered=True, **asked)
    closed = [e for e in before.episodes if not e.is_open]
    assert list(after.episodes)[: len(closed)] == closed
    parts = [part for episode in after.episodes for part in episode.parts]
    assert parts == [(e.first, e.last) for e in judge(whole, **asked).episodes]
    assert all((e.first, e.last) == (e.parts[0][0], e.parts[-1][1]) for e in after.episodes)


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.integers(-40, 40))
def test_the_unit_does_not_matter(name: str, seed: int, power: int) -> None:
    values = made(seed, 420)
    scaled = [None if value is None else value * 2.0**power for value in values]
    plain = judge(Series(START, STEPS[name], values))
    other = judge(Series(START, STEPS[name], scaled))
    assert [(e.first, e.last, e.found, e.kind, e.direction, e.is_open) for e in plain.episodes] == [
        (e.first, e.last, e.found, e.kind, e.direction, e.is_open) for e in other.episodes
    ]
    for one, two in zip(plain.expectation.expected, other.expectation.expected, strict=True):
        assert (one is None) == (two is None)
        if one is not None and two is not None:
            assert two == pytest.approx(one * 2.0**power, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.integers(-5000, 5000))
def test_the_time_does_not_matter(seed: int, hours: int) -> None:
    values = made(seed, 420)
    plain = judge(Series(START, STEPS["hours"], values))
    moved = judge(Series(START + timedelta(hours=hours), STEPS["hours"], values))
    assert plain.expectation == moved.expectation
    assert [(e.first, e.last, e.kind) for e in plain.episodes] == [
        (e.first, e.last, e.kind) for e in moved.episodes
    ]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), since=st.integers(0, 430))
def test_judging_the_end_alone_says_the_same_of_it(seed: int, since: int) -> None:
    values = made(seed, 420)
    whole = judge(Series(START, STEPS["hours"], values))
    end = judge(Series(START, STEPS["hours"], values), since=since)
    assert list(end.expectation.expected) == list(whole.expectation.expected)[since:]
    assert all(since <= e.first <= e.found for e in end.episodes)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    step=st.sampled_from([timedelta(seconds=7), timedelta(hours=5), timedelta(days=30)]),
)
def test_any_numbers_are_survived(values: list[float | None], step: timedelta) -> None:
    judged = judge(Series(START, step, values * 8))
    assert len(judged.expectation.expected) == len(values) * 8
