"""Rollups say exactly what the events say: folded once, late, in any zone."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from finops import rollups
from finops.histograms import BIN_WIDTH, ENTRY
from tests import figures, usage
from tests.rollup_sums import assert_equal_events, held, held_everywhere

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@given(
    seed=st.integers(0, 2**32),
    batches=st.lists(st.integers(0, 25), min_size=1, max_size=4),
    zone=st.sampled_from([UTC_ZONE, KOLKATA, NEW_YORK]),
    around=st.sampled_from([START, datetime(2026, 3, 7, 12, tzinfo=UTC)]),
)
@settings(max_examples=25)
def test_rollups_equal_the_sums_of_random_events(
    seed: int, batches: list[int], zone: ZoneInfo, around: datetime
) -> None:
    with transaction.atomic():
        figures.price_models()
        for number, count in enumerate(batches):
            events = figures.random_events(
                seed + number, count, around, around + timedelta(days=2, hours=5)
            )
            usage.record(events, now=NOW, zone=zone)
        assert_equal_events(zone)
        transaction.set_rollback(True)


def test_folding_twice_changes_nothing() -> None:
    usage.record(figures.random_events(1, 40, START, NOW), now=NOW)
    before = held_everywhere()
    assert rollups.fold_waiting(NOW, UTC_ZONE) == rollups.FoldReport()
    assert held_everywhere() == before


def test_under_a_high_load_a_fold_waits_for_a_larger_chunk_but_not_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollups, "LARGE_EVENTS", 3)
    usage.store([usage.event(START), usage.event(START)], now=NOW)
    assert rollups.fold_waiting(NOW, UTC_ZONE).events == 2
    usage.store([usage.event(START) for _ in range(3)], now=NOW)
    assert rollups.fold_waiting(NOW, UTC_ZONE).events == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ingest_batch SET committed_at = committed_at - %s WHERE folded_at IS NULL",
            [rollups.PATIENCE],
        )
    assert rollups.fold_waiting(NOW, UTC_ZONE).events == 3
    assert_equal_events(UTC_ZONE)


def test_a_late_event_touches_just_its_hour_and_day() -> None:
    usage.record(figures.random_events(2, 60, START, NOW), now=NOW)
    hours, days = held("rollup_hour"), held("rollup_day")
    late = START + timedelta(hours=7, minutes=20)
    usage.record([usage.event(late, feature="late", user="ann")], now=NOW)
    changed = {key for key, row in held("rollup_hour").items() if hours.get(key) != row}
    assert [key[0] for key in changed] == [START + timedelta(hours=7)]
    changed = {key for key, row in held("rollup_day").items() if days.get(key) != row}
    assert [key[0] for key in changed] == [START.date()]
    assert_equal_events(UTC_ZONE)


def test_settled_days_are_settled_again_after_a_late_event() -> None:
    usage.record(figures.random_events(3, 30, START, NOW), now=NOW)
    assert_equal_events(UTC_ZONE)
    usage.record([usage.event(START, user="ann")], now=NOW)
    assert_equal_events(UTC_ZONE)


def test_a_day_settles_only_when_it_has_been_quiet() -> None:
    usage.record([usage.event(START, user="ann")], now=NOW)
    assert rollups.settle(NOW + timedelta(seconds=5)) == []
    assert rollups.settle(NOW + timedelta(seconds=30)) == [START.date()]


def test_an_empty_batch_is_folded() -> None:
    usage.store([], now=NOW)
    assert rollups.fold_waiting(NOW, UTC_ZONE).batches == 1


def test_chunks_fold_every_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "CHUNK_EVENTS", 10)
    for seed in range(5):
        usage.store(figures.random_events(seed, 8, START, NOW), now=NOW)
    assert rollups.fold_waiting(NOW, UTC_ZONE) == rollups.FoldReport(batches=5, events=40)
    assert_equal_events(UTC_ZONE)


def test_histograms_count_every_known_latency() -> None:
    usage.record(figures.random_events(7, 200, START, NOW), now=NOW)
    wanted: Counter[int] = Counter()
    for event in figures.stored():
        if event["latency_ms"] is not None:
            wanted[round(math.log(event["latency_ms"]) / BIN_WIDTH)] += 1
    for table in ("rollup_hour", "rollup_day"):
        counted: Counter[int] = Counter()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT latency_histogram FROM {table}")
            for (histogram,) in cursor.fetchall():
                for entry in figures_of(bytes(histogram)):
                    counted[entry[0]] += entry[1]
        assert counted == wanted


def figures_of(histogram: bytes) -> list[tuple[int, int]]:
    size = ENTRY.itemsize
    return [
        (
            int.from_bytes(histogram[at : at + 2], signed=True),
            int.from_bytes(histogram[at + 2 : at + size]),
        )
        for at in range(0, len(histogram), size)
    ]


@given(
    entries=st.lists(st.tuples(st.integers(-300, 900), st.integers(1, 2**24)), max_size=60),
)
@settings(max_examples=50)
def test_compacting_a_histogram_keeps_its_counts(entries: list[tuple[int, int]]) -> None:
    histogram = b"".join(bin.to_bytes(2, signed=True) + count.to_bytes(4) for bin, count in entries)
    with connection.cursor() as cursor:
        cursor.execute("SELECT compact_histogram(%s)", [histogram])
        compact = figures_of(bytes(cursor.fetchall()[0][0]))
    totals: Counter[int] = Counter()
    for bin, count in entries:
        totals[bin] += count
    assert len(compact) == len(dict(compact))
    assert dict(compact) == dict(totals)
