"""What a budget has for one period: fixed, planned by month, or the last period more or less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from finops.budgets.drafts import Draft
from finops.budgets.spans import Span
from finops.models import Budget

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Increase:
    """So much more for a time that is running, for one value, or with "" for every one."""

    value: str
    amount: Decimal


def of(
    draft: Draft,
    span: Span,
    previous: Decimal | None,
    *,
    value: str = "",
    increases: Iterable[Increase] = (),
) -> Decimal | None:
    """The amount of the period; None where nothing says it, as when the last period had no cost.

    `previous` is what the value had cost in the period before.
    """
    own = _own(draft, span, previous)
    if own is None:
        return None
    return own + sum((each.amount for each in increases if each.value in {"", value}), Decimal(0))


def _own(draft: Draft, span: Span, previous: Decimal | None) -> Decimal | None:
    if draft.amount_kind == Budget.AmountKind.PLAN:
        plan = dict(draft.plan)
        months = [plan.get(month, draft.amount) for month in span.months()]
        known = [amount for amount in months if amount is not None]
        return sum(known, Decimal(0)) if len(known) == len(months) else None
    if draft.amount_kind == Budget.AmountKind.LAST_PERIOD and previous:
        return previous * (HUNDRED + (draft.change_percent or 0)) / HUNDRED
    return draft.amount
