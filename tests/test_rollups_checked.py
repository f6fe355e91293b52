"""Every night rollups are compared with events; a difference is an alarm until it is mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from finops import rollup_checks
from finops.models import RollupCheck
from tests import figures, usage

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


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
    rollup_checks.check_nightly(NOW + timedelta(days=60), UTC_ZONE)
    assert rollup_checks.differing_days() == []
