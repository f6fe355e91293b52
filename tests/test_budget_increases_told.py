"""What is told of an increase names the amount that holds from then on, and the note first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import budgeting
import pytest
from desks import reader
from django.contrib.auth.models import User
from telling import Mails, channel, emptied
from telling import mails as mails

from finops import budgets
from finops.budgets import increases, wanted
from finops.budgets.increases import Doing
from finops.models import Alert, Budget, BudgetIncrease, BudgetStatus

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 14, 12, tzinfo=UTC)
DECIDED, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
ENDS = datetime(2026, 10, 31, tzinfo=UTC)


@pytest.fixture
def budget() -> Budget:
    """5 USD a month, of which 2 are spent."""
    budgeting.price_dollars()
    reader("finance")
    made = budgeting.budget(NOW, name="Launch", amount=5, by=User.objects.get(username="finance-"))
    budgeting.spend(NOW, 2, now=NOW)
    evaluated(NOW)
    return made


def evaluated(at: datetime) -> None:
    budgets.evaluate(at, budgeting.UTC_ZONE)


def asked(budget: Budget) -> BudgetIncrease:
    form = {"amount": "2", "until": "2026-10-30", "reason": "launch week"}
    terms = wanted.read(form, budget, NOW, budgeting.UTC_ZONE)
    return increases.ask(budget, terms, Doing("grace", NOW))


def latest() -> Alert:
    return Alert.objects.filter(kind="budget_increase").latest("pk")


def amounts() -> tuple[str | None, str | None]:
    facts = latest().facts
    return facts["amount_before"], facts["amount"]


def test_an_approval_names_the_new_amount_and_its_last_day(budget: Budget) -> None:
    increase = asked(budget)
    assert latest().title == "grace asks for $2.00 more for Launch, until 30\N{NO-BREAK SPACE}Oct"
    assert amounts() == (None, "5")
    increases.approve(increase.pk, "fine", Doing("ann", DECIDED))
    assert latest().title == (
        "ann has approved $2.00 more for Launch, until 30\N{NO-BREAK SPACE}Oct: "
        "the amount is $7.00 now"
    )
    assert amounts() == ("5", "7")
    assert latest().facts["increase"] == "2", "amounts are written as everywhere"


@pytest.mark.parametrize("is_evaluated", [True, False])
def test_the_end_of_an_increase_names_what_is_left(budget: Budget, is_evaluated: bool) -> None:
    increase = increases.approve(asked(budget).pk, "", Doing("ann", DECIDED))
    if is_evaluated:
        evaluated(LATER)
        assert BudgetStatus.objects.get(budget=budget).amount == Decimal(7)
    increases.end(increase.pk, "", Doing("ann", LATER))
    assert latest().title == "ann has ended $2.00 more for Launch: the amount is $5.00 now"
    assert amounts() == ("7", "5")


@pytest.mark.parametrize("is_evaluated", [True, False])
def test_what_expires_does_too(budget: Budget, is_evaluated: bool) -> None:
    increases.approve(asked(budget).pk, "", Doing("ann", DECIDED))
    evaluated(ENDS if is_evaluated else LATER)
    assert increases.expire(ENDS) == 1
    assert latest().title == "$2.00 more for Launch has expired: the amount is $5.00 now"
    assert amounts() == ("7", "5")


def test_what_was_never_approved_changes_no_amount(budget: Budget) -> None:
    asked(budget)
    assert increases.expire(ENDS) == 1
    assert latest().title == "$2.00 more for Launch has expired"
    assert amounts() == (None, "5")


def test_the_mail_begins_with_the_note_and_the_new_amount(budget: Budget, mails: Mails) -> None:
    channel("email", "ann@example.org", NOW)
    increases.approve(asked(budget).pk, "for the launch alone", Doing("ann", DECIDED))
    emptied(LATER)
    lines = mails.received[-1].get_body(("plain",)).get_content().splitlines()  # type: ignore[union-attr]
    said = [each for each in lines if ": " in each]
    assert said[1:5] == [
        "Note: for the launch alone",
        "Budget: Launch",
        "Amount: $7.00, before it was $5.00",
        "Until: 30\N{NO-BREAK SPACE}Oct",
    ]
    assert any(each.startswith("Spent: $2.00 of $7.00") for each in said)
