"""Explain: the change in a sentence, as a waterfall and by group, and the ways there and on."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from finops.pages.explain import wording
from tests import usage
from tests.page_texts import price_gpt_4o, record_teams, text_of
from tests.test_anomaly_pages import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    """Pages ask the clock themselves."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def change(now: datetime) -> None:
    """A feature whose input grew threefold, one that is as it was, one that is new."""
    price_gpt_4o()
    day = timedelta(days=1)
    midnight = now.replace(hour=0, minute=0, second=0) - 2 * day

    def events(at: datetime, feature: str, count: int, tokens: int) -> list[dict[str, object]]:
        about = {"feature": feature, "team": "cx", "input_tokens": tokens}
        return [usage.event(at, **about) for _ in range(count)]

    usage.record(
        [
            *events(midnight - 12 * day, "chat", 2, 1000),
            *events(midnight - 7 * day, "chat", 20, 1000),
            *events(midnight - 7 * day, "search", 10, 1000),
            *events(midnight, "chat", 20, 3000),
            *events(midnight, "search", 10, 1000),
            *events(midnight, "news", 5, 1000),
        ],
        now=now,
    )


def period(now: datetime) -> str:
    """The day of the change, set against that of a week before."""
    day = now.date() - timedelta(days=2)
    return f"start={day}&end={day + timedelta(days=1)}&against=weeks_before"


def tables(page: str) -> list[list[list[str]]]:
    """The cells of each table's body."""
    bodies = re.findall(r"<tbody[^>]*>(.*?)</tbody>", page, re.DOTALL)
    return [
        [
            [text_of(cell).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)]
            for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        ]
        for body in bodies
    ]


def footer(page: str) -> str:
    return page.partition("<tfoot")[2].partition("</tfoot>")[0]


def decimal(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace("+", "").replace(",", ""))


@pytest.mark.usefixtures("change")
def test_the_change_is_told_in_a_sentence(signed_in: Client, now: datetime) -> None:
    page = text_of(signed_in.get(f"/explore?{period(now).split('&against')[0]}").text)
    assert "Explain this change" in page
    page = text_of(signed_in.get(f"/explain?{period(now)}&group_by=feature").text)
    # 20 × 2,000 tokens more at $2.50 a million are $0.10; 5 requests of $0.0045 are new.
    assert "Cost rose by $0.1225 (+90.7 %)" in page
    assert "input length +$0.1" in page


@pytest.mark.usefixtures("change")
def test_the_steps_that_are_shown_lead_from_one_sum_to_the_other(
    signed_in: Client, now: datetime
) -> None:
    page = signed_in.get(f"/explain?{period(now)}&group_by=feature").text
    steps, groups = tables(page)
    first, *parts, last = [decimal(row[-1]) for row in steps]
    assert first + sum(parts) == last
    total = {decimal(each) for each in re.findall(r"[+−]?[0-9.,]+", text_of(footer(page)))}
    assert set(parts) <= total, "a step is written as the table's total writes it"
    assert {row[0].split()[0] for row in groups} == {"chat", "search", "news"}
    for row in groups:
        before, after, difference = map(decimal, row[1:4])
        assert after - before == difference
    assert "new" in next(row[0] for row in groups if row[0].startswith("news"))


@pytest.mark.usefixtures("change")
def test_where_it_happened_is_told_with_a_way_there(signed_in: Client, now: datetime) -> None:
    page = signed_in.get(f"/explain?{period(now)}&group_by=model").text
    causes = re.findall(r"<li>.*?</li>", page.partition('class="causes"')[2], re.DOTALL)
    (chat,) = [each for each in causes if "feature=chat" in each]
    assert "Feature chat" in text_of(chat)
    assert "+$0.1000" in chat
    for href in re.findall(r'href="([^"]+)"', chat):
        assert signed_in.get(html.unescape(href)).status_code == 200


@pytest.mark.usefixtures("change")
def test_a_group_leads_to_its_own_change(signed_in: Client, now: datetime) -> None:
    page = signed_in.get(f"/explain?{period(now)}&group_by=feature").text
    table = page.partition("The change by feature")[2]
    (href,) = re.findall(r'<a href="(/explain\?[^"]*feature=chat[^"]*)"', table)
    deeper = text_of(signed_in.get(html.unescape(href)).text)
    assert "Cost rose by $0.10" in deeper
    assert "against=weeks_before" in href


@pytest.mark.parametrize(
    ("days", "told"),
    [("7", "7 days"), ("1", "1 day"), ("0.229", "5.5 hours"), ("0.0139", "20 minutes")],
)
def test_lengths_of_periods_are_told_in_a_unit_that_says_something(days: str, told: str) -> None:
    assert wording.length(Decimal(days)) == told


@pytest.mark.usefixtures("change")
def test_a_period_without_usage_beside_it_is_explained(signed_in: Client, now: datetime) -> None:
    day = now.date() - timedelta(days=2)
    new = f"/explain?start={day}&end={day + timedelta(days=1)}"
    assert "There was no usage in" in text_of(signed_in.get(new).text)
    gone = f"/explain?start={day - timedelta(days=6)}&end={day - timedelta(days=5)}"
    assert "is gone" in text_of(signed_in.get(gone).text)


@pytest.mark.usefixtures("change")
def test_equal_periods_are_explained(signed_in: Client, now: datetime) -> None:
    page = signed_in.get(f"/explain?{period(now)}&feature=search").text
    assert "Cost is the same in both periods" in text_of(page)


@pytest.mark.usefixtures("change")
def test_what_the_reader_has_to_keep_in_mind_is_said(signed_in: Client, now: datetime) -> None:
    page = text_of(signed_in.get("/explain?period=7d&against=30d").text)
    assert "The two periods overlap" in page
    page = text_of(signed_in.get(f"/explain?{period(now)}&group_by=user").text)
    assert "Of users, tokens are kept without their kinds" in page
    page = text_of(signed_in.get("/explain?period=30d").text)
    assert "no earlier data" in page


def test_an_anomaly_is_explained_by_its_minutes_and_those_of_a_week_before(
    signed_in: Client, now: datetime
) -> None:
    price_gpt_4o()
    hour = now.replace(minute=0, second=0) - timedelta(hours=3)
    week = timedelta(days=7)
    seen = hour + timedelta(minutes=7)
    usual = [usage.event(seen - week, feature="answers", team="cx") for _ in range(3)]
    spike = [usage.event(seen, feature="answers", team="cx") for _ in range(9)]
    # The rest of the hour is another matter.
    usual += [usage.event(hour - week, feature="answers", team="cx") for _ in range(30)]
    usage.record([*usual, *spike, usage.event(hour, feature="other")], now=now)
    held = made(started_at=hour + timedelta(minutes=5), ended_at=hour + timedelta(minutes=20))
    response = signed_in.get(f"/explain?anomaly={held.pk}", follow=True)
    assert "feature=answers" in response.redirect_chain[0][0]
    assert "Cost rose by $0.02700 (+200.0 %): volume +$0.02700" in text_of(response.text)
    answer = signed_in.get(f"/api/v1/explain?anomaly={held.pk}&group_by=feature").json()
    assert answer["parts"]["volume"] == "0.027"
    assert [row["feature"] for row in answer["rows"]] == ["answers"]
    twice = signed_in.get(f"/api/v1/explain?anomaly={held.pk}&period=7d")
    assert twice.json()["errors"][0]["field"] == "period"
    for number, status in (("0", 404), ("x", 400), ("0" * 5000, 400)):
        assert signed_in.get(f"/api/v1/explain?anomaly={number}").status_code == status
        assert signed_in.get(f"/explain?anomaly={number}").status_code == 404


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("against=never", "against : 'never' is no period"),
        ("metrics=shoes", "metrics : unknown metric"),
        ("start=2026-02-30", "start :"),
        ("color=red", "color : unknown parameter"),
    ],
)
def test_a_wrong_address_is_answered_in_place(
    signed_in: Client, now: datetime, address: str, said: str
) -> None:
    record_teams(now)
    response = signed_in.get(f"/explain?{address}&team=search")
    assert response.status_code == 400
    page = text_of(response.text)
    assert said in page
    assert "Team is search" in page


def test_before_any_usage_the_page_says_how_to_send_some(signed_in: Client) -> None:
    assert "No usage has arrived yet" in signed_in.get("/explain").text


@pytest.mark.usefixtures("change")
def test_links_of_other_pages_explain_what_they_show(signed_in: Client) -> None:
    overview = signed_in.get("/").text
    assert 'href="/explain?period=mtd"' in overview
    explore = signed_in.get("/explore?group_by=model&team=cx&metrics=requests&compare=previous")
    assert 'href="/explain?group_by=model&amp;period=30d&amp;team=cx"' in explore.text


@pytest.mark.usefixtures("change")
def test_forms_keep_what_the_period_is_set_against(signed_in: Client) -> None:
    given = {"page": "explain", "period": "7d", "against": "weeks_before"}
    filtered = signed_in.get("/change", {**given, "dimension": "team", "value": "cx"})
    assert filtered.url == "/explain?team=cx&against=weeks_before"
    other = {"against_first": "2026-01-01", "against_last": "2026-01-31"}
    assert signed_in.get("/change", {**given, **other}).url == (
        "/explain?against_start=2026-01-01&against_end=2026-02-01"
    )
    days = {"first": "2026-03-01", "last": "2026-03-31"}
    assert signed_in.get("/change", {**given, **days}).url == (
        "/explain?end=2026-04-01&start=2026-03-01"
    )


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize(
    "group_by", ["model", "team,feature", "user", "cost_center", "status", "latency_tier"]
)
def test_a_change_is_broken_down_by_anything(
    signed_in: Client, now: datetime, group_by: str
) -> None:
    response = signed_in.get(f"/explain?{period(now)}&group_by={group_by}")
    assert response.status_code == 200
    assert 'aria-current="page">Explain' in response.text
