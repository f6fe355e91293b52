"""Rollups made again are the same rollups; in another zone, or after tampering, the right ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from finops import rebuilds, rollup_checks, rollups
from tests import figures, usage
from tests.rollup_sums import assert_equal_events, held

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def rebuild() -> None:
    for days in range((NOW - START).days + 1):
        rebuilds.rebuild_day(START.date() + timedelta(days=days), UTC_ZONE, lambda: None)


def test_rebuilding_follows_changed_costs() -> None:
    figures.price_models()
    usage.record(figures.random_events(4, 60, START, NOW), now=NOW)
    assert_equal_events(UTC_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET effective_cost = 7, list_cost = 9, input_cost = 7")
    rebuild()
    assert_equal_events(UTC_ZONE)


def test_rebuilding_leaves_events_that_wait_to_be_folded_to_the_fold() -> None:
    usage.record(figures.random_events(5, 20, START, NOW), now=NOW)
    usage.store(figures.random_events(6, 20, START, NOW), now=NOW)
    rebuild()
    assert_equal_events(UTC_ZONE)
    rollups.fold_waiting(NOW, UTC_ZONE)
    assert_equal_events(UTC_ZONE)


def test_rebuild_mends_tampered_rollups() -> None:
    usage.record(figures.random_events(9, 60, START, NOW), now=NOW)
    before = histograms("rollup_hour"), histograms("rollup_day")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rollup_hour SET requests = 7, ttft_histogram = latency_histogram,"
            " latency_histogram = latency_histogram || int2send(5::smallint) || int4send(9)"
        )
        cursor.execute("DELETE FROM rollup_day")
        cursor.execute("UPDATE rollup_user_day SET effective_cost = 1")
    out = StringIO()
    call_command("rebuild_rollups", start="2026-10-12", end="2026-10-16", stdout=out)
    assert out.getvalue().splitlines()[0] == "2026-10-12 rebuilt"
    assert_equal_events(UTC_ZONE)
    assert (histograms("rollup_hour"), histograms("rollup_day")) == before


def histograms(table: str) -> list[tuple[object, ...]]:
    """Of each row both, in the one form that says the same."""
    key = "hour" if table == "rollup_hour" else "day"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, attribution_id, remaining_histogram(latency_histogram),"
            f" remaining_histogram(ttft_histogram) FROM {table} ORDER BY 1, 2"
        )
        rows = cursor.fetchall()
    assert any(row[2] and row[3] for row in rows)
    return [(*row[:2], bytes(row[2]), bytes(row[3])) for row in rows]


def test_rebuild_refuses_days_whose_events_are_dropped() -> None:
    usage.record(figures.random_events(10, 40, START, NOW), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_event_2026_10_13")
    before = held("rollup_hour")
    with pytest.raises(CommandError, match="2026-10-13 are dropped"):
        call_command("rebuild_rollups", start="2026-10-13", end="2026-10-14")
    assert held("rollup_hour") == before
    assert rollup_checks.check_day(date(2026, 10, 13), UTC_ZONE) is None


def test_rollups_that_count_too_much_are_mended_once_somebody_trusts_the_events() -> None:
    usage.record(figures.random_events(12, 40, START, NOW), now=NOW)
    with connection.cursor() as cursor:
        for table in ("rollup_hour", "rollup_day"):
            cursor.execute(f"UPDATE {table} SET requests = requests + 1000")
    span = {"start": "2026-10-12", "end": "2026-10-16"}
    with pytest.raises(CommandError, match="--trust-events") as refused:
        call_command("rebuild_rollups", **span)
    assert "are dropped" not in str(refused.value)
    call_command("rebuild_rollups", **span, trust_events=True, stdout=StringIO())
    assert_equal_events(UTC_ZONE)


def test_another_zone_is_refused_until_everything_is_folded_anew(
    settings: Settings,
) -> None:
    usage.record(figures.random_events(11, 60, START, NOW), now=NOW, zone=UTC_ZONE)
    settings.REPORTING_ZONE = KOLKATA
    with pytest.raises(rollups.ZoneChanged, match="rebuild_rollups"):
        rollups.fold_waiting(NOW, KOLKATA)
    with pytest.raises(CommandError, match="rebuild_rollups"):
        call_command("rebuild_rollups", start="2026-10-12", end="2026-10-13")
    out = StringIO()
    call_command("rebuild_rollups", stdout=out)
    assert out.getvalue() == "60 events folded in Asia/Kolkata\n"
    assert_equal_events(KOLKATA)


def test_retention_leaves_rollups_alone() -> None:
    usage.record(figures.random_events(12, 40, START, NOW), now=NOW)
    before = held("rollup_day")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_event_2026_10_12")
    usage.record([usage.event(NOW, feature="new")], now=NOW)
    assert before.items() <= held("rollup_day").items()
