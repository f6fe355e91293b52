"""Unit economics: what an outcome costs and why that changed, or what is left of each customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from finops import access, business_metrics, labels
from finops.business_metrics import Answered
from finops.costs import QueryTooSlow
from finops.models import BusinessMetric
from finops.pages import states
from finops.pages.filters import Choice, period_text
from finops.pages.links import address
from finops.pages.unit_economics import tables, wording
from finops.periods import InvalidQuery, local_day
from finops.rollups import ZoneChanged
from finops.unit_economics import BASES, Question, drawing

PAGE = "unit-economics"
PERIODS = ("7d", "14d", "30d", "90d", "mtd", "last_month", "3m", "12m")
PERIOD_NAMES = {
    **{"7d": "7 days", "14d": "14 days", "30d": "30 days", "90d": "90 days", "mtd": "This month"},
    **{"last_month": "Last month", "3m": "3 months", "12m": "12 months"},
}
GRANULARITIES = ("day", "week", "month", "total")
BASIS_NAMES = {"direct": "Direct", "fully_loaded": "Fully loaded"}
EMPTY = ("metric", "group_by", "granularity", "basis", "period", "sort")


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    held = business_metrics.visible(request.user)
    context: dict[str, Any] = {
        "section": PAGE,
        "heading": "What does an outcome cost?",
        "may_manage": access.allows("settings-business-metrics", "POST", request.user),
        "today": local_day(now, settings.REPORTING_ZONE),
    }
    if not held:
        return render(request, "unit_economics/empty.html", context)
    params = given(request.GET, held)
    sort = params.pop("sort", [""])[-1]
    status = 200
    try:
        metric, question = business_metrics.asked(dict(params.lists()), request.user, now)
        context |= controls(held, question, sort)
        found = business_metrics.answer(metric, question, now=now)
        context |= figures(found, sort, now)
    except InvalidQuery as error:
        context |= {"error": error, "way_on": way_on(params, error)}
        context.setdefault("metric_choices", metric_choices(held, params.get("metric", "")))
        status = 400
    except (QueryTooSlow, ZoneChanged) as error:
        context["error"], status = {"message": str(error)}, 503
    return render(request, "unit_economics/page.html", context, status=status)


def given(sent: QueryDict, held: list[BusinessMetric]) -> QueryDict:
    """The parameters, those left out that a form sends empty; the first metric without one. What
    the metric has no dimension for goes with the metric that had it."""
    params = sent.copy()
    for name in EMPTY:
        if not params.get(name, ""):
            params.pop(name, None)
    params.setdefault("metric", held[0].key)
    params.setdefault("compare", "previous")
    chosen = next((each for each in held if each.key == params["metric"]), None)
    if chosen and params.pop("was", [chosen.key])[-1] != chosen.key:
        params.pop("group_by", None)
    if chosen and "group_by" not in params and is_grouped(chosen):
        params["group_by"] = ",".join(chosen.dimensions)
    elif params.get("group_by") == "none":
        params.pop("group_by")
    return params


def is_grouped(metric: BusinessMetric) -> bool:
    """What is grouped unless something else is asked: margins by customer, and what does not add
    up."""
    is_money = metric.kind == BusinessMetric.Kind.MONEY
    return bool(metric.dimensions) and (is_money or not metric.adds_up)


def way_on(params: QueryDict, error: InvalidQuery) -> str:
    left = params.copy()
    if left.pop(error.field, None) is None:
        return reverse(PAGE)
    return f"{reverse(PAGE)}?{left.urlencode()}"


def metric_choices(held: list[BusinessMetric], chosen: str) -> list[Choice]:
    return [Choice(each.name, each.key, each.key == chosen) for each in held]


def controls(held: list[BusinessMetric], question: Question, sort: str) -> dict[str, Any]:
    terms, query = question.terms, question.query
    label = query.period.label
    periods = [Choice(PERIOD_NAMES[each], each, each == label) for each in PERIODS]
    if label not in PERIODS:
        periods.append(Choice(label or "As chosen", label, is_current=True))
    chosen = ",".join(query.group_by)
    groups = [Choice("Nothing", "none", not chosen)] if terms.adds_up else []
    named = {name: labels.dimension(name) for name in terms.dimensions}
    if len(terms.dimensions) > 1:
        named[",".join(terms.dimensions)] = labels.dimensions(terms.dimensions)
    groups += [
        Choice(text, name, name == chosen)
        for name, text in named.items()
        if terms.adds_up or set(name.split(",")) == set(terms.dimensions)
    ]
    kept = [
        (name, value)
        for name, value in question.to_params()
        if name in {each.dimension for each in query.filters if each.dimension in terms.dimensions}
        or (not label and name in {"start", "end"})
    ]
    return {
        "metric_choices": metric_choices(held, terms.key),
        "period_choices": periods,
        "granularity_choices": [
            Choice(each.capitalize(), each, each == query.granularity) for each in GRANULARITIES
        ],
        "group_choices": groups if terms.dimensions else [],
        "basis_choices": [Choice(BASIS_NAMES[b], b, b == question.basis) for b in BASES],
        "kept": kept,
        "was": terms.key,
        "heading": wording.heading(terms),
        "sort": sort,
    }


def figures(found: Answered, sort: str, now: datetime) -> dict[str, Any]:
    question, terms = found.question, found.question.terms
    usage = question.usage.replace(metrics=("effective_cost", "requests"))
    freshness = states.freshness_line(found.freshness, usage, now)
    held: dict[str, Any] = {
        "found": found,
        "terms": terms,
        "currency": found.currency,
        "freshness": freshness,
        "period_text": period_text(question.query, now),
        "explore_href": address("explore", usage),
        "csv_href": api(question, "api-unit-economics-csv"),
        "json_href": api(question, "api-unit-economics"),
        "is_loaded": question.is_loaded,
        "is_narrowed": question.query.reader_teams is not None,
    }
    if not found.answer.rows:
        return held | {"is_empty": True}
    draw = drawing.money_chart if terms.is_money else drawing.unit_cost_chart
    rows = found.steps if terms.is_money else found.answer.rows
    held |= {
        "kpis": wording.kpis(found, now),
        "chart": draw(question, rows, wording.chart_title(question), found.currency, now),
        "table": tables.table(found, sort, now),
        "left_out": wording.left_out(found),
    }
    if found.change and not terms.is_money:
        held |= {
            "steps": wording.steps(found, now),
            "headline": wording.headline(found),
        }
    elif found.gap:
        held["gap"] = found.gap
    return held


def api(question: Question, name: str) -> str:
    return f"{reverse(name)}?{urlencode(tables.full_params(question))}"
