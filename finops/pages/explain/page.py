"""The page: two periods, the parts of their difference, and the groups that these come from."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from finops import labels
from finops.compared_periods import (
    AGAINST_PARAMETERS,
    PREVIOUS,
    WEEKS_BEFORE,
    Against,
    parse_against,
)
from finops.costs import QueryTooSlow
from finops.explained_anomalies import EXPECTED, PARAMETER, params_of
from finops.explanations import MOST_ROWS, Explanation, explain, rows
from finops.organisation.calendar import fiscal_first_month
from finops.pages import states
from finops.pages.comparison import comparison
from finops.pages.explain import breakdown, wording
from finops.pages.explain.causes import causes
from finops.pages.explain.steps import steps
from finops.pages.filters import Choice, Link, dimensions, period_text
from finops.pages.kpis import Kpi, metric_kpi, unpriced_kpi
from finops.pages.links import (
    PAGE_PERIODS,
    address,
    address_params,
    breadcrumb,
    next_dimension,
)
from finops.pages.shell import show
from finops.pages.unpriced import unpriced_href
from finops.periods import InvalidQuery
from finops.query import CostQuery

ROWS = 50
Given = dict[str, list[str]]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    if PARAMETER in request.GET:
        return of_anomaly(request)
    params = request.GET.copy()
    given = {name: params.pop(name) for name in AGAINST_PARAMETERS if name in params}
    if not {"period", "start", "end"} & set(params):
        params["period"] = PAGE_PERIODS["explain"]
    said = {name: values[-1].strip() for name, values in given.items()}
    return show(
        request,
        "explain",
        params,
        figures=partial(figures, given=given),
        controls=partial(controls, given=given),
        carried={name: value for name, value in said.items() if value not in {"", PREVIOUS}},
    )


def of_anomaly(request: HttpRequest) -> HttpResponse:
    """Leads to the two periods that an anomaly is explained by; to a week before where nothing can
    be said of what was expected."""
    given = dict(request.GET.lists())
    try:
        params = params_of(given, request.user, settings.REPORTING_ZONE)
    except (InvalidQuery, QueryTooSlow):
        if given.pop("against", None) == [EXPECTED]:
            return redirect(f"{reverse('explain')}?{urlencode(given, doseq=True)}")
        params = None
    if params is None:
        raise Http404("There is no such anomaly, or it is of a team that is not yours.")
    return redirect(f"{reverse('explain')}?{urlencode(sorted(params.items()), doseq=True)}")


def against_of(query: CostQuery, given: Given, now: datetime) -> Against:
    return parse_against(
        given,
        query.period,
        now=now,
        zone=settings.REPORTING_ZONE,
        fiscal_month=fiscal_first_month(),
    )


def grouped(query: CostQuery) -> CostQuery:
    """By what comes next on the way down, where nothing else is chosen; always of the cost."""
    group_by = query.group_by or (next_dimension(query) or "model",)
    return query.replace(group_by=group_by, metrics=("effective_cost",), compare=False)


def figures(query: CostQuery, seen: CostQuery, now: datetime, *, given: Given) -> dict[str, Any]:
    against = against_of(query, given, now)
    found = explain(grouped(query), against, now)
    if not (found.bridge.whole.before.requests or found.bridge.whole.after.requests):
        empty = states.empty_state("explain", query, seen, found.result, now)
        if empty:
            return {"empty": empty}
    shown = rows(found, query.limit or ROWS)
    carried = against.to_params(query.zone)
    return {
        "freshness": states.freshness_line(found.result.freshness, query, now),
        "kpis": kpis(found, now),
        "headline": wording.headline(found, now),
        "notes": wording.notes(found, now),
        "steps": steps(found, shown, now),
        "causes": causes(found, carried),
        "table": breakdown.table(found, shown, carried),
        "table_title": f"The change by {labels.dimensions(found.query.group_by)}",
        "csv_href": address("api-explain-csv", found.query, **carried),
        "explore_href": address("explore", found.query.replace(compare=True)),
        "more_href": more_href(found, carried) if shown and shown[-1].is_other else "",
    }


def more_href(found: Explanation, carried: dict[str, str]) -> str:
    """The same with as many rows as there can be."""
    asked = found.query.limit == MOST_ROWS
    return "" if asked else address("explain", found.query.replace(limit=MOST_ROWS), **carried)


def kpis(found: Explanation, now: datetime) -> list[Kpi]:
    compared = comparison(found.result, now)
    before = metric_kpi(found.before, "effective_cost", label=wording.sum_text(found, now))
    later = period_text(found.query, now)
    return [
        before,
        metric_kpi(found.result, "effective_cost", compared, later),
        metric_kpi(found.result, "requests", compared),
        metric_kpi(found.result, "cost_per_request", compared),
        unpriced_kpi(found.result, unpriced_href(found.query)),
    ]


def both(names: tuple[str, ...]) -> str:
    """Team and model."""
    words = labels.dimensions(names)
    return words[0].upper() + words[1:]


def controls(query: CostQuery, now: datetime, *, given: Given) -> dict[str, Any]:
    """What the page offers whatever its figures are."""
    try:
        against = against_of(query, given, now)
    except InvalidQuery:
        against = against_of(query, {}, now)
    chosen = grouped(query).group_by
    other = query.replace(period=against.period)
    carried = against.to_params(query.zone)
    return {
        "query": query,
        "heading": "Why did the cost change?",
        "breadcrumb": breadcrumb(query),
        "against_text": "what was expected"
        if against.times is not None
        else period_text(other, now),
        "against_links": [
            Link("The period before", address("explain", query), against.label == PREVIOUS),
            Link(
                "The same days of a week before",
                address("explain", query, against=WEEKS_BEFORE),
                against.label == WEEKS_BEFORE,
            ),
        ],
        "against_days": (wording.first_day(other), wording.last_day(other)),
        "kept": [
            *(
                (k, v)
                for k, v in address_params("explain", query)
                if k not in {"group_by", "limit"}
            ),
            *carried.items(),
        ],
        "group_choices": [
            *([] if len(chosen) == 1 else [Choice(both(chosen), ",".join(chosen), True)]),
            *(Choice(labels.dimension(name), name, (name,) == chosen) for name in dimensions()),
        ],
    }
