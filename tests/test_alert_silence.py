"""Silence is announced: who was told an alert hears who takes care of it, or until when it is
quiet; and what is critical is silenced only by who decides on budgets."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
import telling
from desks import reader
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from telling import Hook, Mails, channel, emptied, raised
from telling import hook as hook
from telling import mails as mails

from finops import alerts
from finops.alerts import answering
from finops.models import Account, Alert, AuditRecord, Delivery, Snooze

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(db: None) -> User:
    user = User.objects.create_user("eve")
    Account.objects.create(user=user, role="engineer")
    return user


def titles(hook: Hook) -> list[str]:
    return [each["title"] for sent in hook.json for each in sent["alerts"]]


def test_an_acknowledgement_is_told_to_those_who_were_told_the_alert(
    hook: Hook, mails: Mails, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now)
    channel("email", "ann@example.org", now, least_severity="warning")
    channel("email", "cfo@example.org", now, least_severity="critical")
    held = raised("a", now)
    emptied(now)
    alerts.acknowledge(held, by=administrator, now=now, reason="A load test, ends at noon")
    assert not alerts.acknowledge(held, by=administrator, now=now)
    emptied(now)
    assert titles(hook)[1:] == ["ada takes care of: Support has spent 81.2 % of $1,000"]
    [note] = hook.json[1]["alerts"]
    assert (note["kind"], note["severity"], note["thread"]) == ("answer", "note", held.thread)
    assert note["facts"]["reason"] == "A load test, ends at noon"
    assert note["url"] == f"{telling.SITE}/alerts/{held.pk}"
    assert mails.recipients == ["ann@example.org"] * 2
    first, second = mails.received
    assert second["In-Reply-To"] == first["Message-ID"]
    assert "A load test, ends at noon" in second.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert AuditRecord.objects.get(action="alert.acknowledge").reason == "A load test, ends at noon"


def test_who_was_told_nothing_yet_hears_of_no_answer(
    hook: Hook, mails: Mails, now: datetime, administrator: User
) -> None:
    night = now.replace(hour=23)
    channel("webhook", hook.url, now)
    channel("email", "ann@example.org", now, quiet_from=time(22), quiet_until=time(7))
    held = raised("a", night)
    emptied(night)
    alerts.acknowledge(held, by=administrator, now=night)
    emptied(night + timedelta(hours=12))
    assert len(hook.bodies) == 2
    assert mails.received == []
    untold = raised("b", night, thread="b")
    alerts.acknowledge(untold, by=administrator, now=night)
    assert not Alert.objects.filter(kind="answer", thread="b").exists(), "the log has it anyway"


def test_a_note_waits_for_the_end_of_quiet_hours_and_counts_in_a_storm(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now, quiet_from=time(22), quiet_until=time(7), storm_after=3)
    evening = now.replace(hour=21, minute=59)
    held = [raised(str(n), evening, thread=str(n), title=f"number {n}") for n in range(3)]
    emptied(evening)
    night = evening + timedelta(minutes=5)
    for each in held:
        alerts.acknowledge(each, by=administrator, now=night)
    raised("3", night, thread="3", title="number 3")
    emptied(night)
    assert len(hook.bodies) == 3
    emptied(night + timedelta(hours=9))
    assert len(hook.bodies) == 4
    assert len(hook.json[3]["alerts"]) == 4


def test_a_snooze_is_told_at_once_with_its_end_and_its_reason(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now)
    held = raised("a", now)
    emptied(now)
    until = now + timedelta(hours=4)
    alerts.snooze(held, until, by=administrator, now=now, reason="Known")
    raised("b", now, severity="critical")
    emptied(now)
    assert titles(hook)[1:] == [
        "ada has snoozed this until 15 Oct, 16:00 UTC: Support has spent 81.2 % of $1,000"
    ]
    assert hook.json[1]["alerts"][0]["facts"]["reason"] == "Known"
    emptied(until)
    assert len(hook.bodies) == 3


def test_a_snooze_by_who_does_not_manage_budgets_lets_critical_alerts_pass(
    hook: Hook, now: datetime, engineer: User
) -> None:
    channel("webhook", hook.url, now, repeat_hours=1)
    held = raised("a", now)
    emptied(now)
    alerts.snooze(held, now + timedelta(hours=4), by=engineer, now=now)
    raised("b", now)
    raised("c", now, severity="critical", title="All is spent")
    emptied(now)
    assert titles(hook)[2:] == ["All is spent"]
    assert (
        "eve has snoozed this until 15 Oct, 16:00 UTC, but for what is critical" in titles(hook)[1]
    )
    later = now + timedelta(hours=2)
    assert alerts.remind(later) == 1
    emptied(later)
    assert titles(hook)[3:] == ["All is spent"]
    assert Delivery.objects.get(alert__key="b").detail == "snoozed"


def test_what_a_snooze_held_goes_by_the_one_that_takes_its_place(
    hook: Hook, now: datetime, administrator: User, engineer: User
) -> None:
    channel("webhook", hook.url, now)
    held = raised("a", now)
    alerts.snooze(held, now + timedelta(days=7), by=administrator, now=now)
    raised("b", now, severity="critical")
    emptied(now)
    assert hook.bodies == []
    alerts.snooze(held, now + timedelta(hours=1), by=engineer, now=now)
    emptied(now)
    assert [each["alerts"][0]["severity"] for each in hook.json] == ["critical"]
    emptied(now + timedelta(hours=1))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_the_team_that_had_a_budget_before_hears_of_no_silence(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now, teams=("search",))
    raised("a", now, team="search")
    emptied(now)
    moved = raised("b", now, team="ads")
    alerts.snooze(moved, now + timedelta(hours=1), by=administrator, now=now)
    emptied(now)
    assert len(hook.bodies) == 1


def test_an_answer_cannot_be_answered_and_is_nothing_open(
    hook: Hook, signed_in: Client, administrator: User
) -> None:
    now = timezone.now()
    channel("webhook", hook.url, now)
    held = raised("a", now)
    emptied(now)
    alerts.acknowledge(held, by=administrator, now=now)
    note = Alert.objects.get(kind="answer")
    assert "ada takes care of" not in signed_in.get("/alerts?state=open").text
    assert "ada takes care of" in signed_in.get(f"/alerts/{held.pk}").text, "its conversation"
    assert 'id="acknowledge"' not in signed_in.get(f"/alerts/{note.pk}").text
    for verb in ("acknowledge", "snooze"):
        said = signed_in.post(f"/alerts/{note.pk}/{verb}", {"hours": "1"}, follow=True).text
        assert "There is nothing to take care of in this one." in said
    assert Alert.objects.count() == 2


@pytest.mark.parametrize("reason", ["x" * 201, "a\0b"], ids=["long", "no text"])
def test_a_reason_is_plain_text_of_some_length(signed_in: Client, reason: str) -> None:
    held = raised("a", timezone.now())
    for verb in ("acknowledge", "snooze"):
        given = {"hours": "1", "reason": reason}
        said = signed_in.post(f"/alerts/{held.pk}/{verb}", given, follow=True).text
        assert f"at most {answering.LONGEST_REASON} characters of plain text" in said
    held.refresh_from_db()
    assert held.acknowledged_at is None
    assert not Snooze.objects.exists()


def test_the_page_says_who_silenced_it_why_and_for_what(hook: Hook, signed_in: Client) -> None:
    held = raised("a", timezone.now(), team="search")
    engineer = reader("engineer", "search")
    path, given = f"/alerts/{held.pk}", {"hours": "4", "reason": "Load test"}
    said: Any = engineer.post(f"{path}/snooze", given, follow=True).text
    assert "Nothing but what is critical of this conversation is sent before" in said
    assert "by engineer-search: Load test" in said
    assert "Critical alerts are sent all the same." in said
    said = signed_in.post(f"{path}/acknowledge", {"reason": "I look at it"}, follow=True).text
    assert "who was told hears so" in said
    assert ": I look at it</dd>" in said
    signed_in.post(f"{path}/snooze", {"hours": "1"})
    assert "Critical alerts are sent all the same." not in signed_in.get(path).text
    answer = signed_in.get(f"/api/v1/alerts/{held.pk}").json()
    assert answer["acknowledged_reason"] == "I look at it"
