"""What a cost item comes to in a month, as charges to share out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, cast

from finops.allocation import Charge, LineKey, Percent, Usage
from finops.allocation.capacity import Utilization, monthly
from finops.allocation.charges import Column, Measure, Method
from finops.cost_items.drafts import Draft
from finops.models import CostItem
from finops.query import UNATTRIBUTED

Kind = CostItem.Kind


class Placed(NamedTuple):
    """An item at its place; `key` is what charges and shares call it by."""

    key: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class UseOfCapacity:
    """What was made of an item's capacity; by line, what its use comes to of the fee, and its
    direct cost that the fee pays for."""

    utilization: Utilization
    by_line: Mapping[LineKey, Decimal]
    covered: Mapping[LineKey, Decimal]


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
    item: Placed, use: UseOfCapacity, scope: Mapping[LineKey, Usage]
) -> list[Charge]:
    """What was used costs its part of the fee, borne by whoever used it, hour by hour: beside its
    direct cost only the difference. What was not used is shared out as the item says. Together with
    the direct cost that the fee covers they come to the fee."""
    name, held = item.draft.name, use.utilization
    used = Charge(
        item=item.key,
        name=f"{name}: used",
        amount=held.used_fee,
        measure="used",
        scope=scope,
        used=use.by_line,
        paid=use.covered,
        fallback=item.draft.fallback or UNATTRIBUTED,
    )
    unused = charge_of(item, f"{name}: not used", held.unused_fee, "idle_cost", scope)
    return [used, replace(unused, used=use.by_line)]


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
