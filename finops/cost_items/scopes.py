"""Which usage an item means, and whether two of them can mean the same request."""

from __future__ import annotations

from collections.abc import Iterable

from finops.cost_items.drafts import Draft
from finops.models import CostItem
from finops.query import UNATTRIBUTED, Filter

GPU_SECONDS = CostItem.Unit.GPU_SECONDS.value


def scope_of(draft: Draft) -> tuple[Filter, ...]:
    """The usage that is meant: that of a fleet's own name, where nothing is said. What a provider
    is paid for tokens or requests covers none of fleets, unless the filters name one."""
    if draft.kind == CostItem.Kind.FLEET and not draft.filters:
        return (Filter("fleet", (draft.name,)),)
    is_bought = draft.kind == CostItem.Kind.COMMITMENT and draft.capacity_unit != GPU_SECONDS
    if is_bought and all(each.dimension != "fleet" for each in draft.filters):
        return (*draft.filters, Filter("fleet", (UNATTRIBUTED,)))
    return draft.filters


def are_apart(one: Iterable[Filter], other: Iterable[Filter]) -> bool:
    """Whether no request is kept by both: one dimension of which they keep different values."""
    theirs = list(other)
    return any(
        mine.dimension == its.dimension and _excludes(mine, its) for mine in one for its in theirs
    )


def _excludes(mine: Filter, its: Filter) -> bool:
    if mine.exclude and its.exclude:
        return False
    if mine.exclude or its.exclude:
        kept, dropped = (its, mine) if mine.exclude else (mine, its)
        return set(kept.values) <= set(dropped.values)
    return not set(mine.values) & set(its.values)
