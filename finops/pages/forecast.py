"""Forecast: where costs are heading, this month and the next three, and how sure that is."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET

from finops import access, budgets, charts, formats, labels, prospects
from finops.access import Ability
from finops.forecast_charts import Drawn, forecast_chart
from finops.forecasts import Part
from finops.models import Budget
from finops.pages import forecast_tables as tables
from finops.pages import states
from finops.pages.budgets import seen_budget
from finops.pages.filters import Choice, dimensions
from finops.pages.kpis import Kpi, unpriced_kpi
from finops.pages.links import address, forecast_href
from finops.pages.shell import show
from finops.pages.unpriced import unpriced_href
from finops.periods import add_months, local_day
from finops.prospects import COSTS, Prospect
from finops.query import CostQuery

# What other pages' addresses have that means nothing here.
IGNORED = ("period", "start", "end", "granularity", "compare", "limit")
CHOSEN = {"group_by", "metrics"}
MONTHS_DRAWN = 2
NUMBER = range(1, 2**31)


@require_GET
def forecast(request: HttpRequest) -> HttpResponse:
    params = request.GET.copy()
    for name in IGNORED:
        params.pop(name, None)
    found = budget_of(request, params)
    if found is not None:
        asked = budgets.forecast_params(found, params.getlist("group_by"))
        params.clear()
        for name, values in asked.items():
            params.setlist(name, values)
    position = {"budget": str(found.pk)} if found else None
    return show(
        request,
        "forecast",
        params,
        figures=partial(figures, found, access.standing(request.user).may(Ability.SEE_PRICES)),
        controls=partial(controls, found),
        position=position,
    )


def budget_of(request: HttpRequest, params: QueryDict) -> Budget | None:
    """The one that the address names. Raises Http404 where the reader sees none of this number."""
    given = params.pop("budget", [])
    text = given[-1] if given else ""
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0
    return seen_budget(request, number if number in NUMBER else 0)


def figures(
    budget: Budget | None,
    may_see_prices: bool,
    query: CostQuery,
    seen: CostQuery,
    now: datetime,
) -> dict[str, Any]:
    span = budgets.forecast_span(budget, now, query.zone) if budget else None
    found = prospects.prospect(query, now, span)
    empty = states.empty_state("forecast", query, seen, found.result, now)
    if empty:
        return {"empty": empty}
    today = local_day(found.as_of, query.zone)
    return {
        "freshness": states.freshness_line(found.freshness, query, now),
        "kpis": kpis(found, now),
        "chart": chart(found, now),
        "outlook": found.whole,
        "months": tables.months(found, now),
        "groups": tables.groups(found, query, now),
        "group_heads": tables.group_heads(found, now),
        "tests": tables.tests(found.whole, today),
        "tests_said": tables.tests_said(found.whole),
        "scores": tables.scores(found.whole),
        "changes": tables.changes(found.changes, today, may_see_prices=may_see_prices),
        "currency": found.currency,
        "csv_href": csv_href(budget, query),
        "explore_href": address("explore", query.replace(metrics=query.metrics[:1])),
    }


def csv_href(budget: Budget | None, query: CostQuery) -> str:
    if budget is None:
        return forecast_href(query, "forecast-csv")
    grouped = [("group_by", name) for name in query.group_by[:1]]
    return f"{reverse('forecast-csv')}?{urlencode([('budget', budget.pk), *grouped])}"


def kpis(found: Prospect, now: datetime) -> list[Kpi]:
    """Each month, then how good such forecasts were."""
    cards = [month_kpi(part, found, now) for part in found.whole.parts]
    tests = found.whole.tests
    # Beside nothing that is unpriced, the card is not worth its place.
    is_missing = bool(found.coverage.unpriced_requests)
    unpriced = [unpriced_kpi(found.result, unpriced_href(found.query))] if is_missing else []
    if not tests:
        cards.append(Kpi("Back-tests", formats.MISSING, note=tables.TESTS_NEED))
        return [*cards, *unpriced]
    covered = sum(each.is_covered for each in tests)
    return [
        *cards,
        Kpi(
            "Back-tests in the band",
            f"{covered} of {len(tests)}",
            note=f"off by {tables.mean_error(tests)} on average"
            if len(tests) >= tables.FEW_TESTS
            else "too few to judge by",
        ),
        *unpriced,
    ]


def month_kpi(part: Part, found: Prospect, now: datetime) -> Kpi:
    name = tables.span_name(part, found.query.zone, now)
    made = part.forecast
    if made.expected is None:
        return Kpi(name, formats.MISSING, note=made.reason)
    low, high = (formats.money_short(each, found.currency) for each in (made.low, made.high))
    so_far = f"; {formats.money_short(part.spent, found.currency)} so far" if part.spent else ""
    return Kpi(
        name,
        formats.money_short(made.expected, found.currency),
        formats.money_long(made.expected, found.currency),
        note=f"{low} to {high}{so_far}",
    )


def chart(found: Prospect, now: datetime) -> charts.Chart:
    zone = found.query.zone
    today = local_day(found.as_of, zone)
    until = add_months(today.replace(day=1), MONTHS_DRAWN)
    drawn = Drawn(
        outlook=found.whole,
        today=today,
        spent=found.spent_on(today),
        zone=zone,
        currency=found.currency,
        until=until,
    )
    name = labels.METRICS[found.query.metrics[0]]
    ahead = [each.day for each in found.whole.days]
    last = formats.day(min([until - timedelta(days=1), *ahead[-1:]]), today)
    return forecast_chart(drawn, f"{name} per day, and what is expected until {last}")


def controls(budget: Budget | None, query: CostQuery, now: datetime) -> dict[str, Any]:
    chosen = query.group_by[0] if query.group_by else ""
    metric = query.metrics[0]
    kept = [(name, value) for name, value in query.to_params() if name not in CHOSEN]
    return {
        "query": query,
        "heading": f"Where is {budget.name} heading?" if budget else "Where are costs heading?",
        "breadcrumb": crumbs(budget),
        "budget": budget,
        "kept": [("budget", str(budget.pk))] if budget else kept,
        "group_choices": [Choice(labels.dimension(d), d, d == chosen) for d in dimensions()],
        "cost_choices": [Choice(labels.METRICS[name], name, name == metric) for name in COSTS],
    }


def crumbs(budget: Budget | None) -> list[tuple[str, str]]:
    if budget is None:
        return []
    own = reverse("budget", args=[budget.pk])
    return [("Budgets", reverse("budgets")), (budget.name, own), ("Forecast", "")]
