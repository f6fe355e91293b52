"""The list of budgets: what each is for, what is spent of it, what is coming, how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finops import access, budgets, formats
from finops.access import Ability
from finops.budgets.standings import watches
from finops.models import Budget, BudgetIncrease, BudgetStatus
from finops.pages.budgets import frame
from finops.pages.budgets.states import Bar, Mark, bar, freshness, marks, urgency
from finops.pages.budgets.wording import money, scope
from finops.pages.tables import Cell
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
    amount: Cell
    spent: Cell
    share: str
    forecast: Cell
    bar: Bar
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Waiting:
    text: str
    href: str


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    seen = budgets.visible(request.user)
    statuses = statuses_of(seen)
    ranked = sorted(seen, key=lambda each: (urgency(worst_of(statuses[each.pk])), each.name))
    context = frame(request, HEADING) | {
        "lines": [line(each, statuses[each.pk], now) for each in ranked],
        "freshness": freshness((s for held in statuses.values() for s in held), now),
        "waiting": waiting(request, now),
        "examples": [
            {"href": f"{reverse('budget-new')}?{params}", "text": text} for params, text in EXAMPLES
        ],
    }
    return render(request, "budgets/page.html", context)


def statuses_of(seen: Iterable[Budget]) -> dict[int, list[BudgetStatus]]:
    """Budget → the row of the whole first, then of its values."""
    found: dict[int, list[BudgetStatus]] = {each.pk: [] for each in seen}
    for status in BudgetStatus.objects.filter(budget__in=found).order_by("budget_id", "value"):
        found[status.budget_id].append(status)
    return found


def worst_of(statuses: Sequence[BudgetStatus]) -> BudgetStatus | None:
    """Of a budget for each value, the one that is nearest to its amount or furthest over it."""
    values = [each for each in statuses if each.value and watches(each.value)]
    return min(values or statuses, key=urgency, default=None)


def line(budget: Budget, statuses: Sequence[BudgetStatus], now: datetime) -> Line:
    status = worst_of(statuses)
    whole = next((each for each in statuses if not each.value), None)
    found = marks(status)
    return Line(
        name=budget.name,
        href=reverse("budget", args=[budget.pk]),
        scope=scope(budget),
        worst=worst_text(budget, status, whole),
        period=period_text(budget, status, now),
        amount=money(status.amount if status else None),
        spent=money(status.actual if status else None),
        share=formats.share_short(status.actual, status.amount) if status else formats.MISSING,
        forecast=money(
            status.forecast if status else None, status.forecast_reason if status else ""
        ),
        bar=bar(status),
        marks=found,
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
