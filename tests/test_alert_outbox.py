"""The outbox: everything is told, once, in order, whoever dies and whatever is away."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import telling
from django.db import transaction
from telling import Hook, Mails, budget, channel, emptied, raised
from telling import hook as hook
from telling import mails as mails

from finops import alerts
from finops.alerts import claiming
from finops.channels import send
from finops.models import Alert, Channel, Delivery, DeliveryAttempt, Recipient

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_an_alert_is_told_once_to_each_channel_and_never_again(
    hook: Hook, mails: Mails, now: datetime
) -> None:
    channel("webhook", hook.url, now)
    channel("email", "ann@example.org, bob@example.org", now)
    raised("a", now)
    again = alerts.raise_alert(
        key="a", kind="budget_actual", severity="warning", title="", facts={}, now=now
    )
    assert again is None
    assert len(emptied(now)) == 3
    assert emptied(now + timedelta(hours=1)) == []
    assert len(hook.bodies) == 1
    assert sorted(mails.recipients) == ["ann@example.org", "bob@example.org"]
    assert set(states()) == {"sent"}


def test_what_the_caller_takes_back_was_never_raised(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now)
    with transaction.atomic():
        raised("a", now)
        transaction.set_rollback(True)
    assert emptied(now) == []
    assert not Alert.objects.exists()


def test_a_killed_worker_s_message_is_sent_again_as_the_same_one(
    hook: Hook, mails: Mails, now: datetime
) -> None:
    channel("webhook", hook.url, now)
    channel("email", "ann@example.org", now)
    raised("a", now)
    for each in claiming.claim(now):  # and then it dies: nothing is recorded
        send(each.message, each.target)
    assert emptied(now + timedelta(minutes=1)) == [], "its lease holds"
    assert len(emptied(now + claiming.LEASE)) == 2
    assert len({each["idempotency-key"] for each in hook.headers}) == 1
    assert len({each["webhook-id"] for each in hook.headers}) == 1
    assert len(hook.bodies) == 2
    assert len(mails.received) == 2
    assert len(set(mails.header("Message-ID"))) == 1
    outcomes = DeliveryAttempt.objects.order_by("pk").values_list("outcome", flat=True)
    assert sorted(outcomes) == ["sent", "sent", "started", "started"]


def test_ten_minutes_without_servers_lose_nothing_and_keep_the_order(
    settings: Any, now: datetime
) -> None:
    settings.ALLOWED_PRIVATE_ADDRESSES = telling.LOOPBACK
    port, mail_port = telling.free_port(), telling.free_port()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_port
    url = f"http://127.0.0.1:{port}/services/T/B/secret-secret"
    channel("slack", url, now, storm_after=100)
    channel("email", "ann@example.org", now, storm_after=100)
    channel("email", "bob@example.org", now, storm_after=100)
    for number in range(6):
        raised(f"a{number}", now + timedelta(minutes=number), title=f"number {number}")
    away = now
    while away < now + timedelta(minutes=10):
        outcomes = emptied(away)
        assert all(each.result == "later" for each in outcomes)
        away += timedelta(seconds=30)
    attempts = DeliveryAttempt.objects.count()
    assert attempts < 50, "nobody is helped by hammering"
    mails, back = Mails(), away
    with telling.hook_server(port) as hook, telling.mail_server(settings, mails, mail_port):
        while back < away + timedelta(minutes=3):
            emptied(back)
            back += timedelta(seconds=5)
    assert [f"number {n}" in str(each) for n, each in enumerate(hook.json)] == [True] * 6
    for address in ("ann@example.org", "bob@example.org"):
        told = [each for each in mails.received if each["To"] == address]
        texts = [each.get_body(("plain",)).get_content() for each in told]  # type: ignore[union-attr]
        assert [f"number {n}" in text for n, text in enumerate(texts)] == [True] * 6
    assert set(states()) == {"sent"}


def test_retry_after_is_honoured(hook: Hook, now: datetime) -> None:
    channel("slack", hook.url, now)
    hook.answers = [(429, {"Retry-After": "90"}, b"rate_limited")]
    raised("a", now)
    assert emptied(now)[0].status == 429
    assert emptied(now + timedelta(seconds=89)) == []
    assert emptied(now + timedelta(seconds=90))[0].result == "sent"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_dead_webhook_is_disabled_and_the_others_say_so(
    hook: Hook, mails: Mails, now: datetime, status: int
) -> None:
    dead = channel("slack", hook.url, now, name="#costs")
    channel("email", "ann@example.org", now)
    hook.usual = (status, {}, b"channel_is_archived")
    raised("a", now)
    emptied(now)
    emptied(now + timedelta(seconds=5))
    dead.refresh_from_db()
    assert dead.disabled_at == now
    assert str(status) in dead.disabled_why
    told = Alert.objects.get(kind="channel_stopped")
    assert "#costs" in told.title
    assert "very-secret" not in told.title + str(told.facts)
    assert len(hook.bodies) == 1, "not asked again"
    assert any("#costs" in subject for subject in mails.header("Subject"))
    # What waited is sent once somebody has mended it.
    hook.usual = (200, {}, b"ok")
    telling.keeping.enable(dead, telling.act(now))
    emptied(now + timedelta(minutes=5))
    assert "Support has spent" in str(hook.json[-1])


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_receiver_that_is_renewed_loses_nothing(hook: Hook, now: datetime, status: int) -> None:
    held = channel("webhook", hook.url, now)
    hook.answers = [(status, {}, b"no such route")]
    raised("a", now)
    assert emptied(now)[0].result == "later"
    held.refresh_from_db()
    assert held.disabled_at is None
    assert emptied(now + timedelta(minutes=5))[0].result == "sent"


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(hook: Hook, now: datetime) -> None:
    held = channel("webhook", hook.url, now)
    hook.usual = (410, {}, b"gone")
    raised("a", now)
    assert emptied(now)[0].result == "gone"
    held.refresh_from_db()
    assert held.disabled_at == now


def test_a_refused_mailbox_stops_alone(mails: Mails, now: datetime) -> None:
    held = channel("email", "ann@example.org gone@example.org later@example.org", now)
    mails.refuses = {
        "gone@example.org": "550 no such user gone@example.org",
        "later@example.org": "451 try again later",
    }
    raised("a", now)
    emptied(now)
    held.refresh_from_db()
    assert held.disabled_at is None
    gone = Recipient.objects.get(address="gone@example.org")
    assert gone.stopped_why == "refused"
    attempt = DeliveryAttempt.objects.get(delivery__recipient=gone)
    assert (attempt.outcome, attempt.status) == ("gone", 550)
    assert "gone@" not in attempt.detail
    mails.refuses = {}
    emptied(now + timedelta(minutes=1))
    assert mails.recipients.count("later@example.org") == 2  # the alert, and that one was refused
    assert "gone@example.org" not in mails.recipients


def test_a_message_that_is_refused_fails_and_the_next_one_goes_out(
    hook: Hook, now: datetime
) -> None:
    channel("slack", hook.url, now)
    hook.answers = [(400, {}, b"invalid_payload")]
    raised("a", now)
    raised("b", now)
    emptied(now)
    emptied(now + timedelta(seconds=5))
    assert states() == ["failed", "sent"]
    assert Channel.objects.get().disabled_at is None


def test_what_cannot_be_delivered_for_days_is_given_up(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now)
    hook.usual = (500, {}, b"")
    raised("a", now)
    emptied(now)
    emptied(now + timedelta(days=3, minutes=1))
    assert states() == ["failed"]
    assert "given up after 3 days" in Delivery.objects.get().detail


def test_what_nobody_wants_or_mends_does_not_wait_for_ever(hook: Hook, now: datetime) -> None:
    stopped, removed = channel("webhook", hook.url, now), channel("webhook", hook.url, now)
    raised("a", now)
    telling.keeping.disable(stopped, telling.act(now))
    telling.keeping.remove(removed, telling.act(now))
    assert alerts.give_up(now) == 1
    assert alerts.give_up(now + timedelta(days=3)) == 0
    assert alerts.give_up(now + timedelta(days=3, seconds=1)) == 1
    assert states() == ["failed", "cancelled"]
    assert hook.bodies == []


def test_budget_and_channel_may_go_and_the_log_stays(hook: Hook, now: datetime) -> None:
    held, of = channel("webhook", hook.url, now), budget(now)
    raised("a", now, budget=of)
    emptied(now)
    of.delete()
    telling.keeping.remove(held, telling.act(now))
    held.refresh_from_db()
    assert bytes(held.secret) == b""
    assert Alert.objects.get(key="a").budget is None
    assert states() == ["sent"]


def test_without_a_mail_server_the_log_of_the_worker_names_each_file(
    settings: Any, tmp_path: Path, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND, settings.OUTBOX_DIR = "finops.mail.Outbox", tmp_path
    channel("email", "ann@example.org", now)
    raised("a", now)
    emptied(now)
    [held] = tmp_path.iterdir()
    named = [each.levelname for each in caplog.records if str(held) in each.getMessage()]
    assert named == ["WARNING"], "it is silent about less"
