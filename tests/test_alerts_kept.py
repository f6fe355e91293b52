"""What must not silence an alert, double it or let it follow its time: each was found so once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from telling import Hook, Mails, act, budget, channel, emptied, facts, raised
from telling import hook as hook
from telling import mails as mails

from finops import alerts
from finops.alerts import outbox
from finops.channels import keeping, other, unsubscribing
from finops.conninfo import conninfo
from finops.models import Alert, Budget, Channel, Crossing, Delivery, Recipient

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_an_acknowledged_threshold_is_news_under_another_amount(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now)
    user = User.objects.create_user("grace")
    alerts.acknowledge(raised("1", now), by=user, now=now)
    raised("2", now)
    raised("3", now, facts=facts(now, amount="2000"))
    emptied(now)
    assert [each["alerts"][0]["facts"]["amount"] for each in hook.json] == ["2000"]


def test_an_acknowledged_threshold_is_news_of_other_usage(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now)
    made, user = budget(now - timedelta(days=1)), User.objects.create_user("grace")
    alerts.acknowledge(raised("1", now, budget=made), by=user, now=now)
    raised("2", now, budget=made)
    made.changed_at = now + timedelta(seconds=1)
    raised("3", now, budget=made)
    assert states() == ["cancelled", "cancelled", "waiting"]


def test_nobody_is_reminded_of_figures_that_are_fresh_again(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now, repeat_hours=1)
    raised("1", now, kind="pipeline_stale", severity="critical", facts={}, thread="pipeline-1")
    emptied(now)
    raised("2", now, kind="pipeline_recovered", severity="note", facts={}, thread="pipeline-1")
    assert alerts.remind(now + timedelta(hours=2)) == 0
    Alert.objects.filter(key="2").delete()
    assert alerts.remind(now + timedelta(hours=2)) == 1


def test_what_was_snoozed_for_a_week_is_tried_as_long_as_anything(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now)
    user, later = User.objects.create_user("grace"), now + timedelta(days=7)
    alerts.snooze(raised("1", now), later, by=user, now=now)
    emptied(now)
    hook.answers = [(503, {}, b"")]
    emptied(later + timedelta(seconds=1))
    alerts.give_up(later + timedelta(seconds=1))
    emptied(later + timedelta(minutes=5))
    assert states() == ["sent"]


def test_a_storm_that_comes_one_by_one_is_a_storm_too(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now, storm_after=3)
    for number in range(40):
        at = now + timedelta(seconds=3 * number)
        raised(str(number), at, thread=str(number))
        emptied(at)
    emptied(now + timedelta(minutes=4))
    assert len(hook.bodies) <= 3 + 3
    assert sum(len(each["alerts"]) for each in hook.json) == 40


def test_messages_beside_one_that_cannot_be_recorded_are_recorded(
    hook: Hook, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        channel("webhook", hook.url, now)
    raised("1", now)
    record, calls = outbox.record, []

    def failing(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 1:
            raise OperationalError("deadlock detected")
        record(*given)

    monkeypatch.setattr(outbox, "record", failing)
    with pytest.raises(OperationalError):
        emptied(now)
    assert sorted(states()) == ["sending", "sent", "sent", "sent"]


def test_an_owner_who_is_refused_does_not_end_the_channel_for_others(
    mails: Mails, now: Any
) -> None:
    made = channel("email", "", now, to_owner=True)
    gone, ann = (User.objects.create_user(name, f"{name}@example.org") for name in ("bo", "ann"))
    mails.refuses["bo@example.org"] = "550 no such mailbox"
    raised("1", now, budget=budget(now, "A", owner=gone))
    emptied(now)
    assert Channel.objects.get(pk=made.pk).disabled_at is None
    raised("2", now, budget=budget(now, "B", owner=ann), thread="b")
    emptied(now)
    assert mails.recipients == ["ann@example.org"]


def test_an_owner_who_was_taken_off_the_list_is_told_as_the_owner(mails: Mails, now: Any) -> None:
    ann = User.objects.create_user("ann", "ann@example.org")
    made = channel("email", "ann@example.org x@example.org", now, to_owner=True)
    keeping.change(
        made, keeping.Terms(made.name, "email", "x@example.org", to_owner=True), act(now)
    )
    raised("1", now, budget=budget(now, owner=ann))
    emptied(now)
    assert sorted(mails.recipients) == ["ann@example.org", "x@example.org"]


def test_nobody_is_reminded_of_a_period_that_is_over(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now, repeat_hours=4)
    told = facts(now, period_start="2026-10-15", period_end="2026-10-16")
    raised("1", now, severity="critical", facts=told)
    emptied(now)
    midnight = now.replace(hour=0) + timedelta(days=1)
    assert alerts.remind(midnight) == 0
    assert alerts.remind(midnight - timedelta(seconds=1)) == 1


def test_no_option_is_hidden_behind_a_semicolon() -> None:
    assert "option" in other.problem("workflows://h.example.com/w/s?to=a;template=/etc/hosts")


def test_who_unsubscribes_while_refused_stays_so(mails: Mails, now: Any) -> None:
    made = channel("email", "ann@example.org x@example.org", now)
    held = Recipient.objects.get(address="ann@example.org")
    Recipient.objects.filter(pk=held.pk).update(stopped_at=now, stopped_why="refused")
    assert unsubscribing.unsubscribe(held, at=now)
    keeping.enable(made, act(now))
    held.refresh_from_db()
    assert held.stopped_why == "unsubscribed"


def test_what_cannot_be_written_holds_up_nothing_behind_it(hook: Hook, now: Any) -> None:
    channel("slack", hook.url, now)
    raised("1", now, facts={"groups": [{"dimension": "team", "rows": [{}]}]})
    raised("2", now)
    emptied(now)
    emptied(now + timedelta(seconds=2))
    assert states() == ["failed", "sent"]


@pytest.mark.django_db(transaction=True)
def test_acknowledging_does_not_wait_for_who_sends(hook: Hook, now: Any) -> None:
    channel("webhook", hook.url, now)
    channel("webhook", hook.url, now)
    made, user = raised("1", now), User.objects.create_user("grace")
    with psycopg.connect(conninfo()) as sender:
        sender.execute("SELECT FROM alert_delivery ORDER BY id LIMIT 1 FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        assert alerts.acknowledge(made, by=user, now=now)
        assert states() == ["waiting", "cancelled"]
    emptied(now)
    assert states() == ["cancelled", "cancelled"]
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")


@pytest.mark.parametrize("said", ["554 5.7.1 Relay access denied", "530 Authentication required"])
def test_a_server_that_is_set_up_wrongly_ends_no_mailbox(mails: Mails, now: Any, said: str) -> None:
    channel("email", "ann@example.org", now)
    mails.refuses["ann@example.org"] = said
    raised("1", now)
    emptied(now)
    mails.refuses = {}
    emptied(now + timedelta(minutes=3))
    assert states() == ["sent"]


def test_a_webhook_whose_key_is_lost_says_what_to_do(settings: Any, hook: Hook, now: Any) -> None:
    made = channel("webhook", hook.url, now)
    settings.SECRET_KEY = "another"
    terms = keeping.Terms(made.name, "webhook", hook.url)
    with pytest.raises(ValidationError, match="Remove this channel and add it again"):
        keeping.change(made, terms, act(now))


def test_nobody_is_reminded_of_a_threshold_that_is_armed_anew_or_of_a_deleted_budget(
    hook: Hook, now: Any
) -> None:
    channel("webhook", hook.url, now, repeat_hours=1)
    raised("0", now, severity="critical", budget=None)
    deleted, lifted, held = (budget(now, name) for name in ("deleted", "lifted", "held"))
    for of in (deleted, lifted, held):
        raised(of.name, now, severity="critical", budget=of, thread=of.name)
        Crossing.objects.create(
            budget=of, basis="actual", period_start=now.date(), actual=1000, is_told=True,
            crossed_at=now, crossed_on=now.date(), alert_key=of.name,
        )  # fmt: skip
    emptied(now)
    Budget.objects.filter(pk=deleted.pk).update(removed_at=now)
    lifted.crossings.update(rearmed_at=now)
    assert alerts.remind(now + timedelta(hours=2)) == 2
    reminded = Delivery.objects.filter(turn=1).order_by("pk").values_list("alert__key", flat=True)
    assert list(reminded) == ["0", "held"]
