"""What a cost item comes to in a month, as charges to share out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, cast

from finops.allocation import Charge, LineKey, Percent, Usage
from finops.allocation.capacity import Utilization, monthly
from finops.allocation.charges import Column, Measure, Method
from finops.cost_items.drafts import Draft
from finops.models import CostItem
from finops.pricing.formula import EXACT
from finops.query import UNATTRIBUTED

Kind = CostItem.Kind


class Placed(NamedTuple):
    """An item at its place; `key` is what charges and shares call it by."""

    key: str
    draft: Draft


class Span(NamedTuple):
    """From a day until before another one."""

    first: date
    end: date


def span_of(draft: Draft, month: Span) -> Span | None:
    """The days of the month on which the item counts; None where there are none."""
    if draft.kind == Kind.TRUE_UP:
        return month if month.first <= draft.effective_from < month.end else None
    found = Span(
        max(draft.effective_from, month.first), min(draft.effective_to or month.end, month.end)
    )
    return found if found.first < found.end else None


def plain_charge(item: Placed, month: Span, scope: Mapping[LineKey, Usage] | None) -> Charge:
    """Of what is paid whatever is used of it."""
    return charge_of(item, item.draft.name, amount_in(item.draft, month), "shared_cost", scope)


def amount_in(draft: Draft, month: Span) -> Decimal | Percent:
    sign = -1 if draft.kind == Kind.CREDIT else 1
    if draft.percent is not None:
        return Percent(sign * draft.percent, cast(Any, draft.percent_of))
    amount = draft.amount or Decimal(0)
    if draft.kind == Kind.TRUE_UP:
        return amount
    return sign * monthly(amount, month.first, draft.effective_from, draft.effective_to)


def capacity_charges(
    item: Placed, use: Utilization, scope: Mapping[LineKey, Usage]
) -> list[Charge]:
    """What was used costs its part of the fee: beside its direct cost only the difference. What was
    not used is shared out as the item says. Together with the direct cost that the fee covers they
    come to the fee."""
    name, fallback = item.draft.name, item.draft.fallback or UNATTRIBUTED
    has_cost = any(usage.direct_cost > 0 for usage in scope.values())
    difference = Charge(
        item=item.key,
        name=f"{name}: used",
        amount=EXACT.subtract(use.used_fee, use.covered),
        measure="direct_cost" if has_cost else "requests",
        scope=scope,
        fallback=fallback,
    )
    unused = charge_of(item, f"{name}: not used", use.unused_fee, "idle_cost", scope)
    return [difference, unused]


def charge_of(
    item: Placed,
    name: str,
    amount: Decimal | Percent,
    column: Column,
    scope: Mapping[LineKey, Usage] | None,
) -> Charge:
    draft = item.draft
    return Charge(
        item=item.key,
        name=name,
        amount=amount,
        column=column,
        method=cast(Method, draft.method),
        measure=cast(Measure, draft.measure),
        weights=draft.weights or {},
        scope=scope,
        targets=frozenset(draft.targets) or None,
        fallback=draft.fallback or UNATTRIBUTED,
    )
