"""The pages of users on a wide light and a narrow dark screen: sound, and passable by clicking."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
def test_users_are_looked_at_from_all_of_them_to_a_limit(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    for theme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        visit.go("/users")
        visit.has_chart()
        visit.is_sound()
        page.locator("table a.row-link").first.click()
        page.wait_for_url("**/users/profile?*")
        expect(page.get_by_role("heading", name="What is unusual")).to_be_visible()
        visit.has_chart()
        visit.is_sound()
        page.get_by_role("link", name="Limits for each user").click()
        page.wait_for_url("**/users/limits*")
        visit.is_sound()
    visit.go("/users?q=nobody-like-this")
    expect(page.get_by_text("No user of this period has")).to_be_visible()
    visit.is_sound()
