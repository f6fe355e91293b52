"""Latencies: histograms of settled days are short, and the slowest groups are named of one read."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from finops import costs, rollups
from finops.costs import percentiles
from finops.histograms import AT_ONCE, ENTRY, Histogram, compacted
from finops.periods import Period
from finops.query import CostQuery
from tests import figures, usage
from tests.rollup_sums import settle

START = datetime(2026, 10, 5, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(-238, 900), st.integers(-9, 10**6))))
def test_compacting_keeps_what_a_histogram_counts(entries: list[tuple[int, int]]) -> None:
    joined = np.array(entries, dtype=ENTRY).tobytes()
    short = compacted(joined)
    bins = [bin for bin, _ in np.frombuffer(short, dtype=ENTRY)]
    assert len(set(bins)) == len(bins)
    assert Histogram.read(short).percentile(0.9) == Histogram.read(joined).percentile(0.9)
    assert sum(Histogram.read(short).counts) == sum(count for _, count in entries)


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_a_histogram_of_any_length_counts_each_entry(count: int) -> None:
    entries = np.zeros(count, dtype=ENTRY)
    entries["bin"] = np.arange(count) % 700 - 238
    entries["count"] = np.arange(count) - 5
    histogram = Histogram.read(entries.tobytes())
    assert len(histogram.counts) == min(count, 700)
    for number, counted in enumerate(histogram.counts):
        assert histogram.lowest == -238
        assert counted == entries["count"][number::700].sum(dtype=np.int64)


def histograms() -> dict[tuple[object, ...], tuple[bytes, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, attribution_id, latency_histogram, ttft_histogram FROM rollup_day"
        )
        return {row[:2]: (bytes(row[2]), bytes(row[3])) for row in cursor.fetchall()}


@pytest.mark.django_db
def test_histograms_of_a_day_that_settles_have_one_entry_for_a_bin() -> None:
    events = [usage.event(START, latency_ms=100 + n % 2 * 50, ttft_ms=20) for n in range(40)]
    usage.record(events, now=NOW)
    before = histograms()
    settle()
    after = histograms()
    assert {key: tuple(map(compacted, held)) for key, held in before.items()} == after
    assert sum(len(latency) for latency, _ in after.values()) == 2 * ENTRY.itemsize
    usage.record([usage.event(START, latency_ms=100)], now=NOW)
    rollups.settle(datetime(2099, 1, 1, tzinfo=UTC))
    [(latency, _)] = histograms().values()
    assert Histogram.read(latency).counts.sum() == len(events) + 1


@pytest.mark.django_db
@pytest.mark.parametrize("granularity", ["total", "day", "week"])
def test_the_slowest_groups_of_one_read_are_those_of_two(
    monkeypatch: pytest.MonkeyPatch, granularity: str
) -> None:
    figures.price_models()
    usage.record(figures.random_events(5, 300, START, NOW), now=NOW)
    params = {
        "group_by": ["feature,model"],
        "limit": ["3"],
        "metrics": ["latency_p95,ttft_p95,effective_cost,requests"],
    }
    query = CostQuery.from_params(params, now=NOW, zone=ZoneInfo("UTC"))
    query = query.replace(period=Period(START, NOW), granularity=granularity, compare=True)
    quick = costs.run(query)
    assert any(row.is_other for row in quick.rows)
    monkeypatch.setattr(percentiles, "fits", lambda *given: False)
    assert costs.run(query) == quick
