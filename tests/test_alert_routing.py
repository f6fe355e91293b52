"""Who is told of what, and when not: routing, quiet hours, storms, snooze, acknowledgement."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import telling
from django.contrib.auth.models import User
from telling import Hook, budget, channel, emptied, raised
from telling import hook as hook

from finops import alerts
from finops.alerts.answering import NotPossible
from finops.alerts.quiet import quiet_end, wait_after
from finops.models import Alert, Delivery, Recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann", "Ann@Example.org")


def told(of: Alert) -> set[str]:
    found = Delivery.objects.filter(alert=of).select_related("recipient__channel")
    return {each.recipient.address or each.recipient.channel.name for each in found}


def test_severity_team_topic_and_owner_decide(hook: Hook, now: datetime, ann: User) -> None:
    channel("webhook", hook.url, now, name="all")
    channel("webhook", hook.url, now, name="critical", least_severity="critical")
    channel("webhook", hook.url, now, name="search", teams=("search",))
    channel("webhook", hook.url, now, name="machine", topics=("operation",))
    channel("webhook", hook.url, now, name="of-ann", owners=(ann.pk,))
    own = budget(now, owner=ann)
    assert told(raised("1", now)) == {"all"}
    assert told(raised("2", now, severity="critical")) == {"all", "critical"}
    assert told(raised("3", now, team="search")) == {"all", "search"}
    assert told(raised("4", now, kind="pipeline_stale")) == {"all", "machine"}
    assert told(raised("5", now, budget=own)) == {"all", "of-ann"}
    assert told(raised("6", now, severity="note")) == set()
    recovered = raised("7", now, kind="pipeline_recovered", severity="note")
    assert told(recovered) == {"all", "critical", "machine"}


def test_the_owner_of_a_budget_is_mailed_of_that_budget_alone(now: datetime, ann: User) -> None:
    made = channel("email", "finance@example.org", now, to_owner=True)
    channel("email", "ann@example.org", now, to_owner=True, name="twice")
    own = budget(now, owner=ann)
    first = raised("1", now, budget=own)
    assert Delivery.objects.filter(alert=first).count() == 3
    assert told(raised("2", now)) == {"finance@example.org", "ann@example.org"}
    Recipient.objects.filter(channel=made, is_owner=True).update(stopped_at=now)
    assert Delivery.objects.filter(alert=raised("3", now, budget=own)).count() == 2


@pytest.mark.parametrize(
    ("zone", "start", "end", "at", "until"),
    [
        ("UTC", time(22), time(7), "2026-10-15T23:00Z", "2026-10-16T07:00Z"),
        ("UTC", time(22), time(7), "2026-10-15T06:59Z", "2026-10-15T07:00Z"),
        ("UTC", time(22), time(7), "2026-10-15T07:00Z", None),
        ("UTC", time(12), time(13), "2026-10-15T12:30Z", "2026-10-15T13:00Z"),
        ("UTC", time(12), time(12), "2026-10-15T12:00Z", None),
        ("Asia/Kolkata", time(22), time(7), "2026-10-15T17:00Z", "2026-10-16T01:30Z"),
        # The night in which Berlin's clocks go back an hour, and the one in which they go forward.
        ("Europe/Berlin", time(22), time(7), "2026-10-24T21:00Z", "2026-10-25T06:00Z"),
        ("Europe/Berlin", time(22), time(7), "2026-03-28T22:00Z", "2026-03-29T05:00Z"),
        ("Europe/Berlin", time(1), time(2, 30), "2026-03-29T00:30Z", "2026-03-29T01:30Z"),
        ("Europe/Berlin", time(1), time(2, 30), "2026-10-25T00:15Z", "2026-10-25T00:30Z"),
        ("Europe/Berlin", time(1), time(2, 30), "2026-10-25T01:15Z", "2026-10-25T01:30Z"),
    ],
)
def test_quiet_hours_end_in_their_zone(
    zone: str, start: time, end: time, at: str, until: str | None
) -> None:
    found = quiet_end(start, end, ZoneInfo(zone), datetime.fromisoformat(at).astimezone(UTC))
    assert found == (datetime.fromisoformat(until) if until else None)


def test_quiet_hours_hold_all_but_what_is_critical(hook: Hook, now: datetime) -> None:
    night = now.replace(hour=23)
    channel("webhook", hook.url, now, quiet_from=time(22), quiet_until=time(7))
    raised("1", night)
    raised("2", night, severity="critical", title="Over budget")
    emptied(night)
    assert [each["alerts"][0]["title"] for each in hook.json] == ["Over budget"]
    assert Delivery.objects.get(alert__key="1").detail == "quiet hours"
    emptied(night.replace(hour=6) + timedelta(days=1))
    assert len(hook.json) == 1
    emptied(night.replace(hour=7) + timedelta(days=1))
    assert len(hook.json) == 2


def test_a_storm_is_one_message_that_lists_it(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now, storm_after=3, storm_minutes=10)
    for number in range(50):
        raised(f"a{number}", now, title=f"number {number}", thread="")
    emptied(now)
    [digest] = hook.json
    assert len(digest["alerts"]) == 50
    assert Delivery.objects.filter(state="sent").count() == 50
    raised("late", now)
    emptied(now + timedelta(seconds=1))
    assert len(hook.json) == 2, "what still fits is sent by itself"
    for number in range(3):
        raised(f"b{number}", now)
    emptied(now + timedelta(seconds=2))
    assert len(hook.json) == 2, "the next digest waits a minute"
    emptied(now + timedelta(seconds=61))
    assert len(hook.json[2]["alerts"]) == 3


def test_a_digest_that_was_begun_is_sent_again_as_it_was(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now, storm_after=1)
    raised("a", now)
    raised("b", now)
    hook.answers = [(503, {}, b"")]
    emptied(now)
    raised("c", now)
    emptied(now + timedelta(minutes=5))
    first, second, *rest = hook.json
    assert first["id"] == second["id"]
    assert [each["id"] for each in first["alerts"]] == [each["id"] for each in second["alerts"]]
    assert not rest, "the next digest waits a minute"


def test_acknowledged_alerts_and_their_repeats_are_not_sent(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now)
    first = raised("80 %", now)
    assert alerts.acknowledge(first, by=administrator, now=now)
    assert not alerts.acknowledge(first, by=administrator, now=now)
    raised("80 % again", now)
    news = telling.facts(now, threshold={"basis": "actual", "kind": "percent", "value": "100"})
    raised("100 %", now, facts=news, title="All is spent")
    emptied(now)
    assert [each["alerts"][0]["title"] for each in hook.json] == ["All is spent"]
    again = Delivery.objects.get(alert__key="80 % again")
    assert (again.state, again.detail) == ("cancelled", "acknowledged before, by ada")


def test_one_user_s_acknowledgement_is_not_another_s(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now)
    of = {name: telling.facts(now, value=name, dimension="user") for name in ("ann", "bob")}
    first = raised("ann", now, facts=of["ann"])
    alerts.acknowledge(first, by=administrator, now=now)
    raised("bob", now, facts=of["bob"], title="Bob has spent it")
    raised("ann again", now, facts=of["ann"])
    emptied(now)
    assert [each["alerts"][0]["title"] for each in hook.json] == ["Bob has spent it"]
    assert hook.json[0]["alerts"][0]["thread"] != first.thread


def test_reminders_come_until_somebody_acknowledges(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now, repeat_hours=4)
    first = raised("a", now, severity="critical")
    raised("b", now, severity="warning")
    emptied(now)
    assert alerts.remind(now + timedelta(hours=3, minutes=59)) == 0
    later = now + timedelta(hours=4)
    assert alerts.remind(later) == 1
    assert alerts.remind(later) == 0, "from whatever number of workers"
    emptied(later)
    assert [each["alerts"][0]["reminder"] for each in hook.json] == [0, 0, 1]
    alerts.acknowledge(first, by=administrator, now=later)
    assert alerts.remind(now + timedelta(hours=8)) == 0


def test_what_is_snoozed_waits_and_is_not_lost(
    hook: Hook, now: datetime, administrator: User
) -> None:
    channel("webhook", hook.url, now)
    first = raised("a", now)
    until = now + timedelta(hours=4)
    alerts.snooze(first, until, by=administrator, now=now)
    raised("b", now)
    raised("other", now, thread="budget-8")
    emptied(now)
    assert [each["alerts"][0]["thread"] for each in hook.json] == ["budget-8"]
    emptied(until - timedelta(seconds=1))
    assert len(hook.json) == 1
    emptied(until)
    assert len(hook.json) == 3
    raised("c", until)
    alerts.snooze(first, until + timedelta(hours=1), by=administrator, now=until)
    emptied(until)
    assert len(hook.json) == 4, "who was told hears of the silence, and of nothing else"
    assert alerts.wake(first, by=administrator, now=until)
    emptied(until)
    assert len(hook.json) == 5
    with pytest.raises(NotPossible):
        alerts.snooze(first, now, by=administrator, now=now)


def test_attempts_keep_apart_and_never_come_sooner_than_asked() -> None:
    assert [wait_after(n, None, 0.0) for n in range(1, 8)] == [4, 8, 16, 32, 64, 120, 120]
    assert wait_after(1, None, 1.0) == 2
    assert wait_after(1, 90.0, 1.0) == 90
    assert wait_after(31, None, 0.0) == 600
