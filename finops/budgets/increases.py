"""More money for a budget, for a time: asking for it, deciding, and its end.

Each step is an audit record and an alert in the conversation of the budget's period, written in the
transaction that does it. What holds is read from the approved rows by their `until`, so that
an increase ends on time whether or not the worker has noted it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from finops import alerts, audit, formats
from finops.access import Reader
from finops.budgets import fields, keeping
from finops.budgets.spans import Calendar, Span
from finops.budgets.telling import text as plain
from finops.budgets.wanted import Wanted
from finops.models import Budget, BudgetIncrease, BudgetStatus
from finops.organisation.calendar import fiscal_first_month
from finops.periods import local_day

State = BudgetIncrease.State
PROGRAM = "budget increases"
WAITS = {"state": State.ASKED.value}
ALONE = "no other active user may decide about budgets"
DONE = {
    "approve": "has approved",
    "refuse": "has refused",
    "withdraw": "has withdrawn",
    "end": "has ended",
}


@dataclass(frozen=True, slots=True)
class Doing:
    """Who takes a step (a user, or the name of a program), when and from where."""

    by: Reader | str
    at: datetime
    address: str = ""


class NotWaiting(ValueError):
    """It was decided, withdrawn or has expired meanwhile; the sentence says which."""


def ask(budget: Budget, wanted: Wanted, act: Doing) -> BudgetIncrease:
    with transaction.atomic():
        increase = BudgetIncrease.objects.create(
            budget=budget,
            value=wanted.value,
            amount=wanted.amount,
            until=wanted.until,
            reason=wanted.reason,
            asked_by=actor(act),
            asked_at=act.at,
        )
        _tell(increase, "ask", act, after=terms_of(increase), reason=wanted.reason)
    return increase


def approve(pk: int, note: str, act: Doing, *, is_alone: bool = False) -> BudgetIncrease:
    """From now until it expires it is part of the amount, and thresholds that it lifts above what
    is spent are armed anew. `is_alone`: by whoever asked, as nobody else may decide, which is on
    record. Raises NotWaiting, and ValidationError where the note is no text."""
    note = checked(note)
    with transaction.atomic():
        increase = _waiting(pk, act.at)
        _decide(increase, State.APPROVED, note, act)
        keeping.amount_changed(increase.budget_id)
        after = state_of(increase) | ({"approved_own": ALONE} if is_alone else {})
        _tell(increase, "approve", act, before=WAITS, after=after, reason=note)
    return increase


def refuse(pk: int, note: str, act: Doing) -> BudgetIncrease:
    """Raises NotWaiting, and ValidationError without a note: who asked is to know why."""
    note = checked(note)
    if not note:
        raise ValidationError({"note": "Say why: whoever asked reads it."})
    with transaction.atomic():
        increase = _waiting(pk, act.at)
        _decide(increase, State.REFUSED, note, act)
        _tell(increase, "refuse", act, before=WAITS, after=state_of(increase), reason=note)
    return increase


def withdraw(pk: int, act: Doing) -> BudgetIncrease:
    """By whoever asked. Raises NotWaiting."""
    with transaction.atomic():
        increase = _waiting(pk, act.at)
        _decide(increase, State.WITHDRAWN, "", act)
        _tell(increase, "withdraw", act, before=WAITS, after=state_of(increase))
    return increase


def end(pk: int, note: str, act: Doing) -> BudgetIncrease:
    """Take an approved one back before it expires. Raises NotWaiting where it does not hold, and
    ValidationError where the note is no text."""
    note = checked(note)
    with transaction.atomic():
        increase = BudgetIncrease.objects.select_for_update().get(pk=pk)
        if increase.state != State.APPROVED or increase.until <= act.at:
            raise NotWaiting(f"It does not hold: it is {increase.get_state_display()}.")
        before = state_of(increase)
        increase.state, increase.ended_at = State.ENDED, act.at
        increase.save(update_fields=["state", "ended_at"])
        keeping.amount_changed(increase.budget_id)
        _tell(increase, "end", act, before=before, after=state_of(increase), reason=note)
    return increase


def expire(now: datetime) -> int:
    """Write down which have come to their end, approved or not; how many. Safe from any number of
    workers: a row is skipped that another one has."""
    due = BudgetIncrease.objects.filter(
        state__in=(State.ASKED, State.APPROVED), until__lte=now, budget__removed_at=None
    )
    count = 0
    with transaction.atomic():
        for increase in due.select_for_update(skip_locked=True, of=("self",)):
            before = state_of(increase)
            had_effect = increase.state == State.APPROVED
            increase.state, increase.ended_at = State.EXPIRED, increase.until
            increase.save(update_fields=["state", "ended_at"])
            if had_effect:
                keeping.amount_changed(increase.budget_id)
            _tell(increase, "expire", Doing(PROGRAM, now), before=before, after=state_of(increase))
            count += 1
    return count


def checked(note: str) -> str:
    try:
        return fields.note(note)
    except ValidationError as error:
        raise ValidationError({"note": error.messages}) from None


def _waiting(pk: int, now: datetime) -> BudgetIncrease:
    """The row, locked. Raises NotWaiting, and BudgetIncrease.DoesNotExist."""
    increase = BudgetIncrease.objects.select_for_update().get(pk=pk)
    if increase.state != State.ASKED:
        raise NotWaiting(f"It is {increase.get_state_display()} already.")
    if increase.until <= now:
        raise NotWaiting("The time that it was asked for is over.")
    return increase


def _decide(increase: BudgetIncrease, state: str, note: str, act: Doing) -> None:
    increase.state, increase.note = state, note
    increase.decided_by, increase.decided_at = actor(act), act.at
    increase.save(update_fields=["state", "note", "decided_by", "decided_at"])


def actor(act: Doing) -> str:
    return act.by if isinstance(act.by, str) else audit.name_of(act.by)


def state_of(increase: BudgetIncrease) -> dict[str, object]:
    return {"state": increase.state}


def terms_of(increase: BudgetIncrease) -> dict[str, object]:
    return {
        "amount": f"{increase.amount:f}",
        "until": increase.until.isoformat(),
        **({"value": increase.value} if increase.value else {}),
        **state_of(increase),
    }


def _tell(
    increase: BudgetIncrease,
    step: str,
    act: Doing,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object],
    reason: str = "",
) -> None:
    budget = increase.budget
    audit.record(
        f"budget.increase.{step}",
        f"#{increase.pk} of {budget.name}",
        at=act.at,
        by=act.by,
        team=budget.team,
        before=before,
        after=after,
        reason=reason,
        address=act.address,
    )
    span = Calendar(budget.period, budget.rolling_days, fiscal_first_month()).at(
        local_day(act.at, settings.REPORTING_ZONE)
    )
    amounts = amounts_of(increase, step, had_effect="approved" in (before or {}).values())
    alerts.raise_alert(
        key=f"budget-increase-{increase.pk}-{step}",
        kind="budget_increase",
        severity="info",
        title=title_of(increase, step, act, amounts),
        facts=facts_of(increase, span, reason, amounts),
        budget=budget,
        team=budget.team,
        # That of the alerts of the budget's period.
        thread=f"budget-{budget.pk}-{span.first}",
        answers=_who_asked(increase, act),
        now=act.at,
    )


def _who_asked(increase: BudgetIncrease, act: Doing) -> User | None:
    """To be told what became of it, while they see the budget; not of what they do themselves."""
    if actor(act) == increase.asked_by:
        return None
    user = User.objects.filter(username=increase.asked_by).first()
    sees = user and keeping.visible(user).filter(pk=increase.budget_id).exists()
    return user if sees else None


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of the budget, or of the value that the increase is for: `before` the step and `now`, None
    where it is not known, and for `before` where the step changes nothing. `actual` is spent."""

    before: Decimal | None
    now: Decimal | None
    actual: Decimal | None


def amounts_of(increase: BudgetIncrease, step: str, *, had_effect: bool) -> Amounts:
    """Worked out, as the figures of the last evaluation may be of before the step or after it."""
    status = BudgetStatus.objects.filter(budget=increase.budget, value=increase.value).first()
    if status is None or status.amount is None:
        return Amounts(None, None, status.actual if status else None)
    decided, looked = increase.decided_at, status.evaluated_at
    is_in = had_effect and decided is not None and decided <= looked < increase.until
    without = status.amount - (increase.amount if is_in else 0)
    if step == "approve":
        return Amounts(without, without + increase.amount, status.actual)
    if had_effect:
        return Amounts(without + increase.amount, without, status.actual)
    return Amounts(None, status.amount, status.actual)


def title_of(increase: BudgetIncrease, step: str, act: Doing, amounts: Amounts) -> str:
    """grace asks for $40.00 more for Support, until 30 Nov."""
    who, zone = actor(act), settings.REPORTING_ZONE
    what = f"{formats.money_long(increase.amount, settings.CURRENCY)} more for {increase.budget}"
    what = f"{what}: {increase.value}" if increase.value else what
    until = formats.last_day(increase.until, zone, local_day(act.at, zone))
    if step == "ask":
        return f"{who} asks for {what}, until {until}"
    said = f"{what} has expired" if step == "expire" else f"{who} {DONE[step]} {what}"
    said += f", until {until}" if step == "approve" else ""
    if amounts.before is None:
        return said
    return f"{said}: the amount is {formats.money_long(amounts.now, settings.CURRENCY)} now"


def facts_of(increase: BudgetIncrease, span: Span, note: str, amounts: Amounts) -> dict[str, Any]:
    """`amount` is what holds from now on."""
    budget = increase.budget
    return {
        "budget": budget.name,
        "value": increase.value,
        "dimension": budget.for_each,
        "period_start": span.first.isoformat(),
        "period_end": span.end.isoformat(),
        "amount": plain(amounts.now),
        "amount_before": plain(amounts.before),
        "actual": plain(amounts.actual),
        "currency": settings.CURRENCY,
        "increase": plain(increase.amount),
        "until": increase.until.isoformat(),
        "asked_by": increase.asked_by,
        "reason": increase.reason,
        "note": note if note != increase.reason else "",
        "url": f"/budgets/increases/{increase.pk}",
    }
