"""Four workers that raise and send at once and are killed at random: each alert is told once to
each channel, at most once more for a kill, and none is lost."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
import telling
from django.db import connection
from telling import Hook, Mails, channel
from telling import hook as hook
from telling import mails as mails

from finops import alerts
from finops.alerts.claiming import LEASE, claim
from finops.models import Delivery, DeliveryAttempt

pytestmark = pytest.mark.django_db(transaction=True)

# 200 on four channels hold as well, and take a minute and a half.
CROSSINGS, WORKERS, KILLS = 30, 4, 2
NOW = datetime(2026, 10, 15, 12, 0, tzinfo=UTC)


def begin(now: datetime, seed: int) -> int:
    """A worker in a process of its own, which notices every crossing and sends what is due."""
    child = os.fork()
    if child:
        return child
    try:
        _kept, connection.connection = connection.connection, None
        numbers = list(range(CROSSINGS))
        random.Random(seed).shuffle(numbers)
        for turn in range(0, CROSSINGS, 5):
            for number in numbers[turn : turn + 5]:
                alerts.raise_alert(
                    key=f"crossing-{number}", kind="budget_actual", severity="critical",
                    title=f"crossing {number}", facts=telling.facts(NOW), now=NOW,
                    thread=f"budget-{number % 7}",
                )  # fmt: skip
            list(alerts.proceed(lambda: now, lambda: True))
        list(alerts.proceed(lambda: now, lambda: True))
    finally:
        os._exit(0)


def held(hook: Hook, after: int, is_sending: Event, are_dead: Event) -> None:
    """Keeps whoever sends the message after so many waiting for the answer until they are dead."""
    if len(hook.bodies) >= after:
        is_sending.set()
        are_dead.wait(60)


def ended(workers: list[int]) -> None:
    for each in workers:
        os.waitpid(each, 0)


def test_crossings_are_told_once_whoever_dies(hook: Hook, mails: Mails) -> None:
    chance = random.Random(20261015)
    channel("webhook", hook.url, NOW, storm_after=1000)
    channel("email", "ann@example.org", NOW, storm_after=1000)
    for kill in range(KILLS):
        now = NOW + kill * (LEASE + timedelta(seconds=1))
        is_sending, are_dead = Event(), Event()
        after = len(hook.bodies) + chance.randrange(8)
        hook.before = partial(held, hook, after, is_sending, are_dead)
        workers = [begin(now, chance.randrange(1000)) for _ in range(WORKERS)]
        assert is_sending.wait(60)
        for each in workers:
            os.kill(each, signal.SIGKILL)
        ended(workers)
        are_dead.set()
    hook.before = lambda: None
    now = NOW + KILLS * (LEASE + timedelta(seconds=1))
    ended([begin(now, number) for number in range(WORKERS)])

    assert Delivery.objects.filter(state="sent").count() == CROSSINGS * 2
    interrupted = DeliveryAttempt.objects.filter(outcome="started").count()
    assert interrupted >= KILLS
    for told in (
        Counter(each["webhook-id"] for each in hook.headers),
        Counter(mails.header("Message-ID")),
    ):
        assert sum(told.values()) - len(told) <= interrupted
        assert max(told.values()) <= 1 + KILLS
    assert len({each["webhook-id"] for each in hook.headers}) == CROSSINGS
    assert len(set(mails.header("Message-ID"))) == CROSSINGS
    assert {each["alerts"][0]["title"] for each in hook.json} == {
        f"crossing {number}" for number in range(CROSSINGS)
    }


def test_two_outboxes_never_send_to_one_recipient_at_once(hook: Hook, settings: Any) -> None:
    channel("webhook", hook.url, NOW, storm_after=1000)
    for number in range(3):
        telling.raised(f"a{number}", NOW)
    found: list[int] = []
    hook.before = lambda: found.append(len(list(claim(NOW))))
    telling.emptied(NOW)
    assert found == [0, 0, 0]
    assert len(hook.bodies) == 3
