"""Budgets as evaluation takes them: their terms, their thresholds by number, their calendar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet

from finops.budgets.amounts import Increase
from finops.budgets.drafts import Draft, read_filters
from finops.budgets.enforcing import Enforcement
from finops.budgets.spans import Calendar, Span
from finops.budgets.thresholds import ThresholdDraft
from finops.forecasts import NOTHING, Coming
from finops.models import Budget, BudgetIncrease, Threshold
from finops.periods import local_day


@dataclass(frozen=True, slots=True)
class Watched:
    """One budget. `thresholds` are number → terms; `made_on` is the day on which it was made."""

    budget: Budget
    draft: Draft
    calendar: Calendar
    thresholds: dict[int, ThresholdDraft]
    made_on: date
    increases: Sequence[Increase] = field(default=())
    coming: Coming = NOTHING

    @property
    def number(self) -> int:
        return self.budget.pk

    def key_of(self, span: Span) -> date:
        """By which crossings of the period are told apart: a rolling budget is one long period."""
        return self.made_on if self.calendar.is_rolling else span.first


def current() -> QuerySet[Budget]:
    """Budgets that are not removed, with all that `draft_of` needs."""
    in_force = Threshold.objects.filter(retired_at=None)
    return (
        Budget.objects.filter(removed_at=None)
        .select_related("owner")
        .prefetch_related("plan", Prefetch("thresholds", in_force, to_attr="in_force"))
        .order_by("pk")
    )


def load(
    zone: ZoneInfo, fiscal_month: int, now: datetime, only: Collection[int] | None = None
) -> list[Watched]:
    budgets = list(current() if only is None else current().filter(pk__in=only))
    extra = increases(budgets, now)
    return [watched(each, zone, fiscal_month, extra.get(each.pk, ())) for each in budgets]


def watched(
    budget: Budget, zone: ZoneInfo, fiscal_month: int, extra: Sequence[Increase] = ()
) -> Watched:
    return Watched(
        budget=budget,
        draft=draft_of(budget),
        calendar=Calendar(budget.period, budget.rolling_days, fiscal_month),
        thresholds={each.pk: threshold_of(each) for each in thresholds_of(budget)},
        made_on=local_day(budget.created_at, zone),
        increases=extra,
    )


def increases(budgets: Iterable[Budget], now: datetime) -> dict[int, list[Increase]]:
    """The approved increases that hold now, by budget."""
    rows = BudgetIncrease.objects.filter(
        state=BudgetIncrease.State.APPROVED, until__gt=now, budget__in=budgets
    ).order_by("id")
    found: defaultdict[int, list[Increase]] = defaultdict(list)
    for budget, value, amount in rows.values_list("budget_id", "value", "amount"):
        found[budget].append(Increase(value, amount))
    return found


def draft_of(budget: Budget) -> Draft:
    """The terms of a budget that is kept."""
    return Draft(
        name=budget.name,
        filters=read_filters(budget.filters),
        for_each=budget.for_each,
        owner=budget.owner.get_username() if budget.owner else "",
        period=budget.period,
        rolling_days=budget.rolling_days,
        amount_kind=budget.amount_kind,
        amount=budget.amount,
        change_percent=budget.change_percent,
        plan=tuple((each.month, each.amount) for each in budget.plan.all()),
        cost=budget.cost,
        unpriced=budget.unpriced,
        unpriced_rate=budget.unpriced_rate,
        thresholds=tuple(threshold_of(each) for each in thresholds_of(budget)),
        note=budget.note,
        enforcement=Enforcement(budget.enforcement, budget.throttle_percent, budget.fail_closed),
    )


def thresholds_of(budget: Budget) -> list[Threshold]:
    """Those in force."""
    held: list[Threshold] | None = getattr(budget, "in_force", None)
    return held if held is not None else list(budget.thresholds.filter(retired_at=None))


def threshold_of(each: Threshold) -> ThresholdDraft:
    return ThresholdDraft(each.basis, each.kind, each.value, each.window_hours, each.severity)
