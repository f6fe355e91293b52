"""Pages when something under them fails, and what they make of names that mean harm."""

from __future__ import annotations

import html
import re
import shlex
from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import usage
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import Settings

from finops import costs, ledger
from finops.cells import text_cell
from ingest.facts import event_key

pytestmark = pytest.mark.django_db

FRAGMENT = {"HX-Request": "true"}
PAGES = ("/", "/explore?group_by=team", "/requests", "/requests/x", "/values?dimension=team")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("headers", [{}, FRAGMENT])
def test_a_page_without_a_database_says_so_and_when_to_ask_again(
    signed_in: Client, path: str, error: type[Exception], headers: dict[str, str]
) -> None:
    signed_in.raise_request_exception = False
    with mock.patch.object(connection, "cursor", side_effect=error("gone")):
        response = signed_in.get(path, headers=headers)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert "The database does not answer" in response.text
    assert ("<html" in response.text) == (not headers)


def test_any_other_failure_is_said_to_be_ours(signed_in: Client) -> None:
    signed_in.raise_request_exception = False
    with mock.patch.object(connection, "cursor", side_effect=RuntimeError("broken")):
        response = signed_in.get("/")
    assert response.status_code == 500
    assert "Retry-After" not in response.headers
    assert "Something broke on our side" in response.text


def test_no_values_are_offered_of_figures_in_another_zone(
    signed_in: Client, settings: Settings
) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now - timedelta(hours=1), team="search")], now=now)
    assert "search" in signed_in.get("/values?dimension=team").text
    settings.REPORTING_ZONE = ZoneInfo("Asia/Kolkata")
    assert signed_in.get("/values?dimension=team").status_code == 204


def test_no_values_are_offered_where_finding_them_takes_too_long(signed_in: Client) -> None:
    with mock.patch.object(costs, "run", side_effect=costs.QueryTooSlow):
        assert signed_in.get("/values?dimension=team").status_code == 204


def test_the_command_that_adds_a_price_quotes_the_names_for_a_shell(signed_in: Client) -> None:
    now = datetime.now(UTC)
    model = "nope'; rm -rf ~ #"
    at = now - timedelta(hours=1)
    usage.record([usage.event(at, id="one", provider="$(id)", model=model)], now=now)
    page = signed_in.get(f"/requests/{event_key('tests', 'one').hex()}").text
    named = urlencode({"kind": "contract", "provider": "$(id)", "model": model})
    assert f'href="/prices/new?{html.escape(named)}"' in page
    page = signed_in.get("/explore?group_by=provider,model&metrics=unpriced_requests").text
    (command,) = re.findall(r"<code[^>]*>(\.venv/bin/python manage\.py add_price.*?)</code>", page)
    words = shlex.split(html.unescape(command), comments=True)
    assert words[:3] == [".venv/bin/python", "manage.py", "add_price"]
    assert words[3:6] == ["kind=contract", "provider=$(id)", f"model={model}"]
    assert "'provider=$(id)'" in html.unescape(command)


def test_each_request_tells_its_own_offset_and_the_table_its_zone(
    signed_in: Client, settings: Settings
) -> None:
    zone = settings.REPORTING_ZONE = ZoneInfo("America/New_York")
    terms = {"kind": "contract", "provider": "openai", "model": "gpt-4o"}
    prices = {"uncached_input_price_per_million": "2.5", "text_output_price_per_million": "10"}
    ledger.add({**terms, **prices}, author="tests", zone=UTC)
    now = datetime.now(UTC)
    year = now.year - 1 if now.month < 8 else now.year
    summer = datetime(year, 7, 1, 12, tzinfo=UTC)
    winter = summer - timedelta(days=150)
    usage.record([usage.event(summer), usage.event(winter)], now=now, zone=zone)
    page = signed_in.get(f"/requests?start={year}-01-01&end={year}-08-01").text
    assert "Started, America/New_York" in page
    assert f'title="{year}-07-01 08:00:00 EDT"' in page
    assert re.search(rf'title="{year}-02-01 07:00:00 EST"', page)
    assert 'title="$0.0045"' in page


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\rx",
        "\nx",
        "  =1+1",
        "\N{NO-BREAK SPACE}@x",
        "\N{FULLWIDTH EQUALS SIGN}1",
        "\N{FULLWIDTH PLUS SIGN}1",
        "\N{FULLWIDTH HYPHEN-MINUS}1",
        " \N{FULLWIDTH COMMERCIAL AT}x",
    ],
)
def test_a_name_that_a_spreadsheet_would_run_is_text(name: str) -> None:
    assert text_cell(name) == f"'{name}"


@pytest.mark.parametrize("name", ["", "search", "a=b", " plain", "5-6", "Unattributed"])
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert text_cell(name) == name
