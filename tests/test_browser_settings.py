"""The Settings desk in a real browser: sound on every screen, and used by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from finops.models import CostCenter, LatencyTier
from tests.browser import Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("month_of_usage")]


def test_the_desk_is_sound_on_every_screen_and_used_by_keyboard(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    LatencyTier.objects.all().delete()
    LatencyTier.objects.create(name="interactive", max_latency_ms=2_000)
    visit.go("/settings/tiers")
    page.get_by_label("Name").focus()
    page.keyboard.type("batch")
    page.keyboard.press("Tab")
    page.keyboard.type("2000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("interactive ends there already.")).to_be_visible()
    visit.complaints.clear()  # the browser's own word for the answer 400
    visit.is_sound()
    visit.go("/settings/tags")
    page.get_by_label("Key").fill("release")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Tag release")
    visit.is_sound()
    visit.go("/settings/retention")
    page.get_by_label("Keep single events for, days").fill("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("are gone for good")
    visit.is_sound()
    # The others have been looked at above.
    for name in ("", "/limits", "/operations", "/calendar"):
        visit.go(f"/settings{name}")
        visit.is_sound()
    CostCenter.objects.create(code="CC-1", name="Care")
    for name in ("", "/cost-centers", "/import"):
        visit.go(f"/settings/ownership{name}")
        visit.is_sound()
    page.goto(page.url.replace("/settings/ownership/import", "/unattributed"))
    page.get_by_text("Make a rule").first.click()
    page.get_by_role("button", name="Make the rule").first.click()
    expect(page.get_by_role("status")).to_contain_text("is CC-1's now")
    visit.is_sound()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 900})
    for name in ("", "/tiers", "/limits", "/retention", "/ownership", "/ownership/import"):
        visit.go(f"/settings{name}")
        visit.is_sound()
