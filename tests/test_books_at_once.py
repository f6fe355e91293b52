"""Two acts on the books at the same moment: one comes first, and the other is told plainly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from finops import cost_items, locks, rollups
from finops.allocation import add_up
from finops.books import closing, drafts, frozen
from finops.books.months import State
from finops.locks import Lock
from finops.models import AuditRecord, BooksMonth, OwnershipRule, StatementVersion, Team
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.conditions import Days
from finops.ownership.rules import RuleEntry
from tests import figures, operating, ownership, usage
from tests.fact_tables import forget_facts

pytestmark = pytest.mark.django_db(transaction=True)

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
START = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 4, 12, tzinfo=UTC)
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
ZONE = settings.REPORTING_ZONE


@pytest.fixture
def ada() -> Iterator[Act]:
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    usage.record(figures.random_events(3, 20, START, START + timedelta(days=60)), now=NOW)
    yield Act(User.objects.create_superuser("ada", "ada@example.org", "correct horse"), NOW)
    forget_facts()


@pytest.fixture
def bob(db: None) -> Act:
    return Act(User.objects.create_superuser("bob", "bob@example.org", "correct horse"), NOW)


def close(month: date, act: Act) -> Callable[[], object]:
    return lambda: closing.close(month, act, acknowledged=ALL)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Holds the books until all of them wait for it or are past it, so that they do meet; what they
    were told, '' where it was done, in their order."""
    told = [""] * len(acts)

    def do(place: int) -> None:
        try:
            acts[place]()
        except ValidationError as error:
            told[place] = " ".join(error.messages)
        except BaseException as error:
            told[place] = repr(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(acts))]
    with locks.held(Lock.BOOKS):
        for each in threads:
            each.start()
        while waiting() < alive(threads):
            threads[0].join(timeout=0.02)
    for each in threads:
        each.join(timeout=60)
    return told


def alive(threads: list[threading.Thread]) -> int:
    return sum(each.is_alive() for each in threads)


def waiting() -> int:
    """How many wait for a lock, or for a transaction that does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchall()[0][0])


def direct(month: date) -> Decimal:
    """Today's, whatever the books say."""
    return cost_items.of_month(month, now=NOW, items=()).allocation.totals.direct_cost


def nothing_is_lost(month: date = OCTOBER) -> None:
    """What was frozen, and what the next month bears of it, is what the month comes to."""
    statement = StatementVersion.objects.filter(month=month).latest("version")
    due = add_up(
        each.amount
        for each in drafts.of_month(NOVEMBER, now=NOW).allocation.adjustments
        if each.month == month
    )
    assert not frozen.problems_of(statement)
    assert Decimal(statement.totals["direct_cost"]) + due == direct(month)


def test_of_two_closes_one_is_told_that_the_month_is_closed_already(ada: Act, bob: Act) -> None:
    told = at_once(close(OCTOBER, ada), close(OCTOBER, bob))
    assert sorted(told)[0] == ""
    assert sorted(told)[1] == "October 2026 is closed already, as version 1."
    assert StatementVersion.objects.count() == 1
    assert AuditRecord.objects.filter(action="books.close").count() == 1


def test_of_two_who_ask_or_agree_one_does(ada: Act, bob: Act) -> None:
    closing.close(OCTOBER, ada, acknowledged=ALL)
    asking = [lambda: closing.ask_reopening(OCTOBER, "Wrong.", ada)] * 2
    assert sorted(at_once(*asking)) == ["", "ada has asked for that already."]
    told = at_once(
        lambda: closing.reopen(OCTOBER, bob), lambda: closing.withdraw_reopening(OCTOBER, ada)
    )
    assert sorted(told)[0] == ""
    assert sorted(told)[1] in {
        "October 2026 is not closed.",
        "Nobody has asked to have October 2026 reopened.",
    }
    assert AuditRecord.objects.filter(action__in=("books.reopen", "books.keep_closed")).count() == 1


def test_a_month_that_is_opened_again_keeps_the_next_one_from_closing(ada: Act, bob: Act) -> None:
    closing.close(OCTOBER, ada, acknowledged=ALL)
    closing.ask_reopening(OCTOBER, "Wrong.", ada)
    reopening, closed = at_once(lambda: closing.reopen(OCTOBER, bob), close(NOVEMBER, ada))
    assert reopening == ""
    is_closed = BooksMonth.objects.filter(month=NOVEMBER, state=State.CLOSED).exists()
    assert (closed == "") is is_closed
    assert is_closed or closed.startswith("October 2026 is open")


def test_a_rule_is_in_the_statement_or_refused(ada: Act, bob: Act) -> None:
    entry = RuleEntry({"team": "ads"}, "CC-2", Days(OCTOBER, NOVEMBER))
    made, closed = at_once(lambda: rules.make(entry, bob), close(OCTOBER, ada))
    assert closed == ""
    centers = {each.key.cost_center for each in drafts.of_month(OCTOBER, now=NOW).allocation.lines}
    assert ("CC-2" in centers) is (made == "") is OwnershipRule.objects.exists()
    assert made == "" or "closed" in made


def test_what_arrives_or_is_rated_again_while_a_month_closes_is_borne_once(
    ada: Act, bob: Act
) -> None:
    late = [usage.event(START + timedelta(days=day), team="cx") for day in range(3)]
    told = at_once(lambda: usage.record(late, now=NOW), close(OCTOBER, ada))
    assert told[0] == ""
    assert told[1] == "" or "wait to be rolled up" in told[1]
    rollups.fold_waiting(NOW, ZONE)
    if told[1]:
        closing.close(OCTOBER, ada, acknowledged=ALL)
    nothing_is_lost()
    closing.ask_reopening(OCTOBER, "Again.", ada)
    closing.reopen(OCTOBER, bob)
    figures_change = lambda: operating.rerate(START, START + timedelta(days=3), ZONE)  # noqa: E731
    told = at_once(figures_change, close(OCTOBER, ada))
    assert told[0] == ""
    assert told[1] == "" or "are being worked on" in told[1]
    if told[1]:
        closing.close(OCTOBER, ada, acknowledged=ALL)
    nothing_is_lost()


def test_whoever_waits_too_long_for_one_lock_gives_back_the_others(ada: Act) -> None:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            locks.hold(Lock.OWNERSHIP)
            taken.set()
            done.wait(timeout=30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(timeout=30)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
        with pytest.raises(OperationalError):
            closing.close(OCTOBER, ada, acknowledged=ALL)
        cursor.execute("RESET lock_timeout")
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert cursor.fetchall() == [(0,)]
    done.set()
    holder.join()
    closing.close(OCTOBER, ada, acknowledged=ALL)
