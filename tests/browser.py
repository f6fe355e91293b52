"""A real browser for tests, which hears what pages complain about and whom they ask."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests import usage
from tests.fact_tables import forget_facts
from tests.page_texts import price_gpt_4o

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
# Long, because a busy machine takes seconds to read Plotly; nothing waits longer than it must.
TIMEOUT_MS = 60_000
PASSWORD = "correct horse battery"
# Both colour schemes and both widths: colours do not depend on the width, nor layout on colours.
SCREENS = [("light", 1440), ("dark", 390)]


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


@pytest.fixture
def no_facts_left(browser: Browser) -> Iterator[None]:
    """Facts are not models, so the flush after a transactional test leaves them; nor does a test
    start from those of another."""
    forget_facts()
    yield
    forget_facts()


@pytest.fixture
def month_of_usage(no_facts_left: None) -> None:
    """A month of a few teams, with a model that has no price and a name that is far too long."""
    now = datetime.now(UTC)
    price_gpt_4o()
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
        # What the page's own policy had to stop: nothing clears these but a test that provokes one.
        self.violations: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def _note(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(request.url).netloc)

    def go(self, path: str) -> None:
        self.page.goto(self.server + path)

    def shows(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    def has_chart(self) -> None:
        expect(self.page.locator(".chart svg").first).to_be_visible()

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
    visit = Visit(context.new_page(), live_server.url)
    yield visit
    context.close()
    assert visit.violations == []


def set_up(visit: Visit) -> None:
    visit.go("/")
    visit.shows("Set up Farthing")
    visit.page.get_by_label("Username").fill("grace")
    visit.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visit.page.get_by_label("Password confirmation").fill(PASSWORD)
    visit.page.get_by_role("button", name="Create the administrator").click()
    visit.shows("What did we spend?")
