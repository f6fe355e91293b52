"""The desks of people and of the audit log in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from finops.models import Team
from tests.browser import SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


def test_people_teams_invitations_and_the_log_are_sound_on_every_screen(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    Team.objects.create(name="search", cost_center="CC-1200")
    visit.go("/people/invitations")
    page.get_by_label("E-mail").fill("bob@example.org")
    page.get_by_label("search").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("bob@example.org is invited")
    visit.is_sound()
    link = page.locator("#link").inner_text()
    for theme, width in SCREENS:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        join = link.removeprefix(visit.server)
        for path in ("/people", "/teams", "/people/invitations", "/audit", join):
            visit.go(path)
            visit.is_sound()
