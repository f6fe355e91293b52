"""What comes while a channel, or one address of it, is stopped: it waits, and is not lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import telling
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from telling import Hook, Mails, act, channel, emptied, raised
from telling import hook as hook
from telling import mails as mails

from finops import alerts
from finops.channels import keeping
from finops.models import Alert, Channel, Delivery, DeliveryAttempt, Recipient

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_what_comes_while_a_channel_is_disabled_is_sent_when_it_is_enabled(
    hook: Hook, now: datetime
) -> None:
    held = channel("webhook", hook.url, now)
    keeping.disable(held, act(now))
    for number in range(12):
        raised(str(number), now + timedelta(hours=number), title=f"number {number}")
    later = now + timedelta(hours=20)
    assert emptied(later) == []
    keeping.enable(held, act(later))
    emptied(later)
    [digest] = hook.json
    assert [each["title"] for each in digest["alerts"]] == [f"number {n}" for n in range(12)]
    assert set(states()) == {"sent"}


def test_what_comes_while_an_address_is_refused_is_sent_there_when_it_is_tried_again(
    mails: Mails, now: datetime
) -> None:
    held = channel("email", "ann@example.org bob@example.org", now)
    mails.refuses["bob@example.org"] = "550 no such mailbox"
    raised("a", now)
    emptied(now)
    raised("b", now + timedelta(hours=1))
    emptied(now + timedelta(hours=1))
    assert "bob@example.org" not in mails.recipients
    later = now + timedelta(hours=2)
    mails.refuses = {}
    keeping.enable(held, act(later))
    emptied(later)
    assert mails.recipients.count("bob@example.org") == 2, "and not that he was refused"
    assert set(states()) == {"sent"}


def test_what_waits_for_a_stopped_owner_or_person_is_kept_and_what_nobody_wants_is_not(
    mails: Mails, now: datetime
) -> None:
    channel("email", "", now, to_owner=True)
    ann = User.objects.create_user("ann", "ann@example.org")
    own = telling.budget(now, owner=ann)
    for why in ("", "refused", "unsubscribed"):
        Recipient.objects.update(stopped_at=now if why else None, stopped_why=why)
        raised(f"owner {why}", now, budget=own)
        raised(f"person {why}", now, answers=ann)
    counts = [each.deliveries.count() for each in Alert.objects.order_by("pk")]
    assert counts == [1, 1, 1, 1, 0, 0]


def test_what_waited_for_three_days_is_given_up_and_the_log_says_so(
    signed_in: Client, hook: Hook
) -> None:
    began = timezone.now()
    held = channel("webhook", hook.url, began)
    keeping.disable(held, act(began))
    waiting = raised("a", began)
    assert "unless it is enabled" in signed_in.get(f"/alerts/{waiting.pk}").text
    later = began + timedelta(days=3, seconds=1)
    raised("b", later)
    assert alerts.give_up(later) == 1
    assert "given up after 3 days" in signed_in.get(f"/alerts/{waiting.pk}").text
    keeping.enable(held, act(later))
    emptied(later)
    assert states() == ["failed", "sent"]


def test_what_a_killed_worker_was_sending_to_somebody_stopped_is_given_up(
    hook: Hook, now: datetime
) -> None:
    held = channel("webhook", hook.url, now)
    raised("a", now)
    Delivery.objects.update(state="sending", message_id="alert-1-1")
    Recipient.objects.update(leased_until=now + timedelta(minutes=3))
    keeping.disable(held, act(now))
    assert alerts.give_up(now + timedelta(days=3, minutes=1)) == 1
    assert states() == ["failed"]


def test_a_test_of_what_is_stopped_does_not_come_later(mails: Mails, now: datetime) -> None:
    held = channel("email", "ann@example.org bob@example.org", now)
    bob = Recipient.objects.filter(address="bob@example.org")
    bob.update(stopped_at=now, stopped_why="refused")
    for kind in ("test", "summary"):
        alerts.raise_to(held, key=kind, kind=kind, severity="info", title=kind, facts={}, now=now)
    counts = {each.key: each.deliveries.count() for each in Alert.objects.all()}
    assert counts == {"test": 1, "summary": 2}
    assert not DeliveryAttempt.objects.exists()
    assert Channel.objects.get().disabled_at is None
