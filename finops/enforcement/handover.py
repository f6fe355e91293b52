"""What enforcement is handed: only what has changed, and all of it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from finops.models import EnforcementPlan, EnforcementStanding, EnforcementState

PORTION = 5_000


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one budget and value, in the period that began then."""

    period_start: datetime
    spent: Decimal
    amount: Decimal | None = None


Place = tuple[int, str]  # a budget and a value


@dataclass(slots=True)
class Handed:
    """What was handed over last, so that it need not be read again; somebody else's hand-over has
    another version."""

    version: int = -1
    spent: dict[Place, Spent] = field(default_factory=dict)


def hand_over(
    terms: Mapping[int, Mapping[str, Any]],
    spent: Mapping[Place, Spent],
    failing: Sequence[int],
    handed: Handed,
    *,
    as_of: datetime,
    now: datetime,
    anew: bool = False,
) -> int:
    """In the caller's transaction; how many rows changed. Of budgets that are `failing` what was
    spent stays as it was; with `anew` all is to be read again. Nothing is written where there never
    was an enforced budget."""
    state = EnforcementState.objects.select_for_update().first()
    if state is None:
        if not terms:
            return 0
        state = EnforcementState(version=0)
    # By the clock too, so that a database that was restored does not use a version again.
    version = max(state.version + 1, int(now.timestamp() * 1_000_000))
    held = handed.spent if handed.version == state.version else standings()
    changed = hand_over_terms(terms, version) + hand_over_spent(held, spent, set(failing), version)
    if anew:
        changed += EnforcementPlan.objects.update(version=version)
    state.version = version if changed else state.version
    left = {place: held[place] for place in held if place[0] in failing} if failing else {}
    handed.version, handed.spent = state.version, {**left, **spent}
    state.as_of, state.refreshed_at = as_of, now
    state.save()
    return changed


def hand_over_terms(terms: Mapping[int, Mapping[str, Any]], version: int) -> int:
    held = dict(EnforcementPlan.objects.values_list("budget_id", "terms"))
    gone = held.keys() - terms.keys()
    if gone:
        EnforcementStanding.objects.filter(budget_id__in=gone).delete()
        EnforcementPlan.objects.filter(budget_id__in=gone).delete()
    changed = [
        EnforcementPlan(budget_id=budget, terms=wanted, version=version)
        for budget, wanted in terms.items()
        if held.get(budget) != wanted
    ]
    EnforcementPlan.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["budget"],
        update_fields=["terms", "version"],
    )
    return len(changed) + len(gone)


def standings() -> dict[Place, Spent]:
    rows = EnforcementStanding.objects.values_list(
        "budget_id", "value", "period_start", "spent", "amount"
    )
    return {
        (budget, value): Spent(period, spent, amount)
        for budget, value, period, spent, amount in rows.iterator(PORTION)
    }


def hand_over_spent(
    held: Mapping[Place, Spent], spent: Mapping[Place, Spent], failing: set[int], version: int
) -> int:
    """Values that are in no figure any more, as of a rolling budget or of somebody who was erased,
    have no row any more; then everything is to be read anew."""
    gone: dict[int, list[str]] = {}
    for budget, value in held.keys() - spent.keys():
        if budget not in failing:
            gone.setdefault(budget, []).append(value)
    for budget, values in gone.items():
        EnforcementStanding.objects.filter(budget_id=budget, value__in=values).delete()
    EnforcementPlan.objects.filter(pk__in=gone).update(version=version)
    changed = [
        EnforcementStanding(
            budget_id=budget,
            value=value,
            period_start=now.period_start,
            spent=now.spent,
            amount=now.amount,
            version=version,
        )
        for (budget, value), now in spent.items()
        if (before := held.get((budget, value))) is not now and before != now
    ]
    EnforcementStanding.objects.bulk_create(
        changed,
        batch_size=PORTION,
        update_conflicts=True,
        unique_fields=["budget", "value"],
        update_fields=["period_start", "spent", "amount", "version"],
    )
    return len(changed) + sum(map(len, gone.values()))
