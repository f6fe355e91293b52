"""The log of alerts is kept for 13 months, and what counts it is as quick after years."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from telling import Hook, act, channel, emptied, raised
from telling import hook as hook

from finops import alerts, tasks
from finops.alerts import log, retention
from finops.channels import keeping
from finops.models import Alert, Channel, Delivery, DeliveryAttempt, Snooze

pytestmark = pytest.mark.django_db
LONG = retention.KEPT + timedelta(days=1)


def keys() -> list[str]:
    return list(Alert.objects.order_by("pk").values_list("key", flat=True))


def test_what_is_older_goes_with_all_that_was_told_of_it(
    hook: Hook, now: datetime, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    channel("webhook", hook.url, now)
    for number in range(5):
        raised(str(number), now - LONG, thread=str(number))
    emptied(now - LONG)
    alerts.snooze(
        raised("new", now), now + timedelta(hours=1), by=administrator, now=now - timedelta(hours=1)
    )
    Snooze.objects.create(thread="old", until=now - LONG, made_at=now - LONG, made_by="ada")
    emptied(now)
    assert alerts.forget_old(now) == 5
    assert alerts.forget_old(now) == 0
    assert "new" in keys()
    assert not Delivery.objects.filter(alert__raised_at__lt=now - retention.KEPT).exists()
    assert not DeliveryAttempt.objects.filter(began_at__lt=now - retention.KEPT).exists()
    assert not Snooze.objects.filter(thread="old").exists()
    assert Snooze.objects.count() == 1
    assert Channel.objects.count() == 1


def test_a_portion_is_bounded_and_a_night_too(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    monkeypatch.setattr(retention, "PORTIONS", 2)
    for number in range(5):
        raised(str(number), now - LONG + timedelta(minutes=number))
    assert [alerts.forget_old(now), alerts.forget_old(now)] == [4, 1]


def test_the_message_of_a_younger_alert_keeps_its_attempts(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now, storm_after=1)
    raised("old", now - retention.KEPT - timedelta(minutes=1))
    raised("young", now - retention.KEPT + timedelta(minutes=1))
    emptied(now - retention.KEPT + timedelta(minutes=2))
    assert alerts.forget_old(now) == 0
    assert alerts.forget_old(now + timedelta(minutes=2)) == 2
    assert not Delivery.objects.exists()


def test_what_is_still_on_its_way_stays(hook: Hook, now: datetime) -> None:
    held = channel("webhook", hook.url, now)
    raised("a", now - LONG)
    keeping.disable(held, act(now))
    assert alerts.forget_old(now) == 0
    alerts.give_up(now)
    assert alerts.forget_old(now) == 1


def test_the_worker_does_it_at_night(hook: Hook) -> None:
    now = timezone.now()
    raised("old", now - LONG)
    raised("new", now)
    tasks.maintain_partitions()
    assert keys() == ["new"]


def test_metrics_count_what_is_open_and_what_ended_within_a_day(client: Client, hook: Hook) -> None:
    now = timezone.now()
    held = channel("webhook", hook.url, now)
    for hours in (30, 1):
        raised(f"sent {hours}", now - timedelta(hours=hours))
    emptied(now)
    keeping.disable(held, act(now))
    for hours in (40, 2):
        raised(f"waiting {hours}", now - timedelta(hours=hours))
    text = client.get("/metrics").text
    assert 'farthing_alert_deliveries{channel="webhook",outcome="sent"} 1.0' in text
    assert 'farthing_alert_deliveries{channel="webhook",outcome="waiting"} 2.0' in text


def test_counting_reads_no_more_than_an_index_leads_to(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now)
    raised("a", now)
    with CaptureQueriesContext(connection) as asked:
        assert log.by_outcome(now) == {("webhook", "waiting"): 1}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row for (row,) in cursor.fetchall())
            assert "Seq Scan on alert" not in plan, plan
