"""Channels and the log of alerts in a real browser: sound on every screen, watched by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
import telling
from django.utils import timezone
from playwright.sync_api import expect
from telling import Hook
from telling import hook as hook

from finops.models import Alert
from tests.browser import Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("month_of_usage")]


def test_a_channel_is_added_by_keyboard_and_its_test_arrives(visit: Visit, hook: Hook) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/settings/channels")
    visit.is_sound()
    page.get_by_role("link", name="Webhook").click()
    page.get_by_label("Name").fill("pager")
    page.keyboard.press("Tab")
    page.keyboard.type("https://user:secret@example.com/")
    page.keyboard.press("Enter")
    expect(page.get_by_text("without a user name or a password")).to_be_visible()
    visit.complaints.clear()  # the browser's own word for the answer 400
    visit.is_sound()
    page.get_by_label("Address").fill(hook.url)
    page.keyboard.press("Enter")
    expect(page.get_by_text("it is not shown again")).to_be_visible()
    visit.is_sound()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    telling.emptied(timezone.now() + timedelta(seconds=1))
    # The page asks again by itself.
    expect(page.locator("#deliveries").get_by_text("sent", exact=True)).to_be_visible()
    visit.is_sound()
    assert len(hook.bodies) == 1
    visit.go("/settings/channels")
    page.get_by_role("link", name="pager").click()
    visit.shows("pager")
    visit.is_sound()


def test_alerts_are_sound_on_every_screen_and_answered(visit: Visit, hook: Hook) -> None:
    page, now = visit.page, timezone.now()
    set_up(visit)
    visit.go("/alerts")
    expect(page.get_by_text("Nothing has needed attention")).to_be_visible()
    visit.is_sound()
    telling.channel("webhook", hook.url, now)
    long = telling.raised("a", now, title="x" * 300, facts=telling.facts(now, value="y" * 200))
    telling.raised("b", now, severity="critical")
    telling.emptied(now)
    for path in ("/alerts", f"/alerts/{long.pk}"):
        visit.go(path)
        visit.is_sound()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 900})
    for path in ("/alerts", f"/alerts/{long.pk}"):
        visit.go(path)
        visit.is_sound()
    page.get_by_role("button", name="Snooze").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing of this conversation is sent")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("not sent again")
    visit.is_sound()
    assert Alert.objects.get(pk=long.pk).acknowledged_by == "grace"
