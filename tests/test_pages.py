"""The pages of figures: who sees them, what they say, and that they say what the API says."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from finops import access
from finops.query import CostQuery
from tests import usage
from tests.page_texts import record_teams, rows_of, text_of

pytestmark = pytest.mark.django_db

FRAGMENT = {"HX-Request": "true"}
PAGES = ("/", "/explore?group_by=team", "/requests")
# More round trips than this make a page slow wherever its database is not on the same machine.
MOST_STATEMENTS = 80


@pytest.fixture
def now() -> datetime:
    """Pages ask the clock themselves; whole seconds read better in a failure."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def figures(now: datetime) -> None:
    record_teams(now)


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize("path", [*PAGES, "/requests/x", "/change", "/values"])
def test_every_page_asks_to_sign_in_first(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in?next=")


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("path", PAGES)
def test_htmx_gets_the_changing_part_and_everybody_else_the_page(
    signed_in: Client, path: str
) -> None:
    page = signed_in.get(path)
    part = signed_in.get(path, headers=FRAGMENT)
    again = signed_in.get(path, headers=FRAGMENT | {"HX-History-Restore-Request": "true"})
    assert [r.status_code for r in (page, part, again)] == [200, 200, 200]
    assert ["<html" in r.text for r in (page, part, again)] == [True, False, True]
    for response in (page, part, again):
        assert "HX-Request" in response.headers["Vary"]
    assert part.headers["HX-Push-Url"] == path


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("path", PAGES)
def test_pages_ask_no_other_host_and_carry_no_inline_script(signed_in: Client, path: str) -> None:
    page = signed_in.get(path).text
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", page)
    assert not re.findall(r"\son[a-z]+=|\sstyle=", page)


@pytest.mark.parametrize("path", PAGES)
def test_before_the_first_event_a_page_says_how_to_send_one(signed_in: Client, path: str) -> None:
    page = signed_in.get(path)
    assert page.status_code == 200
    assert "curl http://testserver/api/v1/events" in page.text
    assert "create_ingest_key" in page.text


@pytest.mark.parametrize("path", PAGES)
def test_a_period_without_usage_leads_to_the_last_usage(
    signed_in: Client, now: datetime, path: str
) -> None:
    at = now - timedelta(days=90)
    usage.record([usage.event(at)], now=now)
    page = signed_in.get(path).text
    assert "Go to the last usage" in page
    (link,) = re.findall(r'href="([^"]+)">Go to the last usage', page)
    assert "Go to the last usage" not in signed_in.get(html.unescape(link)).text


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("path", ["/", "/explore", "/requests"])
def test_filters_that_match_nothing_can_be_cleared(signed_in: Client, path: str) -> None:
    page = signed_in.get(path, {"team": "nobody"}).text
    assert "Nothing matches these filters" in page
    assert "Clear filters" in page
    assert "Team is" in page


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("path", ["/", "/explore", "/requests"])
def test_a_wrong_address_is_answered_in_place_and_keeps_the_filters(
    signed_in: Client, path: str
) -> None:
    page = signed_in.get(path, {"group_by": "modle", "team": "search"})
    assert page.status_code == 400
    assert "unknown dimension 'modle'" in html.unescape(page.text)
    assert "Remove the filter Team is search" in page.text


@pytest.mark.usefixtures("figures")
def test_a_wrong_cursor_is_answered_in_place_and_keeps_the_period(signed_in: Client) -> None:
    page = signed_in.get("/requests?cursor=nonsense&period=7d")
    assert page.status_code == 400
    assert 'href="/requests?period=7d">Continue without it' in page.text


@pytest.mark.usefixtures("figures")
def test_what_nobody_owns_is_a_row(signed_in: Client) -> None:
    rows = rows_of(signed_in.get("/explore?group_by=team").text)
    assert "Unattributed" in [row[0] for row in rows]
    page = signed_in.get("/requests?team=Unattributed").text
    assert len(rows_of(page)) == 1


@pytest.mark.usefixtures("figures")
def test_names_from_outside_are_no_markup(signed_in: Client) -> None:
    for path in ("/", "/explore?group_by=feature", "/requests"):
        page = signed_in.get(path).text
        assert "<b>more" not in page
        assert "chat &amp; &lt;b&gt;more" in page


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(
    ("form", "address"),
    [
        (
            {"page": "explore", "group_by": "team", "dimension": "model", "value": "a b"},
            "/explore?group_by=team&model=a+b",
        ),
        (
            {"page": "requests", "dimension": "team", "sense": "not", "value": "!x"},
            "/requests?team=%21%5C%21x",
        ),
        (
            {"page": "overview", "period": "mtd", "first": "2026-10-01", "last": "2026-10-07"},
            "/?end=2026-10-08&start=2026-10-01",
        ),
        (
            {"page": "explore", "first": "2026-10-07", "last": "2026-10-01"},
            "/explore?start=2026-10-07&end=2026-10-02",
        ),
        ({"page": "https://example.org", "dimension": "nonsense", "value": "x"}, "/explore?"),
    ],
)
def test_the_forms_of_the_filter_bar_lead_to_addresses(
    signed_in: Client, form: dict[str, str], address: str
) -> None:
    assert signed_in.get("/change", form).headers["Location"].startswith(address)


@pytest.mark.usefixtures("figures")
def test_the_values_of_a_dimension_are_offered(signed_in: Client) -> None:
    page = signed_in.get("/values?page=explore&team=nobody&dimension=team&sense=is&value=").text
    assert set(re.findall(r'value="([^"]+)"', page)) == {"search", "support", "Unattributed"}
    assert signed_in.get("/values?dimension=nonsense").status_code == 204


@pytest.mark.usefixtures("figures")
def test_overview_names_the_leaders_and_what_nobody_owns(signed_in: Client) -> None:
    page = signed_in.get("/?period=7d").text
    seen = text_of(page)
    for words in ("Top features", "Top models", "Top teams", "Top users", "Without a team"):
        assert words in seen
    assert 'href="/explore?group_by=feature&amp;period=7d&amp;team=search"' in page
    assert "1 not in the costs" in seen


@pytest.mark.usefixtures("figures")
def test_overview_is_about_the_month_to_date_unless_told(signed_in: Client) -> None:
    page = signed_in.get("/").text
    assert re.search(r'href="/"[^>]*aria-current="true">Month to date', page)
    assert 'href="/?period=30d"' in page


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("path", [*PAGES, "/explore?group_by=user&compare=previous"])
def test_a_page_takes_a_bounded_number_of_statements(
    signed_in: Client, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(MOST_STATEMENTS):
        assert signed_in.get(path).status_code == 200


def test_an_inactive_account_sees_nothing(administrator: User, now: datetime) -> None:
    query = CostQuery.from_params({}, now=now, zone=ZoneInfo("UTC"))
    assert access.narrow(query, administrator) == query
    User.objects.update(is_active=False)
    administrator = User.objects.get()
    with pytest.raises(PermissionDenied):
        access.narrow(query, administrator)


def test_a_request_that_is_not_there_is_not_found(signed_in: Client) -> None:
    response = signed_in.get("/requests/nothing")
    assert response.status_code == 404
    assert "There is no such page" in response.text
    assert "older than single requests are kept" in response.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/budgets/999", "There is no such budget any more"),
        ("/unsubscribe/nothing", "This link is of no mail that is still sent."),
        ("/nothing-here", "The address may be mistyped"),
    ],
)
def test_what_is_not_found_is_named_as_what_it_is(signed_in: Client, path: str, said: str) -> None:
    response = signed_in.get(path)
    assert response.status_code == 404
    assert said in response.text
    assert "single requests" not in response.text
