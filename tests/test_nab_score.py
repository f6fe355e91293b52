"""NAB's score as its paper defines it."""

from __future__ import annotations

import math

import pytest

from bench.nab_score import PROFILES, Marked, nab_score, sigmoid, worth

WINDOWS = [(300, 399), (700, 799)]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_saying_nothing_is_0_and_all_at_once_is_100(profile: object) -> None:
    nothing = Marked(1000, WINDOWS, [])
    perfect = Marked(1000, WINDOWS, [(300, 0.9), (700, 0.9)])
    assert nab_score([nothing], profile) == (0, math.inf)
    assert nab_score([nothing, nothing], profile)[0] == 0
    assert nab_score([perfect], profile)[0] == pytest.approx(100)


def test_later_in_the_window_earns_less_and_just_behind_it_costs_less() -> None:
    earned = [worth(row, WINDOWS)[1] for row in (300, 350, 399)]
    assert earned[0] == pytest.approx(1)
    assert earned[0] > earned[1] > earned[2] > 0
    costs = [worth(row, WINDOWS)[1] for row in (400, 450, 650, 200)]
    assert 0 > costs[0] > costs[1] > costs[2]
    assert costs[3] == -1
    assert sigmoid(3.1) == -1


def test_only_the_best_of_a_window_counts_and_the_threshold_is_chosen_once() -> None:
    profile = PROFILES["standard"]
    twice = Marked(1000, WINDOWS, [(300, 0.9), (350, 0.9), (700, 0.9)])
    assert nab_score([twice], profile)[0] == pytest.approx(100)
    noisy = Marked(
        1000, WINDOWS, [(300, 0.9), (700, 0.9), *((row, 0.5) for row in range(200, 290))]
    )
    assert nab_score([noisy], profile) == (pytest.approx(100), 0.9)


def test_what_is_said_in_the_first_part_of_a_file_does_not_count() -> None:
    early = Marked(1000, WINDOWS, [(149, 0.9), (300, 0.9), (700, 0.9)])
    assert nab_score([early], PROFILES["standard"])[0] == pytest.approx(100)
