"""A closed month stays as it was, whatever arrives later; the next one bears the difference."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from finops import cost_items, ledger, rebuilds, rollups
from finops.allocation import add_up
from finops.books import closing, drafts, frozen, months, readiness, streaming
from finops.books.adjusting import ANEW, LATE
from finops.cells import csv_pieces
from finops.cost_items.table import HEADER
from finops.models import AuditRecord, BooksMonth, OwnershipRule, StatementVersion, Team
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.conditions import Days
from finops.ownership.rules import RuleEntry
from tests import figures, operating, ownership, usage

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
START = datetime(2026, 10, 1, tzinfo=UTC)
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
D = Decimal
ZONE = settings.REPORTING_ZONE

pytestmark = pytest.mark.django_db


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.fixture
def ada(administrator: User) -> User:
    """Prices, two teams with cost centers, and usage of two months."""
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    Team.objects.create(name="ads", cost_center="CC-2")
    usage.record(figures.random_events(7, 60, START, START + timedelta(days=60)), now=at(12, 1))
    return administrator


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_superuser("bob", "bob@example.org", "correct horse battery")


def closed(month: date, by: User, when: datetime) -> StatementVersion:
    return closing.close(month, Act(by, when), acknowledged=ALL)


def due(month: date, when: datetime) -> Decimal:
    return drafts.of_month(month, now=when).allocation.totals.adjustment


def file_of(statement: StatementVersion) -> bytes:
    return "".join(csv_pieces(HEADER, streaming.rows_of_statement(statement))).encode()


def direct(month: date, when: datetime) -> Decimal:
    """Today's, whatever the books say."""
    return cost_items.of_month(month, now=when, items=()).allocation.totals.direct_cost


def billed(*statements: StatementVersion) -> Decimal:
    return add_up(D(each.totals["total_cost"]) for each in statements)


def change_everything(when: datetime) -> None:
    """Late usage, a correction, and a price that October is rated with again."""
    first = usage.event(START + timedelta(days=3), team="cx", user="ann")
    late = [first, usage.event(START + timedelta(days=20), team="new", feature="late")]
    usage.record(late, now=when)
    fixed = {**first, "id": "fixed", "input_tokens": 400, "corrects": first["id"]}
    usage.record([fixed], now=when)
    usage.settle(when + timedelta(days=1))
    buckets = ("uncached_input", "cache_read_input", "text_output", "reasoning_output")
    prices = {f"{each}_price": "0.00001" for each in buckets}
    ledger.add(
        {"kind": "contract", "provider": "openai", "model": "mystery-model", **prices},
        author="ada",
        zone=UTC,
    )
    operating.rerate(START, START + timedelta(days=31), ZONE)
    rollups.fold_waiting(when, ZONE)


def test_what_comes_after_a_close_is_borne_once_and_the_statement_stays(
    ada: User, bob: User
) -> None:
    act = Act(ada, at(11, 2))
    seats = {"kind": "fixed", "name": "Seats", "amount": "310", "effective_from": "2026-10-01"}
    ptu = {
        "kind": "commitment", "name": "PTU", "hour_price": "0.01", "effective_from": "2026-10-01",
        "capacity_unit": "requests", "capacity_per_hour": "10",
        "filters": {"team": ["cx", "new"]},
    }  # fmt: skip
    for terms in (seats, ptu):
        cost_items.make(cost_items.read(terms), act)
    october = closed(OCTOBER, ada, at(11, 2))
    before = file_of(october)
    assert hashlib.sha256(before).hexdigest() == october.checksum
    assert due(NOVEMBER, at(12, 3)) == 0
    was = {month: direct(month, at(12, 3)) for month in (OCTOBER, NOVEMBER)}

    change_everything(at(12, 1))

    assert file_of(october) == before
    assert not frozen.problems_of(october)
    [held] = october.capacity.values()
    [now] = cost_items.of_month(OCTOBER, now=at(12, 3)).capacity
    covered = now.utilization.covered - D(held["covered"])
    more = direct(OCTOBER, at(12, 3)) - was[OCTOBER] - covered
    assert more != 0
    assert due(NOVEMBER, at(12, 3)) == more
    found = drafts.of_month(NOVEMBER, now=at(12, 3))
    assert {each.reason for each in found.allocation.adjustments} >= {LATE, ANEW}
    assert {(each.month, each.version) for each in found.allocation.adjustments} == {(OCTOBER, 1)}

    november = closed(NOVEMBER, ada, at(12, 3))
    assert D(november.totals["adjustment"]) == more
    december = date(2026, 12, 1)
    assert due(december, at(12, 4)) == 0

    closing.ask_reopening(OCTOBER, "The price was wrong.", Act(ada, at(12, 5)))
    closing.reopen(OCTOBER, Act(bob, at(12, 5)))
    again = closed(OCTOBER, ada, at(12, 6))
    assert (again.version, file_of(october)) == (2, before)
    # What November bore of October is in October now, and comes back.
    assert due(december, at(12, 6)) == -more
    truth = add_up(
        D(each.totals["total_cost"]) - D(each.totals["adjustment"]) for each in (again, november)
    )
    assert billed(again, november) + due(december, at(12, 6)) == truth
    assert D(again.totals["direct_cost"]) == direct(OCTOBER, at(12, 6))
    call_command("verify_books", stdout=(said := StringIO()))
    assert "3 statements verified" in said.getvalue()


def test_a_statement_cannot_be_changed_and_who_does_so_all_the_same_is_found_out(
    ada: User,
) -> None:
    statement = closed(OCTOBER, ada, at(11, 2))
    for change in (
        "UPDATE statement_line SET direct_cost = 0",
        "DELETE FROM statement_line",
        "UPDATE statement_version SET totals = '{}'",
        "DELETE FROM statement_version",
        "TRUNCATE statement_line",
        "TRUNCATE statement_version CASCADE",
    ):
        with pytest.raises(DatabaseError, match="is never changed"), transaction.atomic():
            connection.cursor().execute(change)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE statement_line DISABLE TRIGGER statement_line_stays")
        cursor.execute("UPDATE statement_line SET shared_cost = shared_cost + 0.01")
    assert len(frozen.problems_of(statement)) == 2
    with pytest.raises(CommandError, match="1 of 1 statements"):
        call_command("verify_books", stdout=StringIO())


@pytest.mark.parametrize(
    "change", ["shares = '[]'", "capacity = '{}'", "closed_by = 'mallory'", "warnings = '{}'"]
)
def test_what_a_statement_says_beside_its_file_is_held_against_its_digest(
    ada: User, change: str
) -> None:
    seats = {"name": "Seats", "kind": "fixed", "amount": "310", "effective_from": "2026-10-01"}
    ptu = {"name": "PTU", "kind": "commitment", "hour_price": "1", "capacity_unit": "requests"}
    begins = {"capacity_per_hour": "10", "effective_from": "2026-10-01"}
    for terms in (seats, {**ptu, **begins}):
        cost_items.make(cost_items.read(terms), Act(ada, at(10, 1)))
    statement = closed(OCTOBER, ada, at(11, 2))
    assert frozen.problems_of(StatementVersion.objects.get(pk=statement.pk)) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE statement_version DISABLE TRIGGER statement_version_stays")
        cursor.execute(f"UPDATE statement_version SET {change}")
    [said] = frozen.problems_of(StatementVersion.objects.get(pk=statement.pk))
    assert "beside its lines" in said


def test_another_time_zone_is_refused_while_months_are_closed(ada: User) -> None:
    closed(OCTOBER, ada, at(11, 2))
    with pytest.raises(rebuilds.BooksKept, match="not be what was billed"):
        rebuilds.forget_all(at(11, 3), ZoneInfo("America/New_York"))


def test_months_are_closed_when_they_are_over_in_their_order_and_with_open_eyes(
    ada: User,
) -> None:
    with pytest.raises(ValidationError, match="is not over"):
        closed(OCTOBER, ada, at(10, 30))
    usage.store([usage.event(at(10, 5))], now=at(11, 2))
    with pytest.raises(ValidationError, match="1 event of the month wait"):
        closed(OCTOBER, ada, at(11, 2))
    rollups.fold_waiting(at(11, 2), ZONE)
    with pytest.raises(ValidationError) as refused:
        closing.close(OCTOBER, Act(ada, at(11, 2)), acknowledged=["unchecked", "unattributed"])
    assert ["Acknowledge “unpriced”" in each for each in refused.value.messages] == [True]
    with pytest.raises(ValidationError, match=r"nothing in September 2026.* begin on 2026-10-01"):
        closed(SEPTEMBER, ada, at(11, 2))
    assert not BooksMonth.objects.exists()
    closed(OCTOBER, ada, at(11, 2))
    for month, words in (
        (OCTOBER, "closed already"),
        (SEPTEMBER, "The books begin with October 2026"),
        (date(2026, 12, 1), "November 2026 is open"),
    ):
        with pytest.raises(ValidationError, match=words):
            closed(month, ada, datetime(2027, 1, 9, tzinfo=UTC))


def test_a_month_is_reopened_by_two_people_and_the_log_knows_all(ada: User, bob: User) -> None:
    closed(OCTOBER, ada, at(11, 2))
    by_ada, by_bob = Act(ada, at(11, 3)), Act(bob, at(11, 3))
    closing.mark_sent(OCTOBER, "owners@example.com", by_ada)
    assert drafts.of_month(OCTOBER, now=at(11, 3)).status == "sent"
    with pytest.raises(ValidationError, match="Nobody has asked"):
        closing.reopen(OCTOBER, by_bob)
    with pytest.raises(ValidationError, match="Say why"):
        closing.ask_reopening(OCTOBER, "  ", by_ada)
    closing.ask_reopening(OCTOBER, "Wrong owner.", by_ada)
    with pytest.raises(ValidationError, match="Another person"):
        closing.reopen(OCTOBER, by_ada)
    closing.withdraw_reopening(OCTOBER, by_bob)
    assert months.closed_until() == NOVEMBER
    closing.ask_reopening(OCTOBER, "Wrong owner.", by_ada)
    closing.reopen(OCTOBER, by_bob)
    assert months.closed_until() == OCTOBER
    assert drafts.of_month(OCTOBER, now=at(11, 3)).status == "draft"
    records = AuditRecord.objects.filter(action__startswith="books.").order_by("pk")
    assert list(records.values_list("action", "actor", "reason")) == [
        ("books.close", "ada", ""),
        ("books.send", "ada", ""),
        ("books.ask_reopening", "ada", "Wrong owner."),
        ("books.keep_closed", "bob", "Wrong owner."),
        ("books.ask_reopening", "ada", "Wrong owner."),
        ("books.reopen", "bob", "Wrong owner."),
    ]


def test_no_rule_and_no_cost_item_reaches_into_a_closed_month(ada: User, bob: User) -> None:
    act = Act(ada, at(12, 2))
    closed(OCTOBER, ada, at(11, 2))
    closed(NOVEMBER, ada, at(12, 1))
    december = date(2026, 12, 1)

    def refused(start: date, end: date | None, words: str) -> None:
        terms: dict[str, Any] = {"name": "Seats", "kind": "fixed", "amount": "31"}
        days = {"effective_from": str(start), "effective_to": str(end) if end else ""}
        for doing in (
            lambda: rules.make(RuleEntry({"team": "hr"}, "CC-1", Days(start, end)), act),
            lambda: cost_items.make(cost_items.read(terms | days), act),
        ):
            with pytest.raises(ValidationError, match=words):
                doing()

    refused(OCTOBER, None, "before 2026-12-01 are closed")
    closing.ask_reopening(OCTOBER, "Wrong owner.", act)
    closing.reopen(OCTOBER, Act(bob, at(12, 2)))
    refused(SEPTEMBER, NOVEMBER, "before 2026-10-01 are closed")
    refused(OCTOBER, None, "November 2026 is closed too")
    rules.make(RuleEntry({"team": "hr"}, "CC-1", Days(OCTOBER, NOVEMBER)), act)
    rules.make(RuleEntry({"team": "hr"}, "CC-1", Days(december)), act)
    true_up = {"name": "Bill", "kind": "true_up", "amount": "3", "effective_from": "2026-10-31"}
    cost_items.make(cost_items.read(true_up), act)
    assert OwnershipRule.objects.count() == 2


def test_who_sees_some_teams_sees_their_lines_of_a_statement(ada: User) -> None:
    closed(OCTOBER, ada, at(11, 2))
    found = drafts.of_month(OCTOBER, now=at(11, 3), reader_teams=("cx",))
    assert {line.key.team for line in found.allocation.lines} == {"cx"}
    assert (found.is_narrowed, found.status) == (True, "closed")


def test_a_month_without_usage_closes_to_nothing(administrator: User) -> None:
    assert not readiness.look(OCTOBER, at(11, 2)).warnings
    made = closing.close(OCTOBER, Act(administrator, at(11, 2)))
    assert made.totals["total_cost"] == "0"
    assert file_of(made).count(b"\r\n") == 1
