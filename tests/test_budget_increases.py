"""Asking for more of a budget: who may ask, who decides, what then holds and for how long."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from budget_desk import given, made, of_team
from django.contrib.auth.models import User
from django.test import Client
from telling import Mails, channel, emptied
from telling import mails as mails

from finops.budgets import increases, watched
from finops.models import Alert, AuditRecord, Budget, BudgetIncrease
from tests import usage
from tests.desks import reader

pytestmark = pytest.mark.django_db
State = BudgetIncrease.State


@pytest.fixture
def finance() -> Client:
    return reader("finance")


@pytest.fixture
def engineer() -> Client:
    return reader("engineer", "cx")


@pytest.fixture
def budget(finance: Client) -> Budget:
    return made(finance, of_team("cx"))


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def asked(client: Client, budget: Budget, **changes: Any) -> BudgetIncrease:
    form = {"amount": "40", "until": in_days(3), "reason": "launch week", **changes}
    response = client.post(f"/budgets/{budget.pk}/increase", form)
    assert response.status_code == 302, response.content.decode()
    return BudgetIncrease.objects.get(pk=int(response["Location"].rsplit("/", 1)[1]))


def decide(client: Client, increase: BudgetIncrease, verb: str, note: str = "") -> int:
    form = {"verb": verb, "note": note}
    return client.post(f"/budgets/increases/{increase.pk}", form).status_code


def more(budget: Budget, at: datetime | None = None) -> list[str]:
    held = watched.increases([budget], at or datetime.now(UTC))
    return [f"{each.value}+{each.amount.normalize():f}" for each in held.get(budget.pk, [])]


def test_an_engineer_asks_and_finance_approves(
    engineer: Client, finance: Client, budget: Budget
) -> None:
    increase = asked(engineer, budget)
    assert more(budget) == []
    waiting = f'<a href="/budgets/increases/{increase.pk}">Decide</a>'
    assert waiting in finance.get("/budgets").content.decode()
    assert waiting not in engineer.get("/budgets").content.decode()
    assert decide(finance, increase, "approve", "fine") == 302
    assert more(budget) == ["+40"]
    increase.refresh_from_db()
    assert (increase.state, increase.decided_by, increase.note) == (
        State.APPROVED,
        "finance-",
        "fine",
    )
    page = engineer.get(f"/budgets/{budget.pk}").content.decode()
    assert "launch week" in page
    assert "approved" in page


def test_every_step_is_on_record_and_in_one_conversation(
    engineer: Client, finance: Client, budget: Budget
) -> None:
    decide(finance, asked(engineer, budget), "refuse", "not this month")
    decide(finance, asked(engineer, budget), "approve")
    steps = AuditRecord.objects.filter(action__startswith="budget.increase").order_by("id")
    assert [(each.actor, each.action.rpartition(".")[2], each.team) for each in steps] == [
        ("engineer-cx", "ask", "cx"),
        ("finance-", "refuse", "cx"),
        ("engineer-cx", "ask", "cx"),
        ("finance-", "approve", "cx"),
    ]
    alerts = list(Alert.objects.filter(kind="budget_increase"))
    assert len(alerts) == 4
    assert len({each.thread for each in alerts}) == 1
    assert {each.budget_id for each in alerts} == {budget.pk}
    said = {Decimal(each.facts["increase"]) for each in alerts}
    assert (said, alerts[-1].facts["reason"]) == ({Decimal(40)}, "launch week")


def test_it_ends_by_itself_and_the_worker_notes_it_once(
    engineer: Client, finance: Client, budget: Budget
) -> None:
    increase = asked(engineer, budget)
    decide(finance, increase, "approve")
    increase.refresh_from_db()
    before, after = increase.until - timedelta(seconds=1), increase.until
    assert (more(budget, before), more(budget, after)) == (["+40"], [])
    assert [increases.expire(at) for at in (before, after, after)] == [0, 1, 0]
    increase.refresh_from_db()
    assert (increase.state, increase.ended_at) == (State.EXPIRED, after)
    assert AuditRecord.objects.filter(action="budget.increase.expire").count() == 1


def test_what_nobody_decides_expires_too(engineer: Client, budget: Budget) -> None:
    increase = asked(engineer, budget)
    assert increases.expire(increase.until) == 1
    increase.refresh_from_db()
    assert increase.state == State.EXPIRED


def test_approving_and_ending_count_as_changes_of_the_amount(
    engineer: Client, finance: Client, budget: Budget
) -> None:
    """By which thresholds are armed anew."""
    increase = asked(engineer, budget)
    revisions = []
    for verb in ("approve", "end"):
        assert decide(finance, increase, verb) == 302
        budget.refresh_from_db()
        revisions.append(budget.amount_revision)
    assert revisions == [1, 2]
    assert more(budget) == []


def test_refusing_needs_a_reason(engineer: Client, finance: Client, budget: Budget) -> None:
    increase = asked(engineer, budget)
    response = finance.post(f"/budgets/increases/{increase.pk}", {"verb": "refuse", "note": " "})
    assert response.status_code == 400
    assert "Say why" in response.content.decode()


def test_only_managers_decide_and_only_the_asker_withdraws(
    engineer: Client, finance: Client, budget: Budget
) -> None:
    increase = asked(engineer, budget)
    assert decide(engineer, increase, "approve") == 403
    assert decide(finance, increase, "withdraw") == 403
    assert decide(engineer, increase, "withdraw") == 302
    assert decide(finance, increase, "approve") == 400  # it does not wait any more
    assert more(budget) == []


def test_nobody_decides_about_what_they_asked_for_while_somebody_else_may(
    finance: Client, budget: Budget
) -> None:
    increase, other = asked(finance, budget), reader("administrator")
    path = f"/budgets/increases/{increase.pk}"
    shown = finance.get(path).content.decode()
    assert "You asked for this yourself" in shown
    assert re.findall(r'name="verb" value="(\w+)"', shown) == ["withdraw"]
    assert path not in finance.get("/budgets").content.decode()
    assert path in other.get("/budgets").content.decode()
    api = f"/api/v1/budgets/{budget.pk}/increases/{increase.pk}"
    for verb in ("approve", "refuse"):
        assert decide(finance, increase, verb, "mine") == 403
        body = {"verb": verb, "note": "mine"}
        answer = finance.post(api, body, content_type="application/json")
        assert answer.status_code == 403
        assert "somebody else of administrators and finance decides" in answer.json()["detail"]
    assert more(budget) == []
    assert decide(other, increase, "approve") == 302
    assert more(budget) == ["+40"]
    record = AuditRecord.objects.get(action="budget.increase.approve")
    assert "approved_own" not in record.after


@pytest.mark.parametrize("by", ["page", "api"])
def test_whoever_is_left_alone_approves_their_own_and_the_record_says_so(
    finance: Client, budget: Budget, by: str
) -> None:
    reader("administrator")
    User.objects.filter(username="administrator-").update(is_active=False)
    increase = asked(finance, budget)
    if by == "page":
        assert decide(finance, increase, "approve") == 302
    else:
        path = f"/api/v1/budgets/{budget.pk}/increases/{increase.pk}"
        answer = finance.post(path, {"verb": "approve"}, content_type="application/json")
        assert answer.json()["state"] == "approved"
    record = AuditRecord.objects.get(action="budget.increase.approve")
    assert record.after["approved_own"] == "no other active user may decide about budgets"
    assert record.actor == "finance-"


def test_two_who_decide_at_once_decide_once(
    engineer: Client, finance: Client, budget: Budget
) -> None:
    increase = asked(engineer, budget)
    assert decide(finance, increase, "approve") == 302
    by = increases.Doing(User.objects.get(username="finance-"), datetime.now(UTC))
    with pytest.raises(increases.NotWaiting, match="approved"):
        increases.refuse(increase.pk, "too much", by)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": "0"}, "Write more than 0"),
        ({"amount": ""}, "Write how much more"),
        ({"until": "2020-01-01"}, "is not over yet"),
        ({"until": "tomorrow"}, "neither a date"),
        ({"until": "2099-01-01"}, "within a year"),
        ({"reason": "  "}, "Say what it is needed for"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    engineer: Client, budget: Budget, wrong: dict[str, str], said: str
) -> None:
    form = {"amount": "40", "until": in_days(3), "reason": "launch", **wrong}
    response = engineer.post(f"/budgets/{budget.pk}/increase", form)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not BudgetIncrease.objects.exists()


def test_one_value_of_a_budget_for_each_gets_more(finance: Client) -> None:
    each = made(finance, given(for_each="user", period="daily"))
    form = {"amount": "40", "until": in_days(3), "reason": "launch week", "value": "u-1"}
    refused = finance.post(f"/budgets/{each.pk}/increase", form)
    assert "No usage so far has the user “u-1”" in refused.content.decode()
    now = datetime.now(UTC)
    usage.record([usage.event(now, user="u-1")], now=now)
    increase = asked(finance, each, value="u-1")
    decide(finance, increase, "approve")
    assert more(each) == ["u-1+40"]


def test_other_teams_and_viewers_do_not_ask(budget: Budget) -> None:
    form = {"amount": "40", "until": in_days(3), "reason": "launch"}
    for role, team, status in (("engineer", "ads", 404), ("viewer", "cx", 403)):
        response = reader(role, team).post(f"/budgets/{budget.pk}/increase", form)
        assert response.status_code == status


def test_a_note_that_is_too_long_is_refused_beside_its_field(
    finance: Client, budget: Budget
) -> None:
    increase = asked(finance, budget)
    note = "long " * 500
    assert decide(finance, increase, "refuse", note) == 400
    assert decide(finance, increase, "approve", note) == 400
    path = f"/api/v1/budgets/{budget.pk}/increases/{increase.pk}"
    body = {"verb": "approve", "note": note}
    answer = finance.post(path, body, content_type="application/json")
    assert answer.status_code == 400
    assert "2,000" in str(answer.json())
    assert decide(finance, increase, "approve") == 302
    assert decide(finance, increase, "end", note) == 400


def test_what_ends_with_a_deleted_budget_is_no_news(finance: Client, budget: Budget) -> None:
    increase = asked(finance, budget)
    assert finance.post(f"/budgets/{budget.pk}/delete").status_code == 302
    told = Alert.objects.count()
    increases.expire(increase.until)
    assert Alert.objects.count() == told


def test_who_asked_is_mailed_the_decision_unless_a_channel_tells_them(
    engineer: Client, finance: Client, budget: Budget, mails: Mails
) -> None:
    now = datetime.now(UTC)
    user = User.objects.get(username="engineer-cx")
    decide(finance, asked(engineer, budget), "refuse", "no address, no mail")
    user.email = "Eve@example.org"
    user.save()
    decide(finance, asked(engineer, budget), "refuse", "not this month")
    decide(engineer, asked(engineer, budget), "withdraw")
    decide(finance, asked(engineer, budget), "approve")
    emptied(now + timedelta(minutes=1))
    assert mails.recipients == ["eve@example.org"] * 2
    assert "not this month" in mails.received[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    first, second = mails.received
    assert second["In-Reply-To"] == first["Message-ID"]
    assert "has refused" in first["Subject"]
    assert "has approved" in second["Subject"]
    channel("email", "eve@example.org", now)
    decide(finance, asked(engineer, budget), "approve")
    emptied(now + timedelta(minutes=2))
    assert mails.recipients == ["eve@example.org"] * 4, "what was asked and decided, once each"
