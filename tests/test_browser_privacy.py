"""Privacy in a real browser: a user is erased by keyboard, and every page is sound."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from finops import erasures
from tests import usage
from tests.browser import SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]
NAME = "zoe.with.a.very.long.name@department.of.something.example.org"


def test_a_user_is_erased_by_keyboard_and_every_page_is_sound(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    at = timezone.now() - timedelta(hours=1)
    events = [usage.event(at, user=NAME, session=f"s/{NAME}"), usage.event(at, user=NAME.upper())]
    usage.record(events, now=timezone.now())
    visit.go("/settings/privacy")
    page.get_by_label("Name of the user").fill(NAME)
    page.keyboard.press("Enter")
    visit.shows(f"Erase the history of {NAME}?")
    on_every_screen(visit)
    page.get_by_label("Type the name again").fill(NAME)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("anonymous")
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    page.get_by_role("link", name="Look again").click()
    visit.shows(f"Erasure of {erasure.label}")
    expect(page.get_by_role("link", name="Certificate as JSON")).to_be_visible()
    on_every_screen(visit)
    for path in ("/settings/privacy", "/settings/privacy/hashing"):
        visit.go(path)
        on_every_screen(visit)


def on_every_screen(visit: Visit) -> None:
    for theme, width in SCREENS:
        visit.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.is_sound()
