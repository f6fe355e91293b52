"""The list of budgets: what each is for, what is spent of it, what is coming, how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finops import access, budgets, formats
from finops.access import Ability
from finops.budgets.questions import NO_VALUES
from finops.models import Budget, BudgetIncrease, BudgetStatus
from finops.pages.budgets import frame
from finops.pages.budgets.states import (
    Figures,
    Mark,
    doubts,
    figures_of,
    freshness,
    state_marks,
    urgency,
)
from finops.pages.budgets.wording import scope
from finops.periods import local_day

HEADING = "Do the budgets hold?"
EXAMPLES = (
    ("name=Everything&period=monthly&amount=5000", "everything, 5,000 USD a month"),
    ("name=Any+user&for_each=user&period=daily&amount=50", "any user over 50 USD a day"),
    (
        "name=Each+team&for_each=team&period=monthly&amount_kind=last_period&change_percent=10",
        "each team, a tenth more than last month",
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """`worst` says which value the figures are of, where the budget is for each of several."""

    name: str
    href: str
    scope: str
    worst: str
    period: str
    figures: Figures
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Waiting:
    text: str
    href: str


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    seen = list(budgets.visible(request.user))
    whole, worst = wholes_of(seen), worst_of(seen)
    ranked = sorted(seen, key=lambda each: (urgency(shown(each, whole, worst)), each.name))
    context = frame(request, HEADING) | {
        "lines": [
            line(each, whole.get(each.pk), shown(each, whole, worst), now) for each in ranked
        ],
        "freshness": freshness(whole.values(), now),
        "waiting": waiting(request, now),
        "examples": [
            {"href": f"{reverse('budget-new')}?{params}", "text": text} for params, text in EXAMPLES
        ],
    }
    return render(request, "budgets/page.html", context)


def wholes_of(seen: Iterable[Budget]) -> dict[int, BudgetStatus]:
    """Budget → how all of it stands."""
    rows = BudgetStatus.objects.filter(budget__in=[each.pk for each in seen], value="")
    return {each.budget_id: each for each in rows}


def worst_of(seen: Iterable[Budget]) -> dict[int, BudgetStatus]:
    """Budget for each value → the value that is nearest to its amount or furthest over it."""
    rows = BudgetStatus.objects.filter(budget__in=[each.pk for each in seen if each.for_each])
    share = (F("actual") / NullIf(F("amount"), Value(Decimal(0)))).desc(nulls_last=True)
    ranked = rows.exclude(value__in=["", *NO_VALUES]).order_by("budget_id", share, "value")
    return {each.budget_id: each for each in ranked.distinct("budget_id")}


def shown(
    budget: Budget, whole: Mapping[int, BudgetStatus], worst: Mapping[int, BudgetStatus]
) -> BudgetStatus | None:
    """The status whose figures stand for the budget."""
    return worst.get(budget.pk) or whole.get(budget.pk)


def line(
    budget: Budget, whole: BudgetStatus | None, status: BudgetStatus | None, now: datetime
) -> Line:
    return Line(
        name=budget.name,
        href=reverse("budget", args=[budget.pk]),
        scope=scope(budget),
        worst=worst_text(budget, status, whole),
        period=period_text(budget, status, now),
        figures=figures_of(status),
        marks=[*state_marks(status), *doubts(whole)],
    )


def worst_text(budget: Budget, status: BudgetStatus | None, whole: BudgetStatus | None) -> str:
    """ "worst: u-1842; 3 of 40 over"."""
    if not budget.for_each or status is None or not status.value:
        return ""
    over = f"; {whole.values_over} of {whole.values} over" if whole else ""
    return f"worst: {status.value}{over}"


def period_text(budget: Budget, status: BudgetStatus | None, now: datetime) -> str:
    """Monthly, 1–30 Nov."""
    name = budget.get_period_display()
    if budget.rolling_days:
        name = f"Last {budget.rolling_days} days"
    if status is None:
        return name
    today = local_day(now, settings.REPORTING_ZONE)
    last = status.period_end - timedelta(days=1)
    return f"{name}, {formats.day_range(status.period_start, last, today)}"


def waiting(request: HttpRequest, now: datetime) -> list[Waiting]:
    """What this reader has to decide about."""
    if not access.standing(request.user).may(Ability.MANAGE_BUDGETS):
        return []
    asked = BudgetIncrease.objects.filter(state=BudgetIncrease.State.ASKED, until__gt=now)
    return [
        Waiting(
            f"{each.asked_by} asks for {formats.money_long(each.amount)} more for {each.budget}",
            reverse("budget-increase", args=[each.pk]),
        )
        for each in asked.filter(budget__removed_at=None).select_related("budget").order_by("id")
    ]
