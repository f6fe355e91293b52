"""Budgets in a real browser: made from Explore, tested, saved, asked more of; on every screen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from finops import budgets
from tests.browser import Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
def test_from_explore_to_a_budget_and_an_increase(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/budgets")
    visit.shows("Do the budgets hold?")
    visit.is_sound()
    visit.go("/explore?group_by=model&team=search")
    page.get_by_role("link", name="Make a budget of this").click()
    visit.shows("What may it cost?")
    assert page.url.endswith("/budgets/new?team=search")
    page.get_by_label("Name", exact=True).fill("Search")
    page.get_by_role("group", name="Filter 2").get_by_label("Dimension").select_option("feature")
    expect(page.locator("#filter-values-2 option").first).to_be_attached()
    page.get_by_role("group", name="Filter 2").get_by_label("Dimension").select_option("")
    page.get_by_label("Amount, USD").fill("0.05")
    page.get_by_label("Amount, USD").press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("In the last 90 days")
    visit.is_sound()
    page.get_by_role("button", name="Save the budget").first.click()
    visit.shows("Does Search hold?")
    budgets.evaluate(datetime.now(UTC), settings.REPORTING_ZONE)
    page.reload()
    visit.has_chart()
    visit.is_sound()
    page.locator(".chart").hover()
    expect(page.locator(".chart .painted")).to_have_count(0)
    visit.has_chart()
    page.get_by_role("link", name="Ask for an increase").click()
    page.get_by_label("How much more, USD").fill("1")
    page.get_by_label("Until").fill(datetime.now(UTC).date().isoformat())
    page.get_by_label("What for").fill("more traffic")
    visit.is_sound()
    page.get_by_role("button", name="Ask for it").click()
    visit.shows("$1.00 more for Search?")
    asked = page.url.removeprefix(visit.server)
    page.get_by_role("button", name="Approve").click()
    visit.shows("Does Search hold?")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 900})
    one = page.url.removeprefix(visit.server)
    for path in (one, "/budgets", f"{one}/change", f"{one}/increase", asked):
        visit.go(path)
        visit.is_sound()


@pytest.mark.usefixtures("month_of_usage")
def test_budgets_are_made_without_scripts(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), live_server.url)
    page = visit.page
    set_up(visit)
    visit.go("/budgets/new?name=Users&for_each=user&period=daily&amount=9")
    page.get_by_role("button", name="Test on the last 90 days").click()
    page.get_by_role("button", name="Save the budget").first.click()
    visit.shows("Does Users hold?")
    budgets.evaluate(datetime.now(UTC), settings.REPORTING_ZONE)
    page.reload()
    page.get_by_role("region", name="By user").get_by_role("link").last.click()
    expect(page.get_by_text("in the chart", exact=True)).to_be_visible()
    context.close()
