"""What just happened does not wait behind a month that is being loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from finops import rollups
from tests import usage
from tests.rollup_sums import assert_equal_events, held

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
MONTH_AGO = NOW - timedelta(days=30)

pytestmark = pytest.mark.django_db


def test_live_batches_are_folded_before_older_usage_that_came_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollups, "CHUNK_EVENTS", 1)
    for day in range(3):
        usage.store([usage.event(MONTH_AGO + timedelta(days=day))], now=NOW)
    usage.store([usage.event(NOW - timedelta(minutes=1))], now=NOW)
    assert rollups.fold_chunk(NOW, UTC_ZONE).events == 1
    assert [day for day, _ in held("rollup_day")] == [NOW.date()]
    usage.store([usage.event(NOW - timedelta(minutes=2))], now=NOW)
    rollups.fold_chunk(NOW, UTC_ZONE)
    assert held("rollup_day")[next(iter(held("rollup_day")))][0] == 2
    assert rollups.fold_waiting(NOW, UTC_ZONE).events == 3
    assert_equal_events(UTC_ZONE)


def test_older_usage_is_folded_with_what_is_live_when_there_is_room() -> None:
    usage.store([usage.event(MONTH_AGO)], now=NOW)
    usage.store([usage.event(NOW - timedelta(minutes=1))], now=NOW)
    assert rollups.fold_chunk(NOW, UTC_ZONE).events == 2
    assert_equal_events(UTC_ZONE)


def test_a_live_batch_far_behind_is_found_among_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollups, "CHUNK_BATCHES", 1)
    for _ in range(4):
        usage.store([usage.event(MONTH_AGO)], now=NOW)
    usage.store([usage.event(NOW - timedelta(minutes=1))], now=NOW)
    assert rollups.fold_chunk(NOW, UTC_ZONE).events == 1
    assert [day for day, _ in held("rollup_day")] == [NOW.date()]
    while rollups.fold_waiting(NOW, UTC_ZONE).batches:
        pass
    assert_equal_events(UTC_ZONE)
