"""A person's walk through the pages in a real browser: nothing breaks or leaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests import usage
from tests.browser import PASSWORD, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


@pytest.mark.usefixtures("month_of_usage")
def test_from_the_first_visit_down_to_one_request_and_its_rating(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.has_chart()
    page.get_by_role("button", name="Sign out").click()
    visit.shows("Sign in")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    visit.shows("What did we spend?")

    page.get_by_role("link", name="30 days").click()
    page.wait_for_url("**/?period=30d")
    visit.has_chart()
    page.get_by_role("region", name="Top teams").get_by_role("link", name="search").click()
    visit.shows("Where did the money go?")
    assert page.url.endswith("/explore?group_by=feature&team=search")
    visit.has_chart()

    page.get_by_role("table").get_by_role("link", name="feature-1").click()
    page.wait_for_url("**/explore?feature=feature-1&group_by=model&team=search")
    visit.shows("Where did the money go?")
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("feature-1")

    page.get_by_role("link", name="Requests behind this").click()
    visit.shows("Which requests are behind it?")
    assert page.url.endswith("/requests?feature=feature-1&team=search")
    page.get_by_role("table").locator("tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Why")
    expect(page.get_by_role("heading", name="Tokens × unit price = cost")).to_be_visible()
    expect(page.get_by_text("Decode")).to_be_visible()
    visit.is_sound()


@pytest.mark.usefixtures("month_of_usage")
def test_refining_changes_the_address_and_back_undoes_it(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/explore?group_by=team")
    page.get_by_label("Metric").select_option("latency_p95")
    page.wait_for_url("**/explore?group_by=team&metrics=latency_p95")
    visit.shows("Where is time spent?")
    visit.has_chart()
    page.go_back()
    page.wait_for_url("**/explore?group_by=team")
    visit.shows("Where did the money go?")
    visit.has_chart()

    page.get_by_text("+ Add filter").click()
    page.get_by_label("Dimension").select_option("team")
    expect(page.locator("#filter-values option")).to_have_count(3)
    page.get_by_label("Value", exact=True).fill("growth")
    page.get_by_role("button", name="Add filter").click()
    page.wait_for_url("**/explore?group_by=team&team=growth")
    page.get_by_label("Remove the filter Team is growth").click()
    page.wait_for_url("**/explore?group_by=team")
    expect(page.get_by_role("row")).to_have_count(5)
    assert visit.complaints == []


@pytest.mark.usefixtures("month_of_usage")
def test_a_theme_is_chosen_once_and_charts_follow_it(visit: Visit) -> None:
    page = visit.page
    page.emulate_media(color_scheme="light")
    set_up(visit)
    visit.go("/explore?group_by=team")
    visit.has_chart()
    bar = page.locator(".chart .painted rect").first
    light = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.get_by_role("button", name="Switch between").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(bar).not_to_have_css("fill", light)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_chart_is_painted_at_once_and_says_names_as_they_are_when_pointed_at(
    visit: Visit,
) -> None:
    now = datetime.now(UTC)
    names = ["role:text", "%{y} %{meta} <b>x"]
    at = now - timedelta(hours=1)
    events = [usage.event(at, team=name) for name in names]
    usage.record(events, now=now)
    page = visit.page
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url))
    set_up(visit)
    days = f"start={at.date()}&end={at.date() + timedelta(days=1)}&granularity=day"
    visit.go(f"/explore?group_by=team&metrics=requests&{days}")
    visit.has_chart()
    assert not any("plotly.min" in each for each in scripts)
    page.locator(".chart").hover()
    expect(page.locator(".chart .painted")).to_have_count(0)
    page.locator(".chart .bars path").first.hover(force=True)
    for name in names:
        expect(page.locator(".chart .hoverlayer")).to_contain_text(name)
    visit.is_sound()


def test_a_painted_axis_says_what_plotly_says(visit: Visit) -> None:
    now = datetime.now(UTC)
    event = usage.event(now - timedelta(hours=1), input_tokens=999_999, latency_ms=2)
    usage.record([event], now=now)
    set_up(visit)
    for metric in ("input_tokens", "latency_p95"):
        visit.go(f"/explore?period=24h&metrics={metric}")
        painted = visit.page.locator(".chart .painted text").all_text_contents()
        visit.page.locator(".chart").hover()
        expect(visit.page.locator(".chart .painted")).to_have_count(0)
        drawn = visit.page.locator(".chart .ytick text").all_text_contents()
        assert len(drawn) > 2
        assert painted[: len(drawn)] == drawn


@pytest.mark.usefixtures("month_of_usage")
def test_pages_work_without_scripts(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), live_server.url)
    page = visit.page
    set_up(visit)
    visit.go("/explore?group_by=team")
    page.get_by_label("Metric").select_option("requests")
    page.get_by_role("button", name="Show", exact=True).click()
    visit.shows("Where do the requests come from?")
    page.get_by_text("+ Add filter").click()
    page.get_by_label("Dimension").select_option("team")
    page.get_by_label("Value", exact=True).fill("growth")
    page.get_by_role("button", name="Add filter").click()
    assert "team=growth" in page.url
    context.close()
