"""Pages of a month's allocation on wide and narrow screens, and an item that a person makes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import ownership
from tests.browser import Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_an_item_is_made_and_is_seen_where_it_is_borne(
    visit: Visit, theme: str, width: int
) -> None:
    page = visit.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    set_up(visit)
    ownership.make_centers("CC-1", "CC-2")
    visit.go("/settings/cost-items/new?kind=fleet")
    visit.is_sound()
    page.get_by_role("textbox", name="Name", exact=True).fill("h100")
    first = page.get_by_role("group", name="Size 1")
    first.get_by_label("From").fill(page.get_by_label("From").first.input_value())
    first.get_by_label("GPUs").fill("2")
    first.get_by_label("Price of one per hour").fill("2.5")
    page.get_by_label("Shared out").select_option("weighted")
    page.get_by_label("Cost centers").fill("CC-1 = 3\nCC-2 = 1")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("weight 3 of 4")).to_be_visible()
    visit.is_sound()
    page.get_by_role("button", name="Save").click()
    visit.is_sound()
    page.get_by_role("link", name="Allocation").last.click()
    expect(page.get_by_role("heading", name="Paid capacity")).to_be_visible()
    visit.is_sound()
    page.get_by_role("link", name="CC-1", exact=True).click()
    expect(page.get_by_text("weight 3 of 4")).to_be_visible()
    visit.is_sound()
