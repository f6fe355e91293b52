"""Anomalies in a real browser: sound on every screen, and answered by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from test_anomaly_pages import made

from tests.browser import SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("month_of_usage")]


def test_anomalies_and_plans_are_sound_on_every_screen(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/anomalies")
    expect(page.get_by_text("Nothing has been judged yet")).to_be_visible()
    held = made()
    made("", filters={"model": "x" * 190}, series="x", lead=held)
    for theme, width in SCREENS:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        for path in ("/anomalies?parts=yes", f"/anomalies/{held.pk}", "/anomalies/planned"):
            visit.go(path)
            if path.endswith(str(held.pk)):
                visit.has_chart()
            visit.is_sound()
    visit.go("/explore?period=7d")
    expect(page.locator(".chart .painted circle[fill=none]")).to_have_count(1)
    visit.is_sound()
    visit.go(f"/anomalies/{held.pk}")
    page.get_by_label("Reason").fill("the nightly run")
    page.get_by_role("button", name="False alarm").press("Enter")
    expect(page.get_by_text("Of what is like it in this series nobody is told")).to_be_visible()
    expect(page.get_by_text("grace has called it false alarm")).to_be_visible()
    visit.is_sound()
