"""The Prices desk in a real browser: sound on every screen, and worked by keyboard alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from finops import ledger
from tests.browser import SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_the_desk_is_sound(visit: Visit, theme: str, width: int) -> None:
    ledger.sync_catalog(datetime.now(UTC))
    page = visit.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    set_up(visit)
    for path in ("/prices?q=gpt-4o", "/prices/unpriced", "/prices/calculator", "/prices/ratings"):
        visit.go(path)
        visit.is_sound()
    visit.go("/prices/model?provider=openai&model=gpt-4o")
    visit.has_chart()
    visit.is_sound()
    visit.go("/prices/new?kind=contract&provider=openai&model=mystery-model")
    visit.is_sound()
    page.get_by_label("Input", exact=True).fill("2.5")
    page.get_by_label("Output", exact=True).fill("10")
    page.get_by_label("Output", exact=True).press("Enter")
    visit.shows("What would this line do?")
    visit.is_sound()
    page.get_by_role("button", name="Save without waiting").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("is in the ledger")).to_be_visible()
    visit.is_sound()
