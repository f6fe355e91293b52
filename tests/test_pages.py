"""The pages of figures: who sees them, what they say, and that they say what the API says."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import usage
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from finops import access, formats, ledger
from finops.query import CostQuery

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
    """Three teams, two models and a third without a price, some requests without an owner."""
    terms = {"kind": "contract", "provider": "openai", "model": "gpt-4o"}
    prices = {"uncached_input_price_per_million": "2.5", "text_output_price_per_million": "10"}
    ledger.add({**terms, **prices}, author="tests", zone=UTC)
    hour_ago = now - timedelta(hours=1)
    events = [
        *(usage.event(hour_ago, team="search", feature="answers", user="ann") for _ in range(3)),
        usage.event(hour_ago, team="support", feature="chat & <b>more</b>", input_tokens=777),
        usage.event(hour_ago, team="support", model="mystery-1", status="error"),
        usage.event(hour_ago, latency_ms=842, stages_ms={"prefill": 200, "decode": 600}),
    ]
    usage.record(events, now=now)


def text_of(page: str) -> str:
    """What a reader sees, spaces evened out."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def rows_of(page: str) -> list[list[str]]:
    """The cells of the table's body."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [[text_of(c).strip() for c in re.findall(r"<t[dh].*?</t[dh]>", r)] for r in rows]


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
def test_the_table_says_what_the_api_says(signed_in: Client) -> None:
    answer = signed_in.get("/api/v1/costs?group_by=team&granularity=total").json()
    shown = {row[0]: row for row in rows_of(signed_in.get("/explore?group_by=team").text)}
    assert answer["rows"]
    for row in answer["rows"]:
        cost = Decimal(row["effective_cost"])
        (name,) = [name for name in shown if name.split()[0] == row["team"]]
        assert Decimal(shown[name][1]) == cost.quantize(Decimal("0.00001")), row
        assert formats.count_long(row["requests"]) in shown[name]
    total = Decimal(answer["totals"]["effective_cost"])
    assert formats.money_short(total) in signed_in.get("/explore?group_by=team").text


@pytest.mark.usefixtures("figures")
def test_the_rows_shown_add_up_to_the_total_shown(signed_in: Client) -> None:
    page = signed_in.get("/explore?group_by=team").text
    foot = page.partition("<tfoot>")[2]
    total = re.findall(r'<td class="number"[^>]*>([\d.,]+)</td>', foot)[0]
    assert sum(Decimal(row[1]) for row in rows_of(page)) == Decimal(total)


@pytest.mark.usefixtures("figures")
def test_an_unpriced_request_is_marked_and_never_zero(signed_in: Client) -> None:
    page = signed_in.get("/explore?group_by=model").text
    (row,) = [row for row in rows_of(page) if row[0].startswith("mystery-1")]
    assert row[0] == "mystery-1 1 unpriced"
    assert row[1] == formats.MISSING
    assert "No price is known for these requests" in page


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
def test_a_row_leads_down_the_path_to_the_requests(signed_in: Client) -> None:
    path = "/explore?group_by=team"
    visited = []
    for _ in range(8):
        page = signed_in.get(path).text
        link = re.findall(r'<tbody>.*?<a href="([^"]+)"', page, re.DOTALL)[0]
        path = html.unescape(link)
        visited.append(path)
        if path.startswith("/requests"):
            break
    assert visited[0] == "/explore?group_by=feature&team=search"
    assert visited[-1] == (
        "/requests?feature=answers&model=gpt-4o&operation=chat&team=search&user=ann"
    )
    assert len(rows_of(signed_in.get(visited[-1]).text)) == 3


@pytest.mark.usefixtures("figures")
def test_each_crumb_drops_the_filters_to_its_right(signed_in: Client) -> None:
    page = signed_in.get("/explore?feature=answers&group_by=model&team=search").text
    crumbs = page.partition('aria-label="Breadcrumb"')[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]+)"', crumbs) == [
        "/explore?group_by=team",
        "/explore?group_by=feature&amp;team=search",
    ]


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("group_by=team&period=30d", "/explore?group_by=team"),
        ("period=7d&group_by=team&granularity=day&compare=", "/explore?group_by=team&period=7d"),
        ("team=b&team=a&model=%21x", "/explore?model=%21x&team=a&team=b"),
        ("group_by=team&group_by=model", "/explore?group_by=team,model"),
    ],
)
def test_every_address_has_one_canonical_form(
    signed_in: Client, asked: str, canonical: str
) -> None:
    pushed = signed_in.get(f"/explore?{asked}", headers=FRAGMENT).headers["HX-Push-Url"]
    assert pushed == canonical
    assert signed_in.get(pushed, headers=FRAGMENT).headers["HX-Push-Url"] == canonical


@pytest.mark.usefixtures("figures")
def test_the_csv_is_what_the_table_shows(signed_in: Client) -> None:
    page = signed_in.get("/explore?group_by=team").text
    (link,) = re.findall(r'href="(/explore\.csv[^"]+)"', page)
    response = signed_in.get(html.unescape(link))
    assert response.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [row["team"] for row in rows] == [row[0].split()[0] for row in rows_of(page)]
    assert sum(int(row["requests"]) for row in rows) == 6
    assert {"effective_cost", "input_tokens", "unpriced_requests"} <= set(rows[0])


@pytest.mark.usefixtures("figures")
def test_comparing_adds_a_column_and_a_line(signed_in: Client) -> None:
    page = signed_in.get("/explore?group_by=team&compare=previous").text
    assert "vs " in page.partition("<thead>")[2].partition("</thead>")[0]
    assert "Previous period" in page
    assert "new" in rows_of(page)[0]


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


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("metric", ["latency_p95", "cost_per_user", "users", "unpriced_requests"])
@pytest.mark.parametrize("group_by", ["", "team", "user", "team,model", "cost_center"])
def test_every_metric_can_be_explored_by_anything(
    signed_in: Client, metric: str, group_by: str
) -> None:
    params = {"metrics": metric, "group_by": group_by, "compare": "previous"}
    response = signed_in.get("/explore", params)
    if (metric, group_by) == ("latency_p95", "user"):
        assert response.status_code == 400
        assert "latency" in text_of(response.text.partition('role="alert"')[2])
    else:
        assert response.status_code == 200


def test_an_inactive_account_sees_nothing(administrator: User, now: datetime) -> None:
    query = CostQuery.from_params({}, now=now, zone=ZoneInfo("UTC"))
    assert access.narrow(query, administrator) == query
    administrator.is_active = False
    with pytest.raises(PermissionDenied):
        access.narrow(query, administrator)


def test_a_request_that_is_not_there_is_not_found(signed_in: Client) -> None:
    response = signed_in.get("/requests/nothing")
    assert response.status_code == 404
    assert "There is no such page" in response.text
