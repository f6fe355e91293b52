"""The review queue and the sources in a browser: keyboard, small screens, both themes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from finops import ledger, price_sources
from finops.models import PriceHold
from tests.browser import SCREENS, Visit
from tests.test_price_holds import listed
from tests.test_price_sources import FILE, line

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.fixture
def feeds(visit: Visit) -> None:
    now = datetime.now(UTC)
    ledger.sync_catalog(now, [line("gpt-4o", "2.5", "10"), listed("150", "600", "x" * 120)])
    price_sources.import_reference(FILE, "prices.json", by="ada", now=now)
    client = Client()
    client.force_login(User.objects.create_superuser("ada", "ada@example.org", "correct horse"))
    cookie = client.cookies["sessionid"]
    visit.page.context.add_cookies(
        [{"name": "sessionid", "value": cookie.value, "url": visit.server}]
    )


@pytest.mark.usefixtures("feeds")
def test_both_pages_are_sound_and_a_price_is_refused_by_keyboard(visit: Visit) -> None:
    page = visit.page
    for theme, width in SCREENS:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        for path in ("holds", "sources", f"holds/{PriceHold.objects.get().pk}/accept"):
            visit.go(f"/prices/{path}")
            visit.is_sound()
    visit.go("/prices/holds")
    page.get_by_role("link", name="Refuse").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason, for the audit log").focus()
    page.keyboard.type("off by a thousand")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is refused")
    assert PriceHold.objects.get().reason == "off by a thousand"
