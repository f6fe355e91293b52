"""A month as a workbook: the figures of its CSV file, text that stays text, any number of rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from finops import cost_items
from finops.books import closing
from finops.exports import sheets
from finops.exports.sheets import LONGEST, Book, Table, is_exact
from finops.models import Account, Role, Team, TeamMember
from finops.organisation.stored import Act
from tests import figures, ownership, usage

START = datetime(2026, 10, 1, tzinfo=UTC)
AFTER = datetime(2026, 11, 2, 12, tzinfo=UTC)
CSV, XLSX = "/api/v1/allocations/2026-10.csv", "/api/v1/allocations/2026-10.xlsx"
MONEY = ("direct_cost", "shared_cost", "idle_cost", "adjustment", "total_cost")
ODD = ("=1+1", "<r><t>x</t></r>", "a\x01b_x0041_", "{=A1}", "https://x.example", "007", "ü&<")

Row = dict[str, Any]


@pytest.fixture
def recorded(administrator: User) -> User:
    """Three cost centers of random usage and odd names; seats in thirds, which have many digits,
    and capacity of which most is not used."""
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    Team.objects.create(name="ads", cost_center="CC-2")
    events = figures.random_events(5, 60, START, START + timedelta(days=30))
    odd = [usage.event(START, feature=name, team="cx") for name in ODD]
    usage.record([*events, *odd], now=AFTER)
    act = Act(administrator, AFTER)
    begins = {"effective_from": "2026-10-01"}
    seats = {"kind": "fixed", "name": "Seats", "amount": "310123.45", "measure": "tokens"}
    ptu = {
        "kind": "commitment", "name": "PTU", "hour_price": "2", "capacity_unit": "requests",
        "capacity_per_hour": "10", "filters": {"team": ["cx"]},
    }  # fmt: skip
    for terms in (seats, ptu):
        cost_items.make(cost_items.read({**terms, **begins}), act)
    return administrator


def opened(client: Client, path: str = XLSX) -> Any:
    response = client.get(path)
    assert response.status_code == 200
    return openpyxl.load_workbook(BytesIO(response.getvalue()), data_only=False)


def rows_of(sheet: Any, first: str) -> Iterator[Row]:
    """The rows below the header that begins with `first`; money as the file says it exactly."""
    cells = iter(sheet.iter_rows(values_only=True))
    names = next(row for row in cells if row[0] == first)
    for row in cells:
        found = dict(zip(names, row, strict=True))
        yield {name: exact(found, name) for name in names if name and "(exact)" not in name}


def exact(row: Row, name: str) -> Any:
    """What a reader who wants every digit takes: the text beside, or else the number."""
    value = row[name]
    if f"{name} (exact)" not in row:
        return value
    return Decimal(row[f"{name} (exact)"] or f"{value:.15g}")


def table(client: Client) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(client.get(CSV).getvalue().decode(), newline="")))


@pytest.mark.django_db
@pytest.mark.parametrize("is_closed", [False, True])
def test_the_sheets_have_every_digit_of_the_csv_file(
    signed_in: Client, recorded: User, is_closed: bool
) -> None:
    if is_closed:
        every = ("unpriced", "unattributed", "unchecked", "beginning")
        closing.close(START.date(), Act(recorded, AFTER), acknowledged=every)
    book, lines = opened(signed_in), table(signed_in)
    assert book.sheetnames == ["Summary", "Detail", "Shares", "Capacity"]
    found = list(rows_of(book["Detail"], "month"))
    assert len(found) == len(lines) > 20
    for row, line in zip(found, lines, strict=True):
        assert [row[name] for name in MONEY] == [Decimal(line[name]) for name in MONEY]
        assert [row[name] for name in ("cost_center", "requests", "status")] == [
            *(line["cost_center"], int(line["requests"]), line["status"])
        ]
    assert any(row.get("shared_cost") for row in found)
    *centers, total = rows_of(book["Summary"], "cost_center")
    for name in MONEY:
        whole = sum(Decimal(line[name]) for line in lines)
        assert total[name] == whole == sum(row[name] for row in centers)
    told = dict(
        row[:2] for row in book["Summary"].iter_rows(min_row=3, max_row=12, values_only=True)
    )
    assert (told["Month"], told["Status"]) == ("2026-10", "closed" if is_closed else "draft")
    assert ("SHA-256 of the CSV file" in told) is is_closed
    shared = sum(Decimal(line["shared_cost"]) + Decimal(line["idle_cost"]) for line in lines)
    assert sum(row["amount"] for row in rows_of(book["Shares"], "item")) == shared
    [use] = rows_of(book["Capacity"], "name")
    assert use["fee"] == use["used_fee"] + use["unused_fee"] == 31 * 24 * 2


@pytest.mark.django_db
def test_names_are_text_whatever_they_begin_with(signed_in: Client, recorded: User) -> None:
    detail = opened(signed_in)["Detail"]
    cells = [cell for row in detail.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}
    names = {unescape(row["feature"]) for row in rows_of(detail, "month")}
    assert {"=1+1", "'<r><t>x</t></r>", "a\N{REPLACEMENT CHARACTER}b_x0041_"} <= names
    assert {"{=A1}", "https://x.example", "007", "ü&<"} <= names
    assert not any(cell.hyperlink for cell in cells)
    assert all(cell.quotePrefix for cell in cells if cell.value == "=1+1")
    assert (detail.freeze_panes, detail.auto_filter.ref[:3]) == ("A2", "A1:")
    assert detail["J2"].number_format == sheets.MONEY


@pytest.mark.django_db
def test_who_sees_one_team_gets_its_lines_alone(recorded: User) -> None:
    user = User.objects.create_user("mia", "mia@example.org", "correct horse battery")
    Account.objects.create(user=user, role=Role.ENGINEER)
    TeamMember.objects.create(user=user, team=Team.objects.get(name="ads"))
    browser = Client()
    browser.force_login(user)
    book = opened(browser)
    assert book.sheetnames == ["Summary", "Detail"]
    assert {row["team"] for row in rows_of(book["Detail"], "month")} == {"ads"}
    assert {row["cost_center"] for row in rows_of(book["Summary"], "cost_center")} == {
        *("CC-2", "Total")
    }
    assert browser.get("/statements.xlsx?month=2026-10").status_code == 403
    assert browser.get(f"{XLSX}?team=cx").status_code == 400


@pytest.mark.django_db
def test_more_lines_than_anybody_waits_for_are_refused(
    signed_in: Client, recorded: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.exports.workbook.MOST_WAITED_FOR", 3)
    refused = signed_in.get(XLSX)
    assert refused.status_code == 400
    assert "take the CSV file" in refused.json()["errors"][0]["message"]


def test_rows_beyond_a_sheet_go_on_in_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 4)
    file = BytesIO()
    book = Book(file)
    rows = Table(book, "Detail", ("n", "amount"), ("amount",))
    for n in range(7):
        rows.add([n, Decimal(n) / 7])
    rows.end()
    book.close()
    read = openpyxl.load_workbook(file)
    assert read.sheetnames == ["Detail", "Detail 2", "Detail 3"]
    found = [row["n"] for sheet in read for row in rows_of(sheet, "n")]
    assert found == list(range(7))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_number_stands_alone_only_where_a_spreadsheet_keeps_its_digits(amount: Decimal) -> None:
    if is_exact(amount):
        assert Decimal(f"{float(amount):.15g}") == amount


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_makes_a_workbook_that_opens(text: str) -> None:
    file = BytesIO()
    book = Book(file)
    rows = Table(book, "Detail", ("name",))
    rows.add([text])
    rows.add(["x" * (2 * LONGEST)])
    rows.add(["🙂" * LONGEST])
    rows.end()
    book.close()
    read = openpyxl.load_workbook(file)["Detail"]
    # As spreadsheets read it: the format writes control characters as _x000D_.
    assert unescape(read["A2"].value or "") == sheets.legal(text)
    assert len(read["A3"].value) == LONGEST
    assert read["A4"].value.endswith("🙂…")
