"""Whoever watches the processes is told what is wrong, and when figures are not to be trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from finops import api_tokens, health, rebuilds, tasks
from finops.models import Account, Role, RollupCheck
from tests import usage

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 10, 15, 11, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


def failing(now: datetime, zone: ZoneInfo = UTC_ZONE) -> list[str]:
    return [check.name for check in health.readiness(now, zone) if not check.is_ok]


def wait_since(moment: datetime) -> None:
    """Makes the batches that wait to be folded as old as that."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ingest_batch SET committed_at = %s WHERE folded_at IS NULL", [moment]
        )


def test_the_process_is_up_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_a_worker_that_folds_is_ready(client: Client) -> None:
    usage.store([usage.event(datetime.now(UTC))], now=datetime.now(UTC))
    assert client.get("/readyz").status_code == 503
    tasks.fold_rollups()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["failing"]) == (200, [])


@pytest.mark.django_db
def test_each_failing_part_is_named() -> None:
    assert failing(NOW) == ["worker"]
    usage.record([usage.event(START)], now=NOW)
    assert failing(NOW) == []
    assert failing(NOW + timedelta(minutes=1)) == ["worker"]
    usage.store([usage.event(START)], now=NOW)
    wait_since(NOW - timedelta(minutes=2))
    assert failing(NOW) == ["rollups"]
    assert failing(NOW, ZoneInfo("Asia/Kolkata")) == ["rollups", "time_zone"]
    RollupCheck.objects.create(
        day=NOW.date(),
        event_requests=1,
        rollup_requests=2,
        event_cost=1,
        rollup_cost=1,
        matches=False,
    )
    assert failing(NOW) == ["rollups", "rollup_check"]


@pytest.mark.django_db
def test_a_database_that_is_away_is_named(client: Client) -> None:
    with mock.patch.object(connection, "cursor", side_effect=DatabaseError("gone")):
        response = client.get("/readyz")
        assert client.get("/metrics").status_code == 503
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": {"ok": False, "detail": "gone"}}


@pytest.mark.django_db
def test_another_reporting_zone_stops_the_folding_and_says_why(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    usage.record([usage.event(START)], now=NOW)
    settings.REPORTING_ZONE = ZoneInfo("Asia/Kolkata")
    tasks.fold_rollups()
    assert "rebuild_rollups" in caplog.text
    assert "time_zone" in client.get("/readyz").json()["failing"]


@pytest.mark.django_db
def test_metrics_are_prometheus_text(client: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, model="mystery")], now=now, source="checkout")
    usage.store([usage.event(now), usage.event(now)], now=now)
    wait_since(now - timedelta(seconds=90))
    samples = samples_of(client)
    assert samples["farthing_rollup_pending_events",] == 2
    assert 85 < samples["farthing_rollup_lag_seconds",] < 300
    assert samples["farthing_unpriced_requests",] == 1
    assert samples["farthing_rollup_check_differing_days",] == 0
    assert samples["farthing_recent_events",] == 3


@pytest.mark.django_db
def test_only_who_sees_all_teams_is_told_of_each_service(client: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now)], now=now, source="checkout")
    told = {}
    for role in ("finance", "engineer"):
        user = User.objects.create_user(role)
        Account.objects.create(user=user, role=Role(role))
        token = api_tokens.create_token(user, now=now, by="tests")
        told[role] = samples_of(client, Authorization=f"Bearer {token}")
    told["wrong"] = samples_of(client, Authorization="Bearer ft_nobody")
    told["nobody"] = samples_of(client)
    named = {who for who, samples in told.items() if any("checkout" in each for each in samples)}
    assert named == {"finance"}
    assert told["finance"]["farthing_recent_events_by_source", "checkout"] == 1
    assert told["nobody"]["farthing_recent_events",] == 1


def samples_of(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    """Name and values of labels → figure."""
    response = client.get("/metrics", headers=headers)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


@pytest.mark.django_db
def test_the_tasks_fold_settle_and_check() -> None:
    now = datetime.now(UTC)
    usage.store([usage.event(now - timedelta(days=1))], now=now - timedelta(minutes=5))
    tasks.fold_rollups()
    tasks.check_rollups()
    assert RollupCheck.objects.count() >= 7
    assert not RollupCheck.objects.filter(matches=False)
    assert rebuilds.held_span()
