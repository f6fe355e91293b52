"""Counting users: of settled days by the numbers that they hold, each once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.costs.distinct_users import SPARSE, distinct


@given(st.lists(st.integers(1, 40) | st.integers(1, 2**31 - 1)))
def test_each_number_counts_once_however_far_apart_they_are(numbers: list[int]) -> None:
    assert distinct(np.array(numbers, dtype=">i4").tobytes()) == len(set(numbers))


@pytest.mark.parametrize("largest", [SPARSE * 4 - 1, SPARSE * 4, SPARSE * 4 + 1, 2**31 - 1])
def test_both_ways_of_counting_agree_where_one_ends(largest: int) -> None:
    assert distinct(np.array([7, largest, 7, 1], dtype=">i4").tobytes()) == 3


def test_nobody_is_none() -> None:
    assert distinct(b"") == 0
