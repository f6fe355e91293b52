"""A month as lines of the general ledger: balanced to the cent, booked once, always the same."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from finops import cost_items
from finops.books import closing
from finops.exports import journal
from finops.exports.journal import Accounts, Costs, Heading, Place
from finops.models import AuditRecord, CostCenter, JournalAccounts, Team
from finops.organisation.stored import Act
from tests import figures, ownership, usage

START, OCTOBER = datetime(2026, 10, 1, tzinfo=UTC), date(2026, 10, 1)
AFTER = datetime(2026, 11, 2, 12, tzinfo=UTC)
PATH, CSV = "/api/v1/allocations/2026-10.journal.csv", "/api/v1/allocations/2026-10.csv"
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
ACCOUNTS = Accounts("1999", "6999", {"CC-1": "6100", "CC-2": "6200", "CC-3": "6100"}, {"7": "2000"})
CENTS = st.decimals(min_value=-1000, max_value=1000, places=9)
Row = dict[str, str]


@pytest.fixture
def ada(administrator: User) -> User:
    """Two cost centers, one of which has no account yet, and seats with an account of their own."""
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    CostCenter.objects.filter(code="CC-1").update(gl_account="6100")
    Team.objects.create(name="cx", cost_center="CC-1")
    Team.objects.create(name="ads", cost_center="CC-2")
    usage.record(figures.random_events(5, 60, START, START + timedelta(days=30)), now=AFTER)
    seats = {"kind": "fixed", "name": "Seats", "amount": "100", "gl_account": "2000"}
    terms = {**seats, "effective_from": "2026-10-01"}
    cost_items.make(cost_items.read(terms), Act(administrator, AFTER))
    return administrator


def give_accounts(client: Client) -> None:
    CostCenter.objects.filter(code="CC-2").update(gl_account="6200")
    client.post("/settings/journal", {"clearing": "1999", "unattributed": "6999"})


def file(client: Client, query: str = "") -> str:
    response = client.get(f"{PATH}{query}")
    assert response.status_code == 200, response.content
    return response.getvalue().decode()


def lines(client: Client, query: str = "") -> list[Row]:
    return list(csv.DictReader(StringIO(file(client, query))))


def total(rows: Iterable[Row], side: str) -> Decimal:
    return sum((Decimal(row[side] or 0) for row in rows), Decimal(0))


def net(rows: Iterable[Row]) -> dict[tuple[str, str], Decimal]:
    """What accounts hold once the lines are booked."""
    found: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = row["account"], row["cost_center"]
        amount = Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
        found[key] = found.get(key, Decimal(0)) + amount
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.django_db
def test_missing_accounts_are_named_with_where_to_give_them(signed_in: Client, ada: User) -> None:
    refused = signed_in.get(PATH)
    assert refused.status_code == 409
    errors = {each["field"]: each["message"] for each in refused.json()["errors"]}
    assert errors.keys() == {"CC-2", "unattributed", "clearing"}
    assert "Settings, Journal" in errors["clearing"]
    page = signed_in.get("/settings/journal").text
    assert "without a GL account: CC-2" in page
    give_accounts(signed_in)
    assert AuditRecord.objects.filter(action="settings.change", subject="Journal").exists()
    assert "cleared by 1999" in signed_in.get("/settings").text
    assert signed_in.post("/settings/journal", {"clearing": "x" * 101}).status_code == 400
    assert {row["status"] for row in lines(signed_in)} == {"draft"}


@pytest.mark.django_db
def test_a_closed_month_is_booked_to_the_cent_and_stays(signed_in: Client, ada: User) -> None:
    give_accounts(signed_in)
    made = closing.close(OCTOBER, Act(ada, AFTER), acknowledged=ALL)
    rows = lines(signed_in)
    allocated = csv.DictReader(StringIO(signed_in.get(CSV).getvalue().decode()))
    exact = sum((Decimal(row["total_cost"]) for row in allocated), Decimal(0))
    cents = exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert total(rows, "debit") == total(rows, "credit") == cents
    assert {row["account"]: row["cost_center"] for row in rows} == {
        **{"6100": "CC-1", "6200": "CC-2", "6999": "Unattributed"},
        **{"2000": "", "1999": ""},
    }
    assert {row["credit"] for row in rows if row["account"] == "2000"} == {"100.00"}
    assert {row["reference"] for row in rows} == {f"2026-10-v1-{made.checksum[:8]}"}
    assert {row["journal_date"] for row in rows} == {"2026-10-31"}
    assert [row["line"] for row in rows] == ["1", "2", "3", "4", "5"]
    before = file(signed_in)
    CostCenter.objects.update(gl_account="9999")
    signed_in.post("/settings/journal", {"clearing": "8", "unattributed": "9"})
    assert file(signed_in) == before
    assert AuditRecord.objects.filter(action="books.journal").count() == 1
    with pytest.raises(DatabaseError, match="is never changed"), transaction.atomic():
        JournalAccounts.objects.update(accounts={})


@pytest.mark.django_db
def test_a_second_version_books_what_changed_and_nothing_twice(
    signed_in: Client, ada: User
) -> None:
    give_accounts(signed_in)
    closing.close(OCTOBER, Act(ada, AFTER), acknowledged=ALL)
    first = lines(signed_in)
    bob = User.objects.create_superuser("bob", "bob@example.org", "correct horse battery")
    closing.ask_reopening(OCTOBER, "A bill was missing.", Act(ada, AFTER))
    closing.reopen(OCTOBER, Act(bob, AFTER))
    late = [usage.event(START, team="cx", input_tokens=90_000_000)]
    usage.record(late, now=AFTER)
    for query in ("", "?since=2", "?since=x", "?since=-1"):
        refused = signed_in.get(f"{PATH}{query}")
        assert refused.status_code == 400, query
        assert "1 to 1" in refused.json()["errors"][0]["message"]
    assert {row["reference"] for row in lines(signed_in, "?since=1")} == {"2026-10-draft-since-v1"}
    CostCenter.objects.filter(code="CC-2").update(gl_account="6250")
    closing.close(OCTOBER, Act(ada, AFTER), acknowledged=ALL)
    assert signed_in.get(PATH).status_code == 400
    whole, more = lines(signed_in, "?since=0"), lines(signed_in, "?since=1")
    assert total(more, "debit") == total(more, "credit") > 0
    assert net([*first, *more]) == net(whole)
    moved = {row["account"]: row for row in more if row["cost_center"] == "CC-2"}
    assert (moved["6200"]["credit"], moved["6250"]["debit"]) != ("", "")
    assert signed_in.get("/api/v1/allocations/2026-09.journal.csv?since=1").status_code == 400


@given(
    st.dictionaries(st.sampled_from(["CC-1", "CC-2", "CC-3", "Unattributed"]), CENTS),
    st.dictionaries(st.sampled_from(["7", "8"]), CENTS),
)
def test_debits_equal_credits_whatever_the_amounts(
    centers: dict[str, Decimal], items: dict[str, Decimal]
) -> None:
    found = journal.postings(Costs(centers, items), ACCOUNTS)
    assert sum(found.values()) == 0
    debits = [amount for place, amount in found.items() if place.cost_center]
    assert sum(debits) == sum(centers.values(), Decimal(0)).quantize(Decimal("0.01"))
    for code, exact in centers.items():
        booked = found.get(Place(code, ACCOUNTS.of_center(code)), Decimal(0))
        assert abs(booked - exact) < Decimal("0.01")
    rows = list(journal.rows(found, Heading(OCTOBER, "USD", "2026-10-draft", "draft")))
    named = [dict(zip(journal.HEADER, row, strict=True)) for row in rows]
    assert total(named, "debit") == total(named, "credit")
    assert all((row["debit"] == "") != (row["credit"] == "") for row in named)
    assert not any(row["debit"].startswith("-") or row["credit"].startswith("-") for row in named)
