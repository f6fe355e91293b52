"""Forecasts by models: calm on strange series, honest about their errors, good on public ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops import forecasts
from finops.forecasts import Change, band, feasts, fit, spread
from finops.forecasts.fitting import filled
from finops.periods import days

ZONE = ZoneInfo("UTC")
FIRST = date(2025, 1, 6)
NN5 = Path(__file__).resolve().parents[2] / "shared/data/nn5_daily/nn5_dev.parquet"


def dated(amounts: list[float], first: date = FIRST) -> list[tuple[date, Decimal]]:
    return [(first + timedelta(days=n), Decimal(str(each))) for n, each in enumerate(amounts)]


def looked(
    amounts: list[float], changes: tuple[Change, ...] = (), first: date = FIRST
) -> forecasts.Outlook:
    """As of the midnight after the last of these days."""
    as_of = datetime.combine(first, datetime.min.time(), UTC) + timedelta(days=len(amounts))
    return forecasts.outlook(dated(amounts, first), as_of, ZONE, changes=changes)


def noisy(count: int, seed: int = 1) -> list[float]:
    chance = np.random.default_rng(seed)
    week = np.resize([10, 11, 12, 11, 10, 4, 3], count)
    return [round(float(each), 6) for each in week * chance.normal(1, 0.1, count)]


STRANGE = {
    "nothing": [],
    "two days": [1.0, 2.0],
    "all zeros": [0.0] * 100,
    "one day long ago": [5.0] + [0.0] * 99,
    "one day a month": ([0.0] * 29 + [300.0]) * 6,
    "very large": [1e15 + n for n in range(100)],
    "very small": [1e-12 * (n % 9) for n in range(100)],
    "begins with zeros": [0.0] * 90 + [3.0] * 5,
    "doubles each week": [2.0 ** (n // 7) for n in range(84)],
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_series_has_a_calm_forecast_or_a_reason(name: str) -> None:
    found = looked(STRANGE[name])
    assert found.reason
    assert len(found.parts) == 4
    for part in found.parts:
        made = part.forecast
        if made.expected is None:
            assert made.reason.startswith("It takes 3 whole days")
            continue
        assert made.low is not None
        assert made.high is not None
        assert part.spent <= made.low <= made.expected <= made.high
        assert made.high.is_finite()
    for day in found.days:
        assert 0 <= day.low <= day.expected <= day.high


def test_what_has_ended_is_forecast_no_more() -> None:
    found = looked([*noisy(100), *([0.0] * 20)])
    assert found.method == forecasts.ENDED
    assert "20 days of silence" in found.reason
    assert all(part.forecast.expected == part.spent for part in found.parts)


def test_a_cost_of_one_day_a_month_goes_by_means_and_not_by_medians() -> None:
    found = looked(([0.0] * 29 + [300.0]) * 6)
    following = found.parts[1].forecast.expected
    assert found.method == forecasts.WEEKDAYS
    assert following is not None
    assert 100 < following < 600


def test_models_are_chosen_by_their_past_errors_and_named() -> None:
    found = looked(noisy(200))
    assert found.method == forecasts.MODEL
    assert len(found.chosen) == 2
    errors = [error for _, error in found.scores]
    assert errors == sorted(errors)
    assert set(found.chosen) == {name for name, _ in found.scores[:2]}
    assert all(name in found.reason for name in found.chosen)
    assert len(found.tests) == 6
    assert all(each.end - each.first == timedelta(days=28) for each in found.tests)
    assert sum(each.is_covered for each in found.tests) >= 3
    assert found.tests[0].first < found.tests[-1].first


@pytest.mark.parametrize(("weeks", "least", "most"), [(2, 1.6, 2.6), (4, 2.7, 3.3)])
def test_another_level_is_believed_the_longer_it_lasts(
    weeks: int, least: float, most: float
) -> None:
    before = noisy(112)
    made = fit([*before, *(3 * each for each in noisy(7 * weeks, seed=2))], 28)
    assert made.changed == weeks
    assert least < made.path.sum() / sum(before[-28:]) < most
    low, high = band(made)
    assert np.allclose(high - made.path, made.path - low) or (low == 0).any()
    tests = looked([*before, *(3 * each for each in noisy(7 * weeks, seed=2))]).tests
    assert all(each.expected > sum(Decimal(str(a)) for a in before[-28:]) / 2 for each in tests)


def test_a_sum_is_less_sure_than_its_days_would_be_if_they_erred_apart() -> None:
    chance = np.random.default_rng(3)
    levels = np.repeat(np.exp(np.cumsum(chance.normal(0, 0.1, 60))), 7)
    made = fit(levels * 10, 28)
    alone = [spread(made, np.eye(28)[day]) for day in range(28)]
    assert spread(made, np.ones(28)) > np.sqrt(np.square(alone).sum())
    low, high = band(made)
    assert (low <= made.path).all()
    assert (made.path <= high).all()


def test_unknown_days_are_no_zeros() -> None:
    amounts: list[float | None] = [*noisy(140)]
    whole = fit(amounts, 14).path.sum()
    for place in range(20, 140, 5):
        amounts[place] = None
    assert abs(fit(amounts, 14).path.sum() / whole - 1) < 0.1


def test_models_learn_nothing_of_days_that_are_excused() -> None:
    amounts = noisy(140)
    launched = [each * 5 if n >= 126 else each for n, each in enumerate(amounts)]
    as_of = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=140)
    launch = frozenset(FIRST + timedelta(days=n) for n in range(126, 140))
    found = forecasts.outlook(dated(launched), as_of, ZONE, excused=launch).parts[1].forecast
    usual = looked(amounts).parts[1].forecast
    assert found.expected is not None
    assert usual.expected is not None
    assert abs(found.expected / usual.expected - 1) < Decimal("0.1")


def test_a_feast_is_expected_to_be_as_it_was() -> None:
    first = date(2024, 1, 1)
    amounts = [10.0 + n % 3 for n in range((date(2025, 12, 20) - first).days)]
    for year in (2024, 2025):
        for day in (date(year, 12, 25), feasts.easter(year)):
            if (place := (day - first).days) < len(amounts):
                amounts[place] = 0.0
    made = fit(amounts, 14, first)
    christmas = (date(2025, 12, 25) - first).days - len(amounts)
    assert made.path[christmas] < 0.4 * made.path[christmas - 2]
    assert feasts.easter(2025) == date(2025, 4, 20)
    assert feasts.easter(2026) == date(2026, 4, 5)


def test_what_is_planned_and_what_prices_will_be_is_taken_in() -> None:
    amounts = [10.0] * 90
    end = FIRST + timedelta(days=90)
    following = (end.replace(day=28) + timedelta(days=4)).replace(day=1)
    half = Change("price", "half the price", following, None, factor=Decimal("0.5"))
    event = Change(
        "planned", "a launch", following, following + timedelta(days=2), amount=Decimal(7)
    )
    plain, changed = looked(amounts), looked(amounts, (half, event))
    before, after = plain.parts[1].forecast.expected, changed.parts[1].forecast.expected
    assert before is not None
    assert after == before / 2 + 14
    assert changed.parts[0] == plain.parts[0]
    by_day = {each.day: each.expected for each in changed.days}
    assert by_day[following] == 12
    assert by_day[following + timedelta(days=2)] == 5


@given(
    amounts=st.lists(st.floats(0, 1e9, allow_nan=False), min_size=56, max_size=200),
    ahead=st.integers(1, 400),
)
@settings(max_examples=40)
def test_any_days_are_fitted_and_nothing_is_less_than_nothing(
    amounts: list[float], ahead: int
) -> None:
    made = fit(amounts, ahead)
    assert made.path.shape == (ahead,)
    assert np.isfinite(made.path).all()
    assert (made.path >= 0).all()
    low, high = band(made)
    assert ((low <= made.path) & (made.path <= high)).all()
    assert spread(made, np.ones(ahead)) >= 0


def test_no_day_is_forecast_more_than_a_third_of_eight_weeks() -> None:
    """What budgets of very many values go by: see finops/budgets/contenders.py."""
    amounts = [0.001] * 40 + [4.0**n for n in range(20)]
    as_of = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=60)
    month = days(date(2025, 3, 1), date(2025, 4, 1), ZONE)
    made = forecasts.forecast(dated(amounts), month, as_of, ZONE)
    spent = sum(Decimal(str(a)) for a in amounts[(date(2025, 3, 1) - FIRST).days :])
    left = (date(2025, 4, 1) - as_of.date()).days
    assert made.expected is not None
    most = sum(Decimal(str(each)) for each in amounts[-56:]) / 3
    assert made.expected <= spent + left * most + Decimal("0.001")


@pytest.mark.skipif(not NN5.exists(), reason="The public series of NN5 are not on this machine.")
def test_days_of_public_series_are_forecast_better_than_by_weekday_medians() -> None:
    frame = pd.read_parquet(NN5).pivot(index="date", columns="series", values="y").sort_index()
    series = frame.to_numpy(float).T[::6]
    known, actual = series[:, :-56], series[:, -56:]
    first = pd.Timestamp(frame.index[0]).date()
    parts = [filled(each) / np.nanmean(each) for each in known]
    whole = np.mean(parts, axis=0)
    scale = np.nanmean(np.abs(known[:, 7:] - known[:, :-7]), axis=1)
    made = [fit(each, 56, first, whole) for each in known]
    medians = np.array([np.resize(np.nanmedian(s[-56:].reshape(8, 7), 0), 56) for s in known])

    def mase(paths: np.ndarray) -> float:
        return float(np.mean(np.nanmean(np.abs(actual - paths), axis=1) / scale))

    assert mase(np.array([each.path for each in made])) < 0.97 * mase(medians)
    bands = np.array([band(each) for each in made])
    inside = (bands[:, 0] <= actual) & (actual <= bands[:, 1])
    assert 0.7 < inside[np.isfinite(actual)].mean() < 0.9
