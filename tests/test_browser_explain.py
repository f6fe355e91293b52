"""Explain in a real browser: from Explore to the change, another period, and a group of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
def test_from_explore_to_a_change_and_down_into_it(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/explore?group_by=team&period=7d")
    page.get_by_role("link", name="Explain this change").click()
    visit.shows("Why did the cost change?")
    assert page.url.endswith("/explain?group_by=team")
    expect(page.get_by_role("table").first).to_contain_text("Volume")
    page.get_by_label("Broken down by").select_option("feature")
    page.wait_for_url("**/explain?group_by=feature")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.locator("summary", has_text="Set against").click()
    page.get_by_role("link", name="The same days of a week before").click()
    page.wait_for_url("**/explain?group_by=feature&against=weeks_before")
    page.get_by_role("table").nth(1).locator("tbody a").first.click()
    page.wait_for_url("**/explain?feature=*&group_by=*&against=weeks_before")
    expect(page.locator(".chip")).to_have_count(1)
    for theme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        for path in ("/explain?group_by=feature", "/explain?group_by=user&against=30d"):
            visit.go(path)
            visit.is_sound()
