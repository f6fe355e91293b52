"""What rollups and re-rating refuse, so that usage is neither lost nor moved to other days."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from finops import ledger, rebuilds, rerating, rollups, tasks
from finops.conninfo import conninfo
from finops.management.commands import rebuild_rollups
from finops.models import Price, RatingRun
from ingest import partitions
from tests import figures, usage

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def drop_days_until(last: date) -> None:
    """As retention does: nothing older is left, nor what another test may have committed."""
    for day in partitions.existing(connection.connection):
        if day <= last:
            execute(f"DROP TABLE usage_event_{day:%Y_%m_%d}")


def execute(query: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)


def rolled_up() -> list[tuple[Any, ...]]:
    return rows("SELECT * FROM rollup_hour ORDER BY hour, attribution_id")


def strange(at: datetime, **fields: Any) -> dict[str, Any]:
    """An event of a model that no catalogue knows."""
    return usage.event(at, provider="acme", model="m", **fields)


def price(**terms: Any) -> None:
    line = {"kind": "contract", "provider": "acme", "model": "m"}
    prices = {"uncached_input_price": "0.000001", "text_output_price": "0.00001"}
    ledger.add(line | prices | terms, author="ada", zone=UTC)


def test_rating_again_in_another_zone_is_refused(settings: Settings) -> None:
    usage.record([strange(START)], now=NOW, zone=UTC_ZONE)
    price()
    settings.REPORTING_ZONE = KOLKATA
    before = rolled_up()
    with pytest.raises(CommandError, match="The rollups are in UTC"):
        call_command("rerate", start="2026-10-12", end="2026-10-14", apply=True)
    assert rolled_up() == before
    assert not RatingRun.objects.exists()


def test_the_task_says_that_the_zone_is_another(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    usage.record([strange(START)], now=NOW, zone=UTC_ZONE)
    price()
    settings.REPORTING_ZONE = KOLKATA
    tasks.rerate_unpriced()
    assert "The rollups are in UTC, the reporting time zone is Asia/Kolkata" in caplog.text
    assert not RatingRun.objects.exists()


def test_rebuilding_in_another_zone_is_refused() -> None:
    usage.record([usage.event(START)], now=NOW, zone=UTC_ZONE)
    with pytest.raises(rollups.ZoneChanged):
        rebuilds.rebuild_day(START.date(), KOLKATA, lambda: None)


@pytest.mark.parametrize("column", ["provider", "model", "fleet"])
def test_what_was_rated_before_it_overflowed_keeps_its_price(column: str) -> None:
    price()
    usage.record([strange(START)], now=NOW, zone=UTC_ZONE)
    execute(f"UPDATE attribution SET {column} = '(overflow)'")
    before = rows("SELECT effective_cost, price_id FROM usage_event")
    assert before[0][0] is not None
    out = StringIO()
    call_command("rerate", start="2026-10-12", end="2026-10-14", apply=True, stdout=out)
    assert rows("SELECT effective_cost, price_id FROM usage_event") == before
    assert "1 priced events are skipped" in out.getvalue()


def test_a_day_whose_partition_was_made_again_is_not_forgotten() -> None:
    usage.record([usage.event(START), usage.event(START + timedelta(days=1))], now=NOW)
    execute("DROP TABLE usage_event_2026_10_12")
    usage.record([usage.event(START)], now=NOW)
    before = rolled_up()
    with pytest.raises(CommandError, match="2026-10-12 count more requests than there are"):
        call_command("rebuild_rollups", start="2026-10-12", end="2026-10-13")
    assert rolled_up() == before


def test_a_day_of_the_zone_that_lost_one_of_its_two_utc_days_is_not_forgotten(
    settings: Settings,
) -> None:
    settings.REPORTING_ZONE = KOLKATA
    # The hour from 23:30 to 00:30 UTC lies on two UTC days.
    hour = datetime(2026, 10, 12, 23, 40, tzinfo=UTC)
    later = hour + timedelta(hours=5)
    usage.record([usage.event(hour), usage.event(later)], now=NOW, zone=KOLKATA)
    drop_days_until(hour.date())
    before = rolled_up()
    with pytest.raises(CommandError, match="2026-10-13 are dropped"):
        call_command("rebuild_rollups", start="2026-10-13", end="2026-10-14")
    assert rolled_up() == before


def test_a_half_dropped_day_does_not_stop_the_others_from_being_rated(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REPORTING_ZONE = KOLKATA
    evening = START + timedelta(hours=20)  # on one day of Kolkata with the next two
    morning, next_day = START + timedelta(days=1, hours=2), START + timedelta(days=2, hours=2)
    usage.record([strange(at) for at in (evening, morning, next_day)], now=NOW, zone=KOLKATA)
    execute("DROP TABLE usage_event_2026_10_12")
    price()
    done = rerating.rerate_unpriced(KOLKATA)
    assert done is not None
    assert done.total.changed == 1
    costs = rows("SELECT effective_cost FROM usage_event ORDER BY started_at")
    assert costs == [(None,), (Decimal("0.003"),)]
    assert RatingRun.objects.get().finished_at is not None
    assert RatingRun.objects.get().events_changed == 1
    assert "The events of 2026-10-12 are dropped" in caplog.text


def test_the_fold_says_when_accepted_events_are_missing(caplog: pytest.LogCaptureFixture) -> None:
    usage.store([usage.event(START), usage.event(START + timedelta(days=1))], now=NOW)
    execute("DROP TABLE usage_event_2026_10_12")
    assert rollups.fold_waiting(NOW, UTC_ZONE).events == 1
    assert "brought 2 events, but 1 were there to be folded" in caplog.text


def test_a_zone_cannot_change_when_days_are_dropped(settings: Settings) -> None:
    usage.record(figures.random_events(1, 40, START, NOW), now=NOW, zone=UTC_ZONE)
    execute("DROP TABLE usage_event_2026_10_12")
    settings.REPORTING_ZONE = KOLKATA
    before = rolled_up()
    with pytest.raises(CommandError) as refused:
        call_command("rebuild_rollups")
    for needed in (
        "The rollups stay in UTC; nothing was changed.",
        "usage since 2026-10-12, and its events up to 2026-10-12 are dropped",
        "Set FARTHING_TIME_ZONE=UTC and start again.",
        "For figures in Asia/Kolkata",
    ):
        assert needed in str(refused.value)
    assert rolled_up() == before


def test_folding_anew_waits_for_who_is_folding() -> None:
    usage.store([usage.event(START)], now=NOW)
    out = StringIO()
    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [rollups.FOLD_LOCK])
        threading.Timer(0.3, other.rollback).start()
        rebuild_rollups.Command(stdout=out).fold_anew()
    assert out.getvalue().startswith("1 events folded in ")


def record_earlier(*events: dict[str, Any]) -> None:
    """Events of a batch that was committed long enough ago to be looked at."""
    usage.record(events, now=NOW, zone=UTC_ZONE)
    execute("UPDATE ingest_batch SET committed_at = %s", NOW)


def test_events_that_came_without_their_price_are_rated_once_seen() -> None:
    price()
    Price.objects.update(recorded_at=START)
    record_earlier(strange(START))
    assert rerating.rerate_unpriced(UTC_ZONE) is not None
    assert rerating.rerate_unpriced(UTC_ZONE) is None
    record_earlier(strange(START), usage.event(START, model="unheard"))
    execute("UPDATE usage_event SET effective_cost = NULL, price_id = NULL")
    done = rerating.rerate_unpriced(UTC_ZONE)
    assert done is not None
    assert done.total.changed >= 1
    assert rerating.rerate_unpriced(UTC_ZONE) is None
    record_earlier(usage.event(START, model="unheard"))
    assert rerating.rerate_unpriced(UTC_ZONE) is None
    assert RatingRun.objects.count() == 2
