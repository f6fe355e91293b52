"""What the policy of the pages stops in a real browser, and what it lets pass."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from identity_provider import Provider
from playwright.sync_api import expect

from tests.browser import Visit, set_up
from tests.test_single_sign_on import GRACE
from tests.test_single_sign_on import provider as provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]

SMUGGLED = """
    document.body.insertAdjacentHTML("beforeend",
      '<p id="smuggled" style="color: red" onclick="document.title = 1">x</p>' +
      '<img src="https://elsewhere.example/x.png" onerror="document.title = 2" alt="">');
    const script = document.createElement("script");
    script.textContent = "document.title = 3";
    document.body.append(script);
"""


def test_what_is_smuggled_into_a_page_neither_runs_nor_shows(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    title = page.title()
    with page.expect_console_message(lambda message: "img-src" in message.text):
        page.evaluate(f"() => {{ {SMUGGLED} }}")
        page.locator("#smuggled").click()
    expect(page.locator("#smuggled")).not_to_have_css("color", "rgb(255, 0, 0)")
    assert page.title() == title
    stopped = " ".join(visit.violations)
    for part in ("style-src", "script-src", "img-src"):
        assert part in stopped
    visit.violations.clear()


def test_the_documentation_of_the_api_can_be_tried_and_asks_nobody_else(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/api/docs/")
    page.get_by_role("button", name="/api/v1/costs", exact=False).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert visit.complaints == []
    assert visit.hosts == {visit.server.removeprefix("http://")}


def test_single_sign_on_leads_there_and_back(
    visit: Visit, provider: Provider, administrator: User
) -> None:
    provider.person = GRACE | {"email": administrator.email}
    visit.go("/sign-in")
    visit.page.get_by_role("link", name="Sign in with Example").click()
    visit.shows("What did we spend?")
    expect(visit.page.get_by_role("link", name="Your account")).to_contain_text("ada")
