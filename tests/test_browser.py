"""A person's walk through the pages in a real browser: nothing breaks, leaks or is unreadable."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import usage
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from finops import ledger

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
]
FACTS = """
    TRUNCATE usage_event, ingest_batch, attribution, rollup_hour, rollup_day, rollup_user_day,
        rollup_user_total, rollup_unsettled, rollup_state
"""
# Long, because a busy machine takes seconds to read Plotly; nothing waits longer than it must.
TIMEOUT_MS = 60_000
PASSWORD = "correct horse battery"
SCREENS = [(theme, width) for theme in ("light", "dark") for width in (1440, 390)]

pytestmark = pytest.mark.django_db(transaction=True)


def find_browser() -> str | None:
    found = (shutil.which(name) for name in BROWSERS)
    there = (path for path in MAC_BROWSERS if Path(path).exists())
    return next((path for path in (*found, *there) if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None and not os.environ.get("CI"):
        pytest.skip("No Chromium or Chrome on this machine: the pages are not tested in a browser.")
    expect.set_options(timeout=TIMEOUT_MS)
    assert path, "CI must have a Chromium or Chrome for the browser tests."
    # Chromium refuses to sandbox itself when it runs as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, which Django takes for asynchronous code;
        # the database is used from here only between Playwright's calls.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *sandbox])
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def no_facts_left(browser: Browser) -> Iterator[None]:
    """Facts are not models, so the flush after a transactional test leaves them."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(FACTS)
        cursor.execute("DELETE FROM end_user WHERE id <> 0")


@pytest.fixture
def figures(no_facts_left: None) -> None:
    """A month of a few teams, with a model that has no price and a name that is far too long."""
    now = datetime.now(UTC)
    terms = {"kind": "contract", "provider": "openai", "model": "gpt-4o"}
    prices = {"uncached_input_price_per_million": "2.5", "text_output_price_per_million": "10"}
    ledger.add({**terms, **prices}, author="tests", zone=UTC)
    events = [
        usage.event(
            now - timedelta(hours=7 * number, minutes=1),
            team=("search", "support", "growth")[number % 3],
            feature=f"feature-{number % 4}" if number % 7 else "x" * 190,
            model="gpt-4o" if number % 5 else "mystery-model",
            user=f"user-{number % 11}",
            latency_ms=200 + number,
            ttft_ms=90,
            stages_ms={"gateway": 5, "prefill": 90, "decode": 100 + number},
        )
        for number in range(90)
    ]
    usage.record(events, now=now)


class Visit:
    """One page of a browser, with everything it complained about and asked for."""

    def __init__(self, page: Page, server: str) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _note(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(request.url).netloc)

    def go(self, path: str) -> None:
        self.page.goto(self.server + path)

    def shows(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    def has_chart(self) -> None:
        expect(self.page.locator(".chart .main-svg").first).to_be_visible()

    def is_sound(self) -> None:
        """No complaint, nobody else asked, no barrier found, nothing wider than the screen."""
        assert self.complaints == []
        assert self.hosts == {urlsplit(self.server).netloc}
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wider) == 0


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield Visit(context.new_page(), live_server.url)
    context.close()


def set_up(visit: Visit) -> None:
    visit.go("/")
    visit.shows("Set up Farthing")
    visit.page.get_by_label("Username").fill("grace")
    visit.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visit.page.get_by_label("Password confirmation").fill(PASSWORD)
    visit.page.get_by_role("button", name="Create the administrator").click()
    visit.shows("What did we spend?")


@pytest.mark.usefixtures("figures")
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


@pytest.mark.usefixtures("figures")
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


@pytest.mark.usefixtures("figures")
def test_a_theme_is_chosen_once_and_charts_follow_it(visit: Visit) -> None:
    page = visit.page
    page.emulate_media(color_scheme="light")
    set_up(visit)
    visit.go("/explore?group_by=team")
    visit.has_chart()
    bar = page.locator(".chart .bars path").first
    light = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.get_by_role("button", name="Switch between").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(bar).not_to_have_css("fill", light)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_chart_shows_names_as_they_are(visit: Visit) -> None:
    now = datetime.now(UTC)
    names = ["role:text", "%{y} %{meta} <b>x"]
    at = now - timedelta(hours=1)
    events = [usage.event(at, team=name) for name in names]
    usage.record(events, now=now)
    page = visit.page
    set_up(visit)
    days = f"start={at.date()}&end={at.date() + timedelta(days=1)}&granularity=day"
    visit.go(f"/explore?group_by=team&metrics=requests&{days}")
    visit.has_chart()
    page.locator(".chart .bars path").first.hover(force=True)
    for name in names:
        expect(page.locator(".chart .hoverlayer")).to_contain_text(name)


@pytest.mark.usefixtures("figures")
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


@pytest.mark.usefixtures("figures")
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
    for path in ("/explore?group_by=feature&compare=previous", "/explore?metrics=latency_p95"):
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
    for path in ("/", "/explore", "/requests"):
        visit.go(path)
        expect(visit.page.get_by_text("No usage has arrived yet")).to_be_visible()
        visit.is_sound()
