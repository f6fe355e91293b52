"""What a receiver answers is for those who manage channels; the outcome is for all who see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import telling
from desks import reader
from django.test import Client
from django.utils import timezone
from telling import Hook
from telling import hook as hook

from finops import alerts

pytestmark = pytest.mark.django_db
SECRET = b"no such route, ask carol@internal.example"


def test_engineers_and_viewers_see_the_outcome_and_not_the_words(
    signed_in: Client, hook: Hook
) -> None:
    now = timezone.now() - timedelta(days=4)
    telling.channel("webhook", hook.url, now)
    telling.channel("webhook", hook.url, now, storm_after=1)
    hook.usual = (503, {}, SECRET)
    held = telling.raised("a", now, team="search")
    telling.raised("b", now, team="search")
    telling.emptied(now)
    engineer, viewer = reader("engineer", "search"), reader("viewer", "search")
    finance = reader("finance")
    for wait in (0, 4):
        telling.emptied(now + timedelta(days=wait))
        for browser, sees in ((engineer, False), (viewer, False), (finance, True)):
            page = browser.get(f"/alerts/{held.pk}").text
            answer = browser.get(f"/api/v1/alerts/{held.pk}").text
            for text in (page, answer):
                assert ("carol" in text) == sees
                assert "503" in text
            assert "tried again later" in page
            assert ("given up after 3 days" in page) == bool(wait)


def test_an_answer_that_begins_like_another_one_is_no_more_told(
    signed_in: Client, hook: Hook
) -> None:
    now = timezone.now() - timedelta(hours=1)
    telling.channel("webhook", hook.url, now)
    hook.answers, hook.usual = [(503, {}, b"")], (503, {}, SECRET)
    held = telling.raised("a", now, team="search")
    telling.emptied(now)
    telling.emptied(now + timedelta(minutes=10))
    assert len(hook.bodies) == 2
    viewer, finance, path = reader("viewer", "search"), reader("finance"), f"/alerts/{held.pk}"
    for address in (path, f"/api/v1{path}"):
        assert "carol" not in viewer.get(address).text
        assert "carol" in finance.get(address).text


def test_words_of_our_own_are_for_everybody(signed_in: Client, hook: Hook) -> None:
    now = timezone.now()
    telling.channel("webhook", hook.url, now)
    held = telling.raised("a", now, team="search")
    engineer = reader("engineer", "search")
    engineer.post(f"/alerts/{held.pk}/snooze", {"hours": "4"})
    telling.emptied(now + timedelta(seconds=1))
    told = engineer.get(f"/api/v1/alerts/{held.pk}").json()["told"]
    assert [each["detail"] for each in told] == ["snoozed"]
    engineer.post(f"/alerts/{held.pk}/acknowledge")
    assert alerts.remind(now) == 0
    assert "acknowledged by engineer-search" in engineer.get(f"/alerts/{held.pk}").text
