"""Counting users: of settled days by the numbers that they hold, each once."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops import costs
from finops.costs import distinct_users
from finops.costs.distinct_users import SPARSE, distinct
from finops.periods import Period
from finops.query import CostQuery
from tests import figures, usage
from tests.rollup_sums import settle

START = datetime(2026, 10, 5, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


@given(st.lists(st.integers(1, 40) | st.integers(1, 2**31 - 1)))
def test_each_number_counts_once_however_far_apart_they_are(numbers: list[int]) -> None:
    half = len(numbers) // 2
    parts = [np.array(part, dtype=np.int32) for part in (numbers[:half], numbers[half:])]
    assert distinct(parts) == len(set(numbers))


@pytest.mark.parametrize("largest", [SPARSE * 4 - 1, SPARSE * 4, SPARSE * 4 + 1, 2**31 - 1])
def test_both_ways_of_counting_agree_where_one_ends(largest: int) -> None:
    assert distinct([np.array([7, largest, 7, 1], dtype=np.int32)]) == 3


def test_nobody_is_none() -> None:
    assert distinct([]) == distinct([np.zeros(0, dtype=np.int32)]) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("group_by", ["feature,model", "team"])
def test_the_groups_with_most_users_of_one_read_are_those_of_two(
    monkeypatch: pytest.MonkeyPatch, group_by: str
) -> None:
    figures.price_models()
    usage.record(figures.random_events(5, 200, START, NOW), now=NOW)
    settle()
    usage.record(figures.random_events(6, 40, START, START.replace(day=8)), now=NOW)
    for metrics in ("users,requests", "cost_per_user,users,effective_cost,latency_p95"):
        params = {"group_by": [group_by], "limit": ["2"], "metrics": [metrics]}
        for granularity in ("total", "day", "week"):
            query = CostQuery.from_params(params, now=NOW, zone=ZoneInfo("UTC")).replace(
                period=Period(START.replace(hour=7), NOW), granularity=granularity, compare=True
            )
            quick = costs.run(query)
            assert any(row.is_other for row in quick.rows)
            with monkeypatch.context() as patched:
                patched.setattr(distinct_users, "read", lambda *given: None)
                assert costs.run(query) == quick
