"""The list of budgets: what each is for, what is spent of it, what is coming, how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finops import access, budgets, enforcement, formats
from finops.access import Ability
from finops.budgets import deciding, ranking
from finops.budgets.ranking import Place, Search
from finops.models import Budget, BudgetIncrease, BudgetStatus
from finops.pages.budgets import acts, frame
from finops.pages.budgets.states import (
    Figures,
    Mark,
    doubts,
    figures_of,
    freshness,
    state_marks,
    unknown_marks,
)
from finops.pages.budgets.wording import filters_of, scope
from finops.periods import InvalidQuery, local_day

HEADING = "Do the budgets hold?"
PAGE_SIZE = 50
STATES = (
    (ranking.OVER, "Over budget"),
    (ranking.NEAR, "Threshold reached, or heading over"),
    (ranking.UNPRICED, "Requests without a price"),
    (ranking.STALE, "Not checked lately"),
)
EXAMPLES = (
    (
        "name=Everything&period=monthly&amount=5000",
        f"everything, 5,000 {settings.CURRENCY} a month",
    ),
    (
        "name=Any+user&for_each=user&period=daily&amount=50",
        f"any user over 50 {settings.CURRENCY} a day",
    ),
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
    now, seen = timezone.now(), budgets.visible(request.user)
    context = frame(request, HEADING) | {
        "waiting": waiting(request, now),
        "examples": [
            {"href": f"{reverse('budget-new')}?{params}", "text": text} for params, text in EXAMPLES
        ],
        "has_any": seen.exists(),
        "states": STATES,
    }
    try:
        search = Search.from_params(request.GET.dict())
    except InvalidQuery as error:
        context |= {"error": error, "way_on": reverse("budgets")}
        return render(request, "budgets/page.html", context, status=400)
    places = ranking.places(ranking.named(seen, search), search, now)
    page = Paginator(places, PAGE_SIZE).get_page(request.GET.get("page", ""))
    context |= {
        "search": search,
        "is_filtered": bool(search.to_params()),
        "lines": lines(seen, list(page), now),
        "count": formats.count_long(page.paginator.count),
        "page": page,
        "previous_href": page_href(search, page.number - 1) if page.has_previous() else "",
        "next_href": page_href(search, page.number + 1) if page.has_next() else "",
        "freshness": freshness((each.whole for each in places if each.whole), now),
    }
    return render(request, "budgets/page.html", context)


def lines(seen: QuerySet[Budget], places: Sequence[Place], now: datetime) -> list[Line]:
    found = {each.pk: each for each in seen.filter(pk__in=[each.number for each in places])}
    unused = budgets.unused(*(filters_of(each) for each in found.values()))
    unknown = dict(zip(found, map(unknown_marks, unused), strict=True))
    farthest = ranking.farthest_of([each.pk for each in found.values() if each.for_each])
    acting = enforcement.read(found, now)
    acted = {number: acts.marks(acting.get(number), now) for number in found}
    return [
        line(
            *(found[each.number], each, farthest.get(each.number)),
            *(acted[each.number], unknown[each.number], now),
        )
        for each in places
        if each.number in found
    ]


def page_href(search: Search, number: int) -> str:
    return f"{reverse('budgets')}?{urlencode({**search.to_params(), 'page': str(number)})}"


def line(
    budget: Budget,
    place: Place,
    farthest: BudgetStatus | None,
    acted: Sequence[Mark],
    unknown: Sequence[Mark],
    now: datetime,
) -> Line:
    whole, status = place.whole, place.shown
    return Line(
        name=budget.name,
        href=reverse("budget", args=[budget.pk]),
        scope=scope(budget),
        worst=worst_text(budget, status, whole, farthest),
        period=period_text(budget, status, now),
        figures=figures_of(status),
        marks=[*state_marks(place.marked), *acted, *doubts(whole), *unknown],
    )


def worst_text(
    budget: Budget,
    status: BudgetStatus | None,
    whole: BudgetStatus | None,
    farthest: BudgetStatus | None,
) -> str:
    """ "worst: u-1842; 3 of 40 over; forecast furthest over: u-7, $16.30"."""
    if not budget.for_each or status is None or not status.value:
        return ""
    over = f"; {whole.values_over} of {whole.values} over" if whole else ""
    ahead = ""
    if farthest and farthest.value != status.value:
        forecast = formats.money_long(farthest.forecast, settings.CURRENCY)
        ahead = f"; forecast furthest over: {farthest.value}, {forecast}"
    return f"worst: {status.value}{over}{ahead}"


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
            f"{each.asked_by} asks for "
            f"{formats.money_long(each.amount, settings.CURRENCY)} more for {each.budget}",
            reverse("budget-increase", args=[each.pk]),
        )
        for each in asked.filter(budget__removed_at=None).select_related("budget").order_by("id")
        if not deciding.waits_for_others(request.user, each)
    ]
