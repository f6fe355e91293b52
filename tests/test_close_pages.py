"""Closing a month from the page alone, and the statements that come of it."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from finops.models import BooksMonth, CostCenter, StatementVersion, Team
from finops.periods import add_months, local_day, start_of_day
from tests import figures, usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def month() -> str:
    """The last one, with usage of a team that has a cost center, and of one that has none."""
    now = timezone.now()
    last = add_months(local_day(now, settings.REPORTING_ZONE).replace(day=1), -1)
    figures.price_models()
    CostCenter.objects.create(code="CC-1", name="Support", gl_account="6100")
    Team.objects.create(name="cx", cost_center="CC-1")
    at = start_of_day(last, settings.REPORTING_ZONE) + timedelta(days=3)
    events = [usage.event(at, team=team, feature="chat") for team in ("cx", "hr")]
    usage.record([*events, usage.event(at, team="cx", model="mystery-model")], now=now)
    return f"{last:%Y-%m}"


def test_a_new_user_closes_the_month_from_the_page_alone(signed_in: Client, month: str) -> None:
    assert "No month is closed yet" in signed_in.get("/statements").text
    page = signed_in.get("/close")
    assert page.status_code == 200
    for said in ("1 request has no price", "has no cost center", "Is that so?"):
        assert said in page.text
    refused = signed_in.post("/close", {"what": "close"})
    assert refused.status_code == 400
    assert "Acknowledge “unpriced”" in refused.text
    names = [each.name for each in page.context["warnings"]]
    done = signed_in.post("/close", {"what": "close", "acknowledged": names}, follow=True)
    assert "is closed as version 1" in done.text
    assert f"/statements?month={month}" in done.text

    listed = signed_in.get("/statements").text
    assert "version 1" in listed
    version = signed_in.get(f"/statements?month={month}&version=1")
    statement = StatementVersion.objects.get()
    assert statement.checksum in version.text
    assert "As it was closed" in version.text
    file = signed_in.get(f"/statements.csv?month={month}&version=1").getvalue()
    assert hashlib.sha256(file).hexdigest() == statement.checksum
    assert file == signed_in.get(f"/api/v1/allocations/{month}.csv").getvalue()
    sheets = signed_in.get(f"/statements.xlsx?month={month}&version=1")
    assert f'filename="statement-{month}-v1.xlsx"' in sheets["Content-Disposition"]
    assert sheets.getvalue().startswith(b"PK")
    assert f"/statements.xlsx?month={month}&amp;version=1" in version.text
    CostCenter.objects.filter(code="CC-1").update(gl_account="9999")
    center = signed_in.get(f"/statements?month={month}&version=1&code=CC-1")
    assert "Statement of CC-1" in center.text
    assert "6100" in center.text
    assert "9999" not in center.text, "as it was when the month was closed"
    for wrong in ("&version=2", "&version=x", "&code=CC-9"):
        assert signed_in.get(f"/statements?month={month}{wrong}").status_code == 404
    assert signed_in.get("/statements?month=0000-99").status_code == 200
    assert "is closed: these figures stay" in signed_in.get(f"/allocation?month={month}").text


def test_what_came_later_is_told_with_its_month_and_why_on_the_page_of_who_bears_it(
    signed_in: Client, month: str
) -> None:
    every = ("unpriced", "unattributed", "unchecked", "beginning")
    signed_in.post("/close", {"what": "close", "acknowledged": every})
    first = start_of_day(date.fromisoformat(f"{month}-01"), settings.REPORTING_ZONE)
    usage.record([usage.event(first, team="cx", feature="chat")], now=timezone.now())
    page = signed_in.get("/allocation/cost-center?code=CC-1").text
    assert f"{first:%B %Y}, version 1" in page
    assert "late requests. cx · chat" in page


def test_two_people_reopen_a_month_from_its_page(signed_in: Client, month: str) -> None:
    address = f"/close?month={month}"
    every = ("unpriced", "unattributed", "unchecked", "beginning")
    signed_in.post(address, {"what": "close", "acknowledged": every})
    signed_in.post(address, {"what": "sent", "sent_to": "owners@example.com"})
    assert "to owners@example.com" in signed_in.get(address).text
    signed_in.post(address, {"what": "ask", "reason": "A price was wrong."})
    page = signed_in.get(address).text
    assert "A price was wrong." in page
    assert "Agree and reopen" not in page
    assert signed_in.post(address, {"what": "reopen"}).status_code == 400
    other = Client()
    other.force_login(User.objects.create_superuser("bob", "bob@example.org", "correct horse"))
    assert "Agree and reopen" in other.get(address).text
    other.post(address, {"what": "reopen"})
    assert BooksMonth.objects.get().state == "draft"
    assert "was opened again" in signed_in.get(address).text
    signed_in.post(address, {"what": "close", "acknowledged": every})
    version = f"/statements?month={month}&version="
    assert "Version 2 of" in signed_in.get(f"{version}1").text
    assert "took its place" not in signed_in.get(f"{version}2").text
    assert signed_in.post(address, {"what": "dance"}).status_code == 400


def test_a_month_that_runs_says_from_when_on_it_can_be_closed(signed_in: Client) -> None:
    present = local_day(timezone.now(), settings.REPORTING_ZONE).replace(day=1)
    page = signed_in.get(f"/close?month={present:%Y-%m}").text
    assert f"it can be closed from {add_months(present, 1)} on" in page
    assert 'value="close"' not in page


def test_a_closed_months_file_is_read_in_pages_in_the_order_of_its_lines(
    signed_in: Client, month: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = ("unpriced", "unattributed", "unchecked", "beginning")
    signed_in.post("/close", {"what": "close", "acknowledged": every})
    whole = signed_in.get(f"/api/v1/allocations/{month}.csv").getvalue()
    monkeypatch.setattr("finops.books.lines.AT_ONCE", 1)
    monkeypatch.setattr("finops.cells.ROWS_IN_A_PIECE", 1)
    assert signed_in.get(f"/api/v1/allocations/{month}.csv").getvalue() == whole
    rows = [tuple(line.split(",")[1:6]) for line in whole.decode().splitlines()[1:]]
    assert len(rows) > 2
    assert rows == sorted(rows)
    assert hashlib.sha256(whole).hexdigest() == StatementVersion.objects.get().checksum
