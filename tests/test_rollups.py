"""Rollups say exactly what the events say: folded once, late, again, in any zone."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from finops import rollup_checks, rollups
from finops.costs.histograms import BIN_WIDTH, ENTRY
from finops.models import RollupCheck
from tests import figures, usage

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db

SUMS = (
    "requests",
    "unpriced_requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "unpriced_tokens",
    "list_cost",
    "effective_cost",
)
KEYS = {
    "rollup_hour": ("hour", "attribution_id"),
    "rollup_day": ("day", "attribution_id"),
    "rollup_user_day": ("day", "attribution_id", "user_id"),
    "rollup_user_total": ("span", "start", "user_id"),
}


def sums(events: list[dict[str, Any]]) -> tuple[Any, ...]:
    """The reference: what a rollup row of these events holds."""
    unpriced = [event for event in events if event["effective_cost"] is None]
    return (
        len(events),
        len(unpriced),
        figures.metric("errors", events),
        figures.metric("input_tokens", events),
        figures.metric("output_tokens", events),
        figures.metric("cache_read_input_tokens", events),
        figures.metric("input_tokens", unpriced) + figures.metric("output_tokens", unpriced),
        sum((event["list_cost"] or 0 for event in events), Decimal(0)),
        sum((event["effective_cost"] or 0 for event in events), Decimal(0)),
    )


def expected(table: str, zone: ZoneInfo) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for event in figures.stored():
        local = event["started_at"].astimezone(zone)
        into_hour = timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        day = local.date()
        keys = {
            "hour": event["started_at"] - into_hour,
            "day": day,
            "attribution_id": event["attribution_id"],
            "user_id": event["user_id"],
        }
        spans: list[dict[str, Any]] = [{}]
        if table == "rollup_user_total":
            spans = [
                {"span": "day", "start": day},
                {"span": "week", "start": day - timedelta(days=day.weekday())},
                {"span": "month", "start": day.replace(day=1)},
            ]
        for span in spans:
            key = tuple({**keys, **span}[name] for name in KEYS[table])
            groups.setdefault(key, []).append(event)
    return {key: sums(events) for key, events in groups.items()}


def held(table: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    columns = ", ".join((*KEYS[table], *SUMS))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table}")
        rows = cursor.fetchall()
    count = len(KEYS[table])
    return {row[:count]: row[count:] for row in rows}


def assert_rollups_equal_events(zone: ZoneInfo) -> None:
    while rollups.settle(LATER):
        pass
    for table in KEYS:
        assert held(table) == expected(table, zone), table


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
        assert_rollups_equal_events(zone)
        transaction.set_rollback(True)


def test_folding_twice_changes_nothing() -> None:
    usage.record(figures.random_events(1, 40, START, NOW), now=NOW)
    before = {table: held(table) for table in KEYS}
    assert rollups.fold_pending(NOW, UTC_ZONE) == rollups.FoldReport()
    assert {table: held(table) for table in KEYS} == before


def test_a_late_event_touches_just_its_hour_and_day() -> None:
    usage.record(figures.random_events(2, 60, START, NOW), now=NOW)
    hours, days = held("rollup_hour"), held("rollup_day")
    late = START + timedelta(hours=7, minutes=20)
    usage.record([usage.event(late, feature="late", user="ann")], now=NOW)
    changed = {key for key, row in held("rollup_hour").items() if hours.get(key) != row}
    assert [key[0] for key in changed] == [START + timedelta(hours=7)]
    changed = {key for key, row in held("rollup_day").items() if days.get(key) != row}
    assert [key[0] for key in changed] == [START.date()]
    assert_rollups_equal_events(UTC_ZONE)


def test_settled_days_are_settled_again_after_a_late_event() -> None:
    usage.record(figures.random_events(3, 30, START, NOW), now=NOW)
    assert_rollups_equal_events(UTC_ZONE)
    usage.record([usage.event(START, user="ann")], now=NOW)
    assert_rollups_equal_events(UTC_ZONE)


def test_a_day_settles_only_when_it_has_been_quiet() -> None:
    usage.record([usage.event(START, user="ann")], now=NOW)
    assert rollups.settle(NOW + timedelta(seconds=5)) == []
    assert rollups.settle(NOW + timedelta(seconds=30)) == [START.date()]


def test_refolding_follows_changed_costs() -> None:
    figures.price_models()
    usage.record(figures.random_events(4, 60, START, NOW), now=NOW)
    assert_rollups_equal_events(UTC_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET effective_cost = 7, list_cost = 9, input_cost = 7")
        rollups.refold(cursor, START, NOW, UTC_ZONE)
    assert_rollups_equal_events(UTC_ZONE)


def test_refolding_leaves_events_that_wait_to_be_folded_to_the_fold() -> None:
    usage.record(figures.random_events(5, 20, START, NOW), now=NOW)
    usage.store(figures.random_events(6, 20, START, NOW), now=NOW)
    with connection.cursor() as cursor:
        rollups.refold(cursor, START, NOW, UTC_ZONE)
    assert_rollups_equal_events(UTC_ZONE)
    rollups.fold_pending(NOW, UTC_ZONE)
    assert_rollups_equal_events(UTC_ZONE)


def test_an_empty_batch_is_folded() -> None:
    usage.store([], now=NOW)
    assert rollups.fold_pending(NOW, UTC_ZONE).batches == 1


def test_chunks_fold_every_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "CHUNK_EVENTS", 10)
    for seed in range(5):
        usage.store(figures.random_events(seed, 8, START, NOW), now=NOW)
    assert rollups.fold_pending(NOW, UTC_ZONE) == rollups.FoldReport(batches=5, events=40)
    assert_rollups_equal_events(UTC_ZONE)


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


def test_the_check_agrees_and_then_alarms_on_tampering(caplog: pytest.LogCaptureFixture) -> None:
    figures.price_models()
    usage.record(figures.random_events(8, 50, START, NOW), now=NOW)
    day = START.date()
    check = rollup_checks.check_day(day, UTC_ZONE)
    assert check
    assert check.matches
    assert check.event_requests == check.rollup_requests > 0
    for table in ("rollup_hour", "rollup_day", "rollup_user_day"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET effective_cost = effective_cost + 0.000000000001 "
                f"WHERE ctid = (SELECT min(ctid) FROM {table})"
            )
            check = rollup_checks.check_day(day, UTC_ZONE)
            assert check
            assert not check.matches
            assert "rebuild_rollups --start 2026-10-12 --end 2026-10-13" in caplog.text
            transaction.set_rollback(True)


def test_the_check_sees_cost_moved_between_attributions() -> None:
    usage.record([usage.event(START, feature="a"), usage.event(START, feature="b")], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rollup_hour SET requests = CASE WHEN attribution_id ="
            " (SELECT min(id) FROM attribution) THEN 2 ELSE 0 END"
        )
    check = rollup_checks.check_day(START.date(), UTC_ZONE)
    assert check
    assert not check.matches


def test_a_difference_is_checked_until_it_is_mended() -> None:
    usage.record([usage.event(START)], now=NOW)
    wrong = {"event_requests": 1, "rollup_requests": 2, "event_cost": 1, "rollup_cost": 1}
    RollupCheck.objects.create(day=START.date(), matches=False, **wrong)
    assert rollup_checks.differing_days() == [START.date()]
    rollup_checks.check_recent(NOW + timedelta(days=60), UTC_ZONE)
    assert rollup_checks.differing_days() == []


def test_rebuild_mends_tampered_rollups() -> None:
    usage.record(figures.random_events(9, 60, START, NOW), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rollup_hour SET requests = 7")
        cursor.execute("DELETE FROM rollup_day")
        cursor.execute("UPDATE rollup_user_day SET effective_cost = 1")
    out = StringIO()
    call_command("rebuild_rollups", start="2026-10-12", end="2026-10-16", stdout=out)
    assert out.getvalue().splitlines()[0] == "2026-10-12 rebuilt"
    assert_rollups_equal_events(UTC_ZONE)


def test_rebuild_refuses_days_whose_events_are_dropped() -> None:
    usage.record(figures.random_events(10, 40, START, NOW), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_event_2026_10_13")
    before = held("rollup_hour")
    with pytest.raises(CommandError, match="2026-10-13 are dropped"):
        call_command("rebuild_rollups", start="2026-10-13", end="2026-10-14")
    assert held("rollup_hour") == before
    assert rollup_checks.check_day(date(2026, 10, 13), UTC_ZONE) is None


def test_another_zone_is_refused_until_everything_is_folded_anew(
    settings: Settings,
) -> None:
    usage.record(figures.random_events(11, 60, START, NOW), now=NOW, zone=UTC_ZONE)
    settings.REPORTING_ZONE = KOLKATA
    with pytest.raises(rollups.ZoneChanged, match="rebuild_rollups"):
        rollups.fold_pending(NOW, KOLKATA)
    with pytest.raises(CommandError, match="rebuild_rollups"):
        call_command("rebuild_rollups", start="2026-10-12", end="2026-10-13")
    out = StringIO()
    call_command("rebuild_rollups", stdout=out)
    assert out.getvalue() == "60 events folded in Asia/Kolkata\n"
    assert_rollups_equal_events(KOLKATA)


def test_retention_leaves_rollups_alone() -> None:
    usage.record(figures.random_events(12, 40, START, NOW), now=NOW)
    before = held("rollup_day")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_event_2026_10_12")
    usage.record([usage.event(NOW, feature="new")], now=NOW)
    assert before.items() <= held("rollup_day").items()
