"""Every page on wide and narrow screens, light and dark: nothing is barred or cut off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_every_page_is_sound_on_every_screen(visit: Visit, theme: str, width: int) -> None:
    page = visit.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    visit.go("/setup")
    visit.is_sound()
    set_up(visit)
    visit.has_chart()
    visit.is_sound()
    for path in (
        "/explore?group_by=feature&compare=previous",
        "/explore?metrics=latency_p95",
        "/explore?group_by=provider,model&metrics=unpriced_requests",
        "/forecast?group_by=team",
    ):
        visit.go(path)
        visit.has_chart()
        visit.is_sound()
    page.get_by_text("+ Add filter").click()
    visit.is_sound()
    for model in ("gpt-4o", "mystery-model"):
        visit.go(f"/requests?model={model}")
        visit.is_sound()
        page.get_by_role("table").locator("tbody a").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Why"))
        visit.is_sound()
    visit.go("/explore?team=nobody")
    visit.is_sound()


@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_pages_without_usage_are_sound(visit: Visit, theme: str, width: int) -> None:
    visit.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    visit.page.set_viewport_size({"width": width, "height": 900})
    set_up(visit)
    for path in ("/", "/explore", "/forecast", "/requests"):
        visit.go(path)
        expect(visit.page.get_by_text("No usage has arrived yet")).to_be_visible()
        visit.is_sound()


@pytest.mark.usefixtures("month_of_usage")
def test_two_groups_leave_room_for_the_figure_on_a_narrow_screen(visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 900})
    set_up(visit)
    visit.go("/explore?group_by=feature,model")
    for row in page.locator("tbody tr").all():
        box = row.locator("td.number").first.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 390
    first = page.locator("tbody tr").first
    model = first.get_by_role("link", name="gpt-4o", exact=True)
    expect(model).to_have_count(1)
    model.click()
    page.wait_for_url("**/explore?group_by=feature&model=gpt-4o")


@pytest.mark.usefixtures("month_of_usage")
def test_a_command_is_copied(visit: Visit) -> None:
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    set_up(visit)
    visit.go("/explore?group_by=provider,model&metrics=unpriced_requests")
    button = page.get_by_role("button", name="Copy command 1")
    button.click()
    expect(page.locator(".command button")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(".venv/bin/python manage.py add_price kind=contract")
    visit.is_sound()
