"""Limits and retention: decided on the Settings desk, shown there, and obeyed by the night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from desks import reader
from django.test import Client

from finops import formats, intake, tasks
from finops.models import AuditRecord, CardinalityOverflow, RejectedExample, Setting
from finops.organisation import limits, retention
from ingest import partitions
from ingest.cardinality import DEFAULT_LIMITS
from ingest.decisions import DEFAULTS, LIMITS, RETENTION, Decisions
from tests import usage

pytestmark = pytest.mark.django_db

DESK_OF_LIMITS, DESK_OF_RETENTION = "/settings/limits", "/settings/retention"


@pytest.mark.parametrize("stored", [None, [], "many", {"feature": "x"}, {"feature": True}, -3])
def test_nonsense_in_the_table_leaves_the_defaults(stored: Any) -> None:
    assert Decisions.of([(LIMITS, stored), (RETENTION, stored), ("other", 1)]) == DEFAULTS


def test_the_desks_show_the_limit_in_force(signed_in: Client) -> None:
    usage.record([usage.event(datetime.now(UTC))], now=datetime.now(UTC))
    response = signed_in.post(DESK_OF_LIMITS, {"feature": "1234", "user": ""}, follow=True)
    assert "Feature: 1,234. This holds for new values" in response.text
    assert 'value="1234"' in response.text
    assert '<td class="number">1,234</td>' in signed_in.get("/ingest").text
    assert "1,234" in reader("finance").get(DESK_OF_LIMITS).text
    [record] = AuditRecord.objects.filter(action="settings.change")
    assert (record.before, record.after) == ({"feature": 500}, {"feature": 1234})
    signed_in.post(DESK_OF_LIMITS, {})
    assert limits.in_force() == DEFAULT_LIMITS
    assert not Setting.objects.exists()


def test_a_limit_below_the_known_values_says_that_new_ones_overflow(signed_in: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, feature=f"f{number}") for number in range(12)], now=now)
    lowered = signed_in.post(DESK_OF_LIMITS, {"feature": "10", "team": "20"}, follow=True).text
    assert "Feature: as many values are known already or more. Those stay" in lowered
    roomy = signed_in.post(DESK_OF_LIMITS, {"feature": "20"}, follow=True).text
    assert "Those stay" not in roomy


def test_every_wrong_limit_is_told_beside_its_field(signed_in: Client) -> None:
    given = {"feature": "9", "team": "1e3", "user": "999", "tag": "500", "combinations": "300000"}
    response = signed_in.post(DESK_OF_LIMITS, given)
    assert response.status_code == 400
    assert response.text.count('class="errorlist"') == 4
    assert "from 1,000 to 200,000" in response.text
    assert "Write a whole number, or nothing for the default." in response.text
    assert 'value="500"' in response.text
    assert not Setting.objects.exists()


@pytest.fixture
def old_usage() -> datetime:
    now = datetime.now(UTC)
    ages = (1, 20, 20, 21)
    usage.record([usage.event(now - timedelta(days=age)) for age in ages], now=now)
    return now


def test_what_would_be_dropped_is_confirmed_by_typing_it(
    signed_in: Client, old_usage: datetime
) -> None:
    asked = signed_in.post(DESK_OF_RETENTION, {"days": "10"})
    assert asked.status_code == 200
    assert "3 requests of 2 days" in asked.text
    kept_from = (old_usage + timedelta(days=1)).date() - timedelta(days=10)
    assert (
        f"through {formats.day(kept_from - timedelta(days=1), old_usage.date())} are" in asked.text
    )
    assert not Setting.objects.exists()
    wrong = signed_in.post(DESK_OF_RETENTION, {"days": "10", "confirm": "yes"})
    assert wrong.status_code == 400
    assert "Type: drop 2 days" in wrong.text
    done = signed_in.post(
        DESK_OF_RETENTION, {"days": "10", "confirm": " drop 2 days "}, follow=True
    )
    assert "Single events are kept for 10 days." in done.text
    assert retention.in_force(400) == 10
    [record] = AuditRecord.objects.filter(action="settings.change")
    assert (record.before, record.after) == ({"days": None}, {"days": 10})


def test_what_drops_nothing_needs_no_word(signed_in: Client, old_usage: datetime) -> None:
    signed_in.post(DESK_OF_RETENTION, {"days": "300"})
    assert retention.in_force(400) == 300
    assert retention.in_force(200) == 200
    assert "300 days" in reader("finance").get(DESK_OF_RETENTION).text
    signed_in.post(DESK_OF_RETENTION, {"days": ""})
    assert not Setting.objects.exists()


@pytest.mark.parametrize("days", ["0", "401", "-1", "ten", "1.5"])
def test_days_are_a_number_that_the_environment_allows(signed_in: Client, days: str) -> None:
    response = signed_in.post(DESK_OF_RETENTION, {"days": days})
    assert response.status_code == 400
    assert 'aria-invalid="true"' in response.text


def test_the_night_drops_by_the_smaller_of_both_and_forgets_old_notes(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    kept: list[int] = []
    monkeypatch.setattr(partitions, "maintain", lambda _, __, days: kept.append(days) or [])
    settings.EVENT_RETENTION_DAYS = 400
    tasks.maintain_partitions()
    Setting.objects.create(name=RETENTION, value=90, changed_at=datetime.now(UTC))
    tasks.maintain_partitions()
    settings.EVENT_RETENTION_DAYS = 30
    tasks.maintain_partitions()
    assert kept == [400, 90, 30]


def test_old_examples_and_overflows_go_also_where_nothing_new_comes() -> None:
    now = datetime.now(UTC)
    RejectedExample.objects.all().delete()
    CardinalityOverflow.objects.all().delete()
    for age in (6, 8):
        at = now - timedelta(days=age)
        RejectedExample.objects.create(key_id=1, received_at=at, reason=f"{age}", shape={})
    for age in (29, 31):
        at = now - timedelta(days=age)
        CardinalityOverflow.objects.create(
            dimension=uuid4().hex, team="", first_at=at, last_at=at, times=age, examples={}
        )
    intake.forget_old(now)
    assert [each.reason for each in RejectedExample.objects.all()] == ["6"]
    assert [each.times for each in CardinalityOverflow.objects.all()] == [29]
