"""Batches stay for as long as anything asks for them, and no longer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from finops import batches, rebuilds, rollups
from tests import figures, usage
from tests.rollup_sums import assert_equal_events

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
START = datetime(1999, 5, 1, tzinfo=UTC)
YEAR_LATER = START + timedelta(days=365)

pytestmark = pytest.mark.django_db


def record(*moments: datetime, fold: bool = True) -> int:
    """The number of a batch of events of these moments, committed at the last of them."""
    now = max(moments)
    usage.store([usage.event(at) for at in moments], now=now)
    if fold:
        rollups.fold_waiting(now, UTC_ZONE)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ingest_batch SET committed_at = last_started_at"
            " WHERE id = (SELECT max(id) FROM ingest_batch) RETURNING id"
        )
        [(number,)] = cursor.fetchall()
    return int(number)


def drop(*days: date) -> None:
    with connection.cursor() as cursor:
        for day in days:
            cursor.execute(f"DROP TABLE usage_event_{day:%Y_%m_%d}")


def left() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ingest_batch ORDER BY id")
        return [number for (number,) in cursor.fetchall()]


def test_a_batch_goes_when_its_events_are_gone_and_it_is_old() -> None:
    gone, kept = record(START), record(START + timedelta(days=1))
    drop(START.date())
    assert batches.remove_old(START + batches.KEPT) == 0
    assert batches.remove_old(YEAR_LATER) == 1
    assert left() == [kept]
    assert gone not in left()


def test_a_batch_stays_while_one_of_its_events_is_kept() -> None:
    next_day = START + timedelta(days=1)
    both = record(START, next_day)
    last = record(START + timedelta(days=2))
    drop(START.date())
    assert batches.remove_old(YEAR_LATER) == 0
    drop(next_day.date())
    assert batches.remove_old(YEAR_LATER) == 1
    assert left() == [last]
    assert both not in left()


def test_a_batch_that_is_not_folded_stays() -> None:
    unfolded = record(START, fold=False)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ingest_batch SET folded_at = NULL")
    usage.store([usage.event(START + timedelta(days=2))], now=START + timedelta(days=2))
    drop(START.date())
    assert batches.remove_old(YEAR_LATER) == 0
    assert unfolded in left()


def test_old_batches_without_any_new_event_go_too() -> None:
    record(START)
    usage.store([], now=START)
    rollups.fold_waiting(START, UTC_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ingest_batch SET committed_at = %s", [START])
    last = record(START + timedelta(days=2))
    drop(START.date())
    assert batches.remove_old(YEAR_LATER) == 2
    assert left() == [last]


def test_the_newest_batch_stays_for_figures_to_say_how_fresh_they_are() -> None:
    newest = record(START)
    drop(START.date())
    assert batches.remove_old(YEAR_LATER) == 0
    assert left() == [newest]


def test_many_batches_are_removed_a_portion_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        record(START)
    last = record(START + timedelta(days=2))
    drop(START.date())
    monkeypatch.setattr(batches, "PORTION", 2)
    monkeypatch.setattr(batches, "PORTIONS", 2)
    assert batches.remove_old(YEAR_LATER) == 4
    assert batches.remove_old(YEAR_LATER) == 1
    assert batches.remove_old(YEAR_LATER) == 0
    assert left() == [last]


def test_another_zone_is_folded_from_old_batches_too() -> None:
    """Events that are kept keep their batches, so that folding by batches finds each of them."""
    usage.record(
        figures.random_events(1, 40, START, START + timedelta(days=3)),
        now=START + timedelta(days=3),
        zone=UTC_ZONE,
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ingest_batch SET committed_at = %s", [START + timedelta(days=3)])
    usage.record([usage.event(YEAR_LATER)], now=YEAR_LATER, zone=UTC_ZONE)
    assert batches.remove_old(YEAR_LATER + timedelta(days=30)) == 0
    rebuilds.forget_all(YEAR_LATER, KOLKATA)
    assert rollups.fold_waiting(YEAR_LATER, KOLKATA).events == 41
    assert_equal_events(KOLKATA)
