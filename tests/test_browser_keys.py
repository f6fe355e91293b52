"""The Keys desk in a real browser: by keyboard, on every screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]

ROTATE, REVOKE = re.compile("^Rotate fk_"), re.compile("^Revoke fk_")


def is_sound_on_every_screen(visit: Visit) -> None:
    for theme, width in SCREENS:
        visit.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.is_sound()


def test_a_key_is_made_rotated_and_revoked_by_keyboard(visit: Visit) -> None:
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    set_up(visit)
    page.get_by_role("link", name="Keys", exact=True).press("Enter")
    visit.shows("Who may send, and who may ask?")
    is_sound_on_every_screen(visit)
    page.get_by_role("link", name="Make a key").press("Enter")
    page.get_by_label("Service").press("Enter")
    expect(page.get_by_text("This field is required.")).to_be_visible()
    visit.complaints.clear()  # the browser remarks on the 400
    is_sound_on_every_screen(visit)
    page.get_by_label("Service").fill("gateway")
    page.get_by_label("Events per minute").fill("6000")
    page.get_by_label("Service").press("Enter")
    visit.shows(re.compile("is made$"))
    is_sound_on_every_screen(visit)
    page.get_by_role("button", name="Copy the key").press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert re.fullmatch(r"fk_\w{8}_\w{40}", page.evaluate("navigator.clipboard.readText()"))
    page.get_by_role("link", name="I have kept it").press("Enter")
    page.get_by_role("link", name=ROTATE).press("Enter")
    is_sound_on_every_screen(visit)
    page.get_by_role("button", name="Make the new key").press("Enter")
    visit.shows(re.compile("is made$"))
    page.get_by_role("link", name="I have kept it").press("Enter")
    page.get_by_role("link", name=REVOKE).first.press("Enter")
    is_sound_on_every_screen(visit)
    page.get_by_role("button", name="Revoke this key").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is revoked")
    page.get_by_text("Keys that have ended (1)").click()
    is_sound_on_every_screen(visit)
