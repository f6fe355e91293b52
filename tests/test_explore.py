"""Explore: its table says what the API says, adds up, and leads down to the requests."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from finops import formats
from tests import usage
from tests.page_texts import price_gpt_4o, record_teams, rows_of, text_of

pytestmark = pytest.mark.django_db

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def now() -> datetime:
    """Pages ask the clock themselves; whole seconds read better in a failure."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def figures(now: datetime) -> None:
    record_teams(now)


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
    assert formats.money_short(total, "USD") in signed_in.get("/explore?group_by=team").text


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
@pytest.mark.parametrize(
    "metric", ["latency_p95", "cost_per_user", "users", "unpriced_requests", "unpriced_tokens"]
)
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


def links_of(page: str) -> list[list[str]]:
    """The addresses in each row of the table's body, as they are on a wide screen."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    wide = re.sub(r'<span class="stacked">.*?</span>(?=</th>| <span)', "", body)
    rows = re.findall(r"<tr.*?</tr>", wide, re.DOTALL)
    return [[html.unescape(each) for each in re.findall(r'href="([^"]+)"', row)] for row in rows]


@pytest.mark.usefixtures("figures")
def test_each_group_of_a_row_leads_to_its_own_page_and_the_figure_to_all_of_them(
    signed_in: Client,
) -> None:
    page = signed_in.get("/explore?group_by=team,model&period=7d").text
    assert links_of(page)[0] == [
        "/explore?group_by=model&period=7d&team=search",
        "/explore?group_by=team&model=gpt-4o&period=7d",
        "/explore?group_by=operation&model=gpt-4o&period=7d&team=search",
    ]
    for address in links_of(page)[0]:
        assert signed_in.get(address).status_code == 200


@pytest.mark.usefixtures("figures")
def test_the_other_groups_stand_under_the_first_where_there_is_no_room(signed_in: Client) -> None:
    page = signed_in.get("/explore?group_by=team,model").text
    stacked = re.findall(r'<span class="stacked">(.*?)</span>', page, re.DOTALL)
    assert text_of(stacked[0]).strip() == "· Model"
    assert text_of(stacked[1]).strip() == "gpt-4o"


def test_a_charge_period_leads_to_its_days_its_hours_and_its_requests(
    signed_in: Client, now: datetime
) -> None:
    at = datetime(2026, 9, 16, 13, 30, tzinfo=UTC)
    usage.record([usage.event(at)], now=now)
    path = "/explore?start=2026-09-07&end=2026-11-01&granularity=month&model=gpt-4o"
    visited = []
    while path.startswith("/explore"):
        ((path,),) = links_of(signed_in.get(path).text)
        visited.append(path)
    assert visited == [
        # From the 7th, as the period is.
        "/explore?end=2026-10-01&model=gpt-4o&start=2026-09-07",
        "/explore?end=2026-09-17&model=gpt-4o&start=2026-09-16",
        "/requests?end=2026-09-16T14:00:00Z&model=gpt-4o&start=2026-09-16T13:00:00Z",
    ]
    assert len(rows_of(signed_in.get(path).text)) == 1


@pytest.mark.usefixtures("figures")
def test_the_whole_period_leads_to_its_requests(signed_in: Client) -> None:
    page = signed_in.get("/explore?granularity=total&period=7d").text
    assert links_of(page) == [["/requests?period=7d"]]


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("path", ["/?period=7d", "/explore?period=7d", "/requests?period=7d"])
def test_what_has_no_price_is_listed_alone_with_what_to_do(signed_in: Client, path: str) -> None:
    (address,) = re.findall(r'href="(/explore\?group_by=provider[^"]*)"', signed_in.get(path).text)
    assert html.unescape(address) == (
        "/explore?group_by=provider,model&metrics=unpriced_requests&period=7d"
    )
    page = signed_in.get(html.unescape(address)).text
    (row,) = rows_of(page)
    assert row[0].startswith("openai")
    assert row[1:3] == ["mystery-1", "openai, mystery-1, 1"]
    foot = text_of(page.partition("<tfoot>")[2].partition("</tfoot>")[0])
    assert foot.split()[:2] == ["Total", "1"]
    assert "manage.py add_price kind=contract provider=openai model=mystery-1 " in text_of(page)


def test_commands_hold_names_as_one_word_of_a_shell(signed_in: Client, now: datetime) -> None:
    at = now - timedelta(hours=1)
    names = ["$(reboot)", *(f"model-{n}" for n in range(6))]
    usage.record([usage.event(at, model=name) for name in names for _ in range(2)], now=now)
    page = signed_in.get("/explore?metrics=unpriced_requests&group_by=team").text
    assert "'model=$(reboot)'" in html.unescape(page)
    assert page.count("add_price") == 5
    assert "2 more models" in text_of(page)


def test_nothing_is_to_be_done_where_everything_has_a_price(
    signed_in: Client, now: datetime
) -> None:
    price_gpt_4o()
    usage.record([usage.event(now - timedelta(hours=1))], now=now)
    page = signed_in.get("/explore?metrics=unpriced_requests&group_by=model").text
    assert "add_price" not in page
    assert rows_of(page)[0][:2] == ["gpt-4o", "0"]
