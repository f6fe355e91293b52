"""Figures beside those of the period before, and what is said where nothing was recorded then."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from finops import formats
from tests import usage
from tests.page_texts import price_gpt_4o, rows_of, text_of

pytestmark = pytest.mark.django_db

PAGES = ["/?period=7d", "/explore?group_by=team&period=7d&compare=previous"]
CHANGE = re.compile(r"[+\u2212][\d,.]+\s*%")


@pytest.fixture
def now() -> datetime:
    """The page's clock, and so that a day before or after is the same on both sides."""
    return datetime.now(UTC).replace(microsecond=0)


def record_daily(now: datetime, days: int) -> None:
    """Twice as much on each of the last seven days as before them."""
    price_gpt_4o()
    events = [
        usage.event(now - timedelta(days=ago, minutes=1), id=f"{ago}-{number}", team="search")
        for ago in range(days)
        for number in range(2 if ago < 7 else 1)
    ]
    usage.record(events, now=now)


def lines_of(page: str) -> list[dict[str, Any]]:
    """What the chart draws as lines."""
    (text,) = re.findall(r'<script id="chart-figure"[^>]*>(.*?)</script>', page, re.DOTALL)
    return [trace for trace in json.loads(text)["data"] if trace["type"] == "scatter"]


@pytest.mark.parametrize("path", PAGES)
def test_a_recorded_period_is_compared(signed_in: Client, now: datetime, path: str) -> None:
    record_daily(now, 20)
    page = signed_in.get(path).text
    assert f"+100.0{formats.SPACE}%" in page.replace("&nbsp;", formats.SPACE)
    assert [line["name"] for line in lines_of(page)] == ["Previous period"]
    assert "no earlier data" not in page


def test_comparing_adds_a_column(signed_in: Client, now: datetime) -> None:
    record_daily(now, 20)
    usage.record([usage.event(now - timedelta(hours=1), team="fresh")], now=now)
    page = signed_in.get(PAGES[1]).text
    assert "vs " in page.partition("<thead>")[2].partition("</thead>")[0]
    changes = {row[0]: row[2] for row in rows_of(page)}
    assert changes["fresh"] == "new"
    assert changes["search"].startswith("+100")


@pytest.mark.parametrize("path", PAGES)
def test_before_the_record_there_is_nothing_to_compare_with(
    signed_in: Client, now: datetime, path: str
) -> None:
    record_daily(now, 7)
    page = signed_in.get(path).text
    assert "no earlier data" in text_of(page)
    assert not CHANGE.search(text_of(page))
    assert "new" not in [cell for row in rows_of(page) for cell in row]
    assert lines_of(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_record_that_begins_within_the_period_before_is_no_measure(
    signed_in: Client, now: datetime, path: str
) -> None:
    record_daily(now, 9)
    page = signed_in.get(path).text
    first = text_of(formats.day((now - timedelta(days=8, minutes=1)).date(), now.date()))
    assert f"recorded since {first} only" in text_of(page)
    assert not CHANGE.search(text_of(page))
    assert "vs " not in page.partition("<thead>")[2].partition("</thead>")[0]
    (line,) = lines_of(page)
    assert [y is None for y in line["y"]] == [True] * 5 + [False] * 2


def test_hours_tell_the_hour_since_when_there_is_a_record(signed_in: Client, now: datetime) -> None:
    at = now - timedelta(hours=30)
    usage.record([usage.event(at), usage.event(now - timedelta(minutes=1))], now=now)
    page = signed_in.get("/explore?period=24h&compare=previous").text
    assert f"{at:%H}:00" in text_of(page).partition("recorded since")[2][:30]


def test_days_are_compared_with_days_but_for_the_one_that_is_not_over(
    signed_in: Client, now: datetime
) -> None:
    record_daily(now, 20)
    page = signed_in.get("/explore?period=7d&compare=previous").text
    changes = [row[2] for row in rows_of(page)]
    assert len(changes) >= 7
    assert all(change.startswith("+100") for change in changes[1:-1])
    assert changes[-1] == formats.MISSING


def test_charge_periods_have_the_colour_of_their_bars(signed_in: Client, now: datetime) -> None:
    record_daily(now, 7)
    page = signed_in.get("/explore?period=7d").text
    assert set(re.findall(r"swatch (series-\w+)", page)) == {"series-1"}


def test_costs_of_which_none_is_known_have_no_total(signed_in: Client, now: datetime) -> None:
    usage.record([usage.event(now - timedelta(hours=1), model="mystery")], now=now)
    page = signed_in.get("/explore?group_by=model").text
    foot = text_of(page.partition("<tfoot>")[2].partition("</tfoot>")[0]).split()
    assert foot[:4] == ["Total", "1", "unpriced", formats.MISSING]
