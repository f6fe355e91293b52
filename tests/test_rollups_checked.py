"""Every night rollups are compared with events; a difference is an alarm until it is mended."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from finops import ledger, rebuilds, rollup_checks
from finops.models import RollupCheck
from ingest import partitions
from tests import figures, operating, rollup_sums, usage

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_the_check_agrees_and_then_alarms_on_tampering(caplog: pytest.LogCaptureFixture) -> None:
    figures.price_models()
    usage.record(figures.random_events(8, 50, START, NOW), now=NOW)
    rollup_sums.settle()
    day = START.date()
    check = rollup_checks.check_day(day, UTC_ZONE)
    assert check
    assert check.matches
    assert check.event_requests == check.rollup_requests > 0
    for table in ("rollup_hour", "rollup_day", "rollup_user_day", "rollup_day_users"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET effective_cost = effective_cost + 0.000000000001 WHERE ctid ="
                f" (SELECT min(ctid) FROM {table}"
                f" WHERE {'hour::date' if table == 'rollup_hour' else 'day'} = %s)",
                [day],
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
    rollup_checks.check_nightly(NOW + timedelta(days=60), UTC_ZONE)
    assert rollup_checks.differing_days() == []


def unchecked() -> list[date]:
    return rollup_checks.changed_days(date(2099, 1, 1))


def test_a_day_that_changes_is_checked_in_the_next_night_however_old_it_is() -> None:
    a_year_later = NOW + timedelta(days=365)
    usage.record([usage.event(START), usage.event(START + timedelta(days=1))], now=NOW)
    assert unchecked() == [START.date(), START.date() + timedelta(days=1)]
    rollup_checks.check_nightly(a_year_later, UTC_ZONE)
    assert unchecked() == []
    usage.record([usage.event(START + timedelta(hours=3), feature="late")], now=NOW)
    assert unchecked() == [START.date()]
    tamper()
    rollup_checks.check_nightly(a_year_later, UTC_ZONE)
    assert unchecked() == []
    assert rollup_checks.differing_days() == [START.date()]


def tamper() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rollup_day SET requests = requests + 1 WHERE day = %s", [START])


def test_ratings_and_rebuilds_change_a_day() -> None:
    usage.record([usage.event(START, model="mystery-model")], now=NOW)
    rollup_checks.check_day(START.date(), UTC_ZONE)
    assert unchecked() == []
    prices = {"uncached_input_price": "0.001", "text_output_price": "0.001"}
    line = {"kind": "contract", "provider": "openai", "model": "mystery-model"}
    ledger.add(line | prices, author="ada", zone=UTC)
    operating.rerate(START, NOW, UTC_ZONE)
    assert unchecked() == [START.date()]
    rollup_checks.check_day(START.date(), UTC_ZONE)
    assert unchecked() == []
    rebuilds.rebuild_day(START.date(), UTC_ZONE, lambda: None)
    assert unchecked() == [START.date()]


def test_what_changes_while_a_day_is_compared_is_compared_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usage.record([usage.event(START)], now=NOW)
    compare = rollup_checks.compare

    def compare_and_change(day: date, zone: ZoneInfo) -> RollupCheck | None:
        check = compare(day, zone)
        with connection.cursor() as cursor:
            # As the transaction of another worker does.
            cursor.execute("UPDATE rollup_unchecked SET changed_by = '1'")
        return check

    monkeypatch.setattr(rollup_checks, "compare", compare_and_change)
    rollup_checks.check_day(START.date(), UTC_ZONE)
    assert unchecked() == [START.date()]


def test_a_day_whose_events_are_dropped_is_not_tried_again() -> None:
    usage.record([usage.event(START)], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_event_2026_10_12")
    assert rollup_checks.check_day(START.date(), UTC_ZONE) is None
    assert unchecked() == []


def test_every_kept_day_is_checked_once_in_a_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup_checks, "CYCLE_NIGHTS", 5)
    first, now = date(1999, 1, 1), datetime(1999, 2, 10, 3, tzinfo=UTC)
    partitions.make(usage.begun(), [first])
    kept = {first + timedelta(days=ahead) for ahead in range(40)}
    for night in range(5):
        checks = rollup_checks.check_nightly(now, UTC_ZONE)
        assert len(checks) <= rollup_checks.RECENT_DAYS + 8
        RollupCheck.objects.filter(pk__in=[check.pk for check in checks]).update(
            checked_at=now + timedelta(days=night)
        )
    assert set(RollupCheck.objects.values_list("day", flat=True)) == kept


def test_a_night_takes_no_more_changed_days_than_it_can() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rollup_unchecked SELECT %s::date - back, '1'"
            " FROM generate_series(1, 100) AS back",
            [START.date()],
        )
    checks = rollup_checks.check_nightly(NOW, UTC_ZONE)
    oldest = START.date() - timedelta(days=100)
    changed = {oldest + timedelta(days=ahead) for ahead in range(rollup_checks.CHANGED_DAYS)}
    assert changed <= {check.day for check in checks}
    kept = len(rollup_checks.kept_days(NOW.date(), UTC_ZONE))
    share = math.ceil(kept / rollup_checks.CYCLE_NIGHTS)
    assert len(checks) <= len(changed) + rollup_checks.RECENT_DAYS + share


def test_a_rebuild_ends_the_alarm_of_its_days() -> None:
    usage.record([usage.event(START)], now=NOW)
    tamper()
    rollup_checks.check_day(START.date(), UTC_ZONE)
    assert rollup_checks.differing_days() == [START.date()]
    call_command("rebuild_rollups", start="2026-10-12", end="2026-10-13", stdout=StringIO())
    assert rollup_checks.differing_days() == []
