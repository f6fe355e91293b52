"""Thresholds, whatever figures do: told once, the highest, and never lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.budgets import rules
from finops.budgets.rules import CALM, Decision, Found, Held, Line

DAY = date(2026, 10, 1)
money = st.integers(0, 200).map(Decimal)


@dataclass
class Keeper:
    """What the database is for the rules."""

    held: dict[int, Held] = field(default_factory=dict)
    told: list[tuple[int, int]] = field(default_factory=list)  # threshold, generation
    days: dict[int, list[date]] = field(default_factory=dict)  # on which it was reached

    def step(self, lines: list[Line], found: Found, day: date = DAY, **more: object) -> Decision:
        decision = rules.decide(lines, found, self.held, today=day, **more)  # type: ignore[arg-type]
        revision = int(str(more.get("revision", 0)))
        for change in decision.changed:
            self.held[change.number] = change
        for each in decision.reached:
            number = each.line.number
            former = self.held.get(number)
            assert each.generation == (former.generation + 1 if former else 0)
            held = Held(number, each.generation, each.line.money, revision, day, False, 0)
            self.held[number] = held
            self.days.setdefault(number, []).append(day)
            if each.is_told:
                self.told.append((number, each.generation))
        return decision


def actual(*levels: int) -> list[Line]:
    return [Line(number, rules.ACTUAL, Decimal(level)) for number, level in enumerate(levels)]


def forecast(*levels: int) -> list[Line]:
    return [Line(number, rules.FORECAST, Decimal(level)) for number, level in enumerate(levels)]


@given(levels=st.lists(st.integers(1, 200), min_size=1, max_size=5), figures=st.lists(money))
def test_what_is_spent_is_told_once_however_it_goes_up_and_down(
    levels: list[int], figures: list[Decimal]
) -> None:
    keeper, lines = Keeper(), actual(*levels)
    highest = Decimal(-1)
    for figure in figures:
        before = len(keeper.told)
        keeper.step(lines, Found(figure))
        repeated = rules.decide(lines, Found(figure), keeper.held, today=DAY)
        assert repeated == Decision()
        # At most one message, and one exactly where a line above all former ones is reached.
        reached = [line.money for line in lines if line.money <= figure]
        is_news = bool(reached) and max(reached) > highest
        assert len(keeper.told) - before == is_news
        highest = max([highest, *reached])
    assert set(keeper.held) == {line.number for line in lines if line.money <= highest}
    assert all(each.generation == 0 for each in keeper.held.values())


@given(
    levels=st.lists(st.integers(1, 200), min_size=1, max_size=3, unique=True),
    steps=st.lists(st.tuples(money, st.booleans()), max_size=60),
)
def test_a_forecast_is_told_once_a_day_and_again_only_after_it_was_calm(
    levels: list[int], steps: list[tuple[Decimal, bool]]
) -> None:
    keeper, lines, day = Keeper(), forecast(*levels), DAY
    below = dict.fromkeys(range(len(levels)), 0)
    for figure, is_next_day in steps:
        day += timedelta(days=is_next_day)
        decision = keeper.step(lines, Found(Decimal(0), figure), day)
        for each in decision.reached:
            generation, number = each.generation, each.line.number
            assert generation == 0 or below[number] >= CALM
        for line in lines:
            below[line.number] = below[line.number] + 1 if figure < line.money else 0
            if figure >= line.money:
                held = keeper.held[line.number]  # never lost: held, or reached already today
                assert not held.is_rearmed or held.crossed_on == day
    for days in keeper.days.values():
        assert days == sorted(set(days))


@given(
    amounts=st.lists(st.tuples(st.integers(50, 150), money), min_size=1, max_size=30),
    shares=st.lists(st.sampled_from([50, 80, 100]), min_size=1, max_size=3, unique=True),
)
def test_a_raised_amount_arms_what_it_lifts_above_the_figure(
    amounts: list[tuple[int, Decimal]], shares: list[int]
) -> None:
    keeper = Keeper()
    figure, revision, former = Decimal(0), 0, amounts[0][0]
    for amount, more in amounts:
        revision += amount != former
        former = amount
        lines = actual(*shares)
        lines = [Line(n, rules.ACTUAL, Decimal(amount * s) / 100) for n, s in enumerate(shares)]
        before = Found(figure)
        figure += more / 10
        keeper.step(lines, Found(figure), revision=revision, before=before)
        for line in lines:
            held = keeper.held.get(line.number)
            if figure >= line.money:
                assert held is not None
                assert not held.is_rearmed
            elif held is not None and held.revision < revision and line.money > held.money:
                assert held.is_rearmed


def test_what_is_reached_again_between_two_looks_after_a_raise_is_told() -> None:
    keeper = Keeper()
    keeper.step(actual(80), Found(Decimal(90)))
    keeper.step(actual(120), Found(Decimal(125)), revision=1, before=Found(Decimal(90)))
    assert keeper.told == [(0, 0), (0, 1)]
    keeper.step(actual(130), Found(Decimal(140)), revision=2, before=Found(Decimal(135)))
    assert keeper.told == [(0, 0), (0, 1)]  # it was never below


def test_a_lower_threshold_that_is_added_late_is_held_untold() -> None:
    keeper = Keeper()
    keeper.step(actual(80), Found(Decimal(85)))
    keeper.step([*actual(80), Line(7, rules.ACTUAL, Decimal(50))], Found(Decimal(85)))
    assert keeper.told == [(0, 0)]
    assert set(keeper.held) == {0, 7}


def test_a_forecast_of_what_is_spent_already_is_held_untold() -> None:
    lines = [Line(1, rules.ACTUAL, Decimal(100)), Line(2, rules.FORECAST, Decimal(100))]
    keeper = Keeper()
    keeper.step(lines, Found(Decimal(100), Decimal(150)))
    assert (keeper.told, set(keeper.held)) == ([(1, 0)], {1, 2})


def test_what_is_not_known_changes_nothing() -> None:
    keeper, lines = Keeper(), forecast(100)
    keeper.step(lines, Found(Decimal(0), Decimal(120)))
    held = dict(keeper.held)
    for _ in range(CALM + 1):
        assert keeper.step(lines, Found(Decimal(0), None)) == Decision()
    assert keeper.held == held


@pytest.mark.parametrize("basis", [rules.ACTUAL, rules.BURN_RATE])
def test_a_rolling_sum_and_a_burn_rate_are_latched_like_forecasts(basis: str) -> None:
    window = 6 if basis == rules.BURN_RATE else None
    keeper, lines = Keeper(), [Line(1, basis, Decimal(10), window)]
    day = DAY

    def step(figure: int) -> None:
        found = Found(Decimal(figure), burn={6: Decimal(figure)})
        keeper.step(lines, found, day, is_rolling=basis == rules.ACTUAL)

    for figure in (10, 9, 10, *([9] * CALM), 10):
        step(figure)
    assert keeper.told == [(1, 0)]  # once a day at most
    day += timedelta(days=1)
    step(10)
    assert keeper.told == [(1, 0), (1, 1)]


def test_burn_rates_are_money_within_their_window() -> None:
    amount, hours = Decimal(720), 720
    assert rules.burn_money("percent", Decimal(300), 6, amount, hours) == 18
    assert rules.burn_money("money", Decimal(50), 6, amount, hours) == 50
    assert rules.burn_money("percent", Decimal(300), 6, None, hours) is None
