"""An amount is parted to the last digit, as a person with a calculator would."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation import add_up, split

D = Decimal
CENTS = st.decimals(-10_000, 10_000, places=2)
EXACT_AMOUNTS = st.decimals(-10_000, 10_000, places=14)
WEIGHTS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.decimals(-5, 1_000, places=9), min_size=1
)


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("100", {"a": 1, "b": 1, "c": 1}, {"a": "33.34", "b": "33.33", "c": "33.33"}),
        ("-100", {"a": 1, "b": 1, "c": 1}, {"a": "-33.34", "b": "-33.33", "c": "-33.33"}),
        ("0.05", {"a": 49, "b": 51}, {"a": "0.02", "b": "0.03"}),
        ("0.01", {"small": 1, "great": 2}, {"small": "0", "great": "0.01"}),
        ("10", {"a": 3, "none": 0}, {"a": "10", "none": "0"}),
        ("10", {"a": 3, "credit": -3}, {"a": "10", "credit": "0"}),
        ("10", {"a": 0, "b": 0}, {"a": "5", "b": "5"}),
        ("1.0000007", {"a": 1, "b": 3}, {"a": "0.25", "b": "0.7500007"}),
        ("0", {"a": 1, "b": 1}, {"a": "0", "b": "0"}),
    ],
)
def test_an_amount_is_parted_by_largest_remainder(
    amount: str, weights: dict[str, int], parts: dict[str, str]
) -> None:
    assert split(D(amount), weights) == {key: D(part) for key, part in parts.items()}


def test_an_amount_that_nobody_can_bear_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one weight"):
        split(D(1), {})


@given(st.one_of(CENTS, EXACT_AMOUNTS), WEIGHTS)
def test_parts_add_up_and_none_is_a_cent_from_its_due(
    amount: Decimal, weights: dict[str, Decimal]
) -> None:
    parts = split(amount, weights)
    assert add_up(parts.values()) == amount
    given = {key: max(weight, D(0)) for key, weight in weights.items()}
    given = given if any(given.values()) else dict.fromkeys(given, D(1))
    every = sum(map(Fraction, given.values()))
    for key, part in parts.items():
        due = Fraction(amount) * Fraction(given[key]) / every
        assert abs(Fraction(part) - due) < 2 * Fraction(1, 100)
        assert part * amount >= 0


@given(CENTS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_changes_nothing(amount, weights, random) -> None:  # type: ignore[no-untyped-def]
    pairs = list(weights.items())
    random.shuffle(pairs)
    assert split(amount, dict(pairs)) == split(amount, weights)
