"""Explore: any grouping of any costs, as a chart and as the same numbers in a table."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from finops import anomalies, anomaly_charts, charts, costs, labels
from finops.anomalies import wording as anomaly_wording
from finops.costs import CostResult, CostRow
from finops.pages import states
from finops.pages.comparison import Comparison, comparison
from finops.pages.filters import Choice, dimensions
from finops.pages.kpis import Kpi, metric_kpi, unpriced_kpi
from finops.pages.links import (
    address,
    breadcrumb,
    drilled,
    explain_href,
    forecast_href,
    narrowed,
    next_dimension,
    only_filters,
    zoomed,
)
from finops.pages.shell import show
from finops.pages.tables import UNPRICED, Name, Table, cost_table
from finops.pages.targets import marks
from finops.pages.unpriced import only_unpriced, remedy, unpriced_href
from finops.periods import GRANULARITIES, Period, previous
from finops.query import DEFAULT_METRICS, MAX_LIMIT, METRIC_KINDS, CostQuery, written

ROWS = 50
QUESTIONS = {
    "requests": "Where do the requests come from?",
    "errors": "Where do requests fail?",
    "users": "Who uses it?",
    "unpriced_requests": "What has no price?",
    "unpriced_tokens": "How many tokens have no price?",
}
QUESTIONS_OF_KINDS = {
    "money": "Where did the money go?",
    "count": "Where did the tokens go?",
    "milliseconds": "Where is time spent?",
}
# What the page's own form sends; its other parameters are kept as they are.
CHOSEN = {"group_by", "metrics", "granularity", "compare", "limit"}
# A metric alone in the address brings what is read beside it.
COMPANIONS = {
    "effective_cost": ("requests", "cost_per_request", "input_tokens", "output_tokens"),
    "list_cost": ("effective_cost", "requests"),
    "billed_cost": ("effective_cost", "requests"),
    "requests": ("effective_cost", "errors"),
    "errors": ("requests", "effective_cost"),
    "input_tokens": ("cache_read_input_tokens", "output_tokens", "effective_cost", "requests"),
    "output_tokens": ("input_tokens", "effective_cost", "requests"),
    "cache_read_input_tokens": ("input_tokens", "effective_cost", "requests"),
    "users": ("cost_per_user", "effective_cost", "requests"),
    "cost_per_request": ("effective_cost", "requests"),
    "cost_per_user": ("effective_cost", "users"),
    "cost_per_million_tokens": ("effective_cost", "input_tokens", "output_tokens"),
    "latency_p50": ("latency_p95", "latency_p99", "requests"),
    "latency_p95": ("latency_p50", "latency_p99", "requests"),
    "latency_p99": ("latency_p50", "latency_p95", "requests"),
    "ttft_p95": ("latency_p95", "requests"),
    "unpriced_requests": ("requests", "effective_cost"),
    "unpriced_tokens": ("unpriced_requests", "effective_cost"),
}


@require_GET
def explore(request: HttpRequest) -> HttpResponse:
    return show(request, "explore", request.GET, figures=figures, controls=controls)


def shown(query: CostQuery) -> CostQuery:
    """The query with all columns of the table, which are also the columns of its CSV."""
    metrics = query.metrics
    if metrics == DEFAULT_METRICS or len(metrics) == 1:
        metrics = (metrics[0], *COMPANIONS[metrics[0]])
    return query.replace(metrics=tuple(dict.fromkeys((*metrics, "unpriced_requests"))))


def tabled(query: CostQuery) -> CostQuery:
    """What the table shows: groups over the whole period or, without groups, charge periods."""
    granularity = "total" if query.group_by else query.granularity
    return shown(query).replace(granularity=granularity, limit=query.limit or ROWS)


def figures(query: CostQuery, seen: CostQuery, now: datetime) -> dict[str, Any]:
    with costs.snapshot():
        return figures_of_one_moment(query, seen, now)


def figures_of_one_moment(query: CostQuery, seen: CostQuery, now: datetime) -> dict[str, Any]:
    result = costs.run(tabled(query))
    empty = states.empty_state("explore", query, seen, result, now)
    if empty:
        return {"result": result, "empty": empty}
    compared = comparison(result, now)
    return {
        "result": result,
        "freshness": states.freshness_line(result.freshness, query, now),
        "kpis": kpis(query, result, compared),
        **drawn_with_anomalies(query, now),
        "remedy": remedy(query) if query.metrics[0] == UNPRICED else None,
        "table": table(query, only_unpriced(result), now, compared),
        "table_title": charts.title_of(result.query),
        "leaves": next_dimension(query) is None or zooms_to_requests(query),
        "requests_href": address("requests", only_filters(query)),
        "csv_href": address("explore-csv", csv_query(query)),
        "explain_href": explain_href(query),
        "forecast_href": forecast_href(query),
        "budget_href": budget_href(query),
        "more_href": more_href(query, result),
    }


def zooms_to_requests(query: CostQuery) -> bool:
    return not query.group_by and query.granularity in {"hour", "total"}


def kpis(query: CostQuery, result: CostResult, compared: Comparison) -> list[Kpi]:
    metrics = (query.metrics[0], "effective_cost", "requests", "cost_per_request")
    known = [name for name in dict.fromkeys(metrics) if name in result.totals]
    return [
        *(metric_kpi(result, metric, compared) for metric in known),
        unpriced_kpi(result, unpriced_href(query)),
    ]


def chart(query: CostQuery, now: datetime) -> charts.Chart | None:
    """The groups that get a colour, over time; and the period before as one line."""
    if query.granularity == "total":
        return None
    limit = min(query.limit or charts.SERIES, charts.SERIES)
    drawn = query.replace(metrics=query.metrics[:1], limit=limit, compare=False)
    shown = only_unpriced(costs.run(drawn))
    if not query.compare:
        return charts.over_time(shown, now=now)
    earlier = drawn.replace(period=previous(query.period, query.zone), group_by=(), limit=None)
    return charts.over_time(shown, now=now, before=costs.run(earlier))


def drawn_with_anomalies(query: CostQuery, now: datetime) -> dict[str, Any]:
    """The chart, with a circle where an incident began; the page lists what they stand for."""
    drawn = chart(query, now)
    if drawn is None or query.metrics[0] != "effective_cost":
        return {"chart": drawn}
    held, buckets = anomalies.within(query), charts.buckets_of(query, now)
    if not (held and buckets):
        return {"chart": drawn}
    starts = [bucket.start for bucket in buckets]
    places = [max(bisect_right(starts, each.started_at) - 1, 0) for each in held]
    names = [buckets[at].name for at in places]
    return {
        "chart": anomaly_charts.circled(drawn, names),
        "circles": [
            (each.pk, anomaly_wording.title(each), name, anomaly_wording.impact(each))
            for each, name in zip(held, names, strict=True)
        ],
    }


def table(query: CostQuery, result: CostResult, now: datetime, compared: Comparison) -> Table:
    if query.group_by:
        return cost_table(
            result,
            heads=tuple(labels.dimension(name) for name in query.group_by),
            names=lambda row: tuple(
                Name(key, narrowed(query, dimension, key))
                for dimension, key in zip(query.group_by, row.keys, strict=True)
            ),
            href=lambda row: drilled(query, row.keys),
            compared=compared,
            marks=marks(result),
        )
    has_steps = result.query.granularity != "total"
    buckets = charts.buckets_of(result.query, now) if has_steps else []
    steps = {bucket.start: bucket.name for bucket in buckets}
    ends = dict(zip(steps, [*list(steps)[1:], query.period.end], strict=has_steps))

    def names(row: CostRow) -> tuple[Name, ...]:
        return (Name(steps[row.start] if row.start else "Whole period", href(row)),)

    def href(row: CostRow) -> str:
        if row.start is None:
            return address("requests", only_filters(query))
        return zoomed(query, row.start, ends[row.start])

    return cost_table(result, heads=("Charge period",), names=names, href=href, compared=compared)


def more_href(query: CostQuery, result: CostResult) -> str:
    """The same table with as many rows as there can be, where some are folded into Other."""
    has_other = any(row.is_other for row in result.rows)
    return address("explore", query.replace(limit=MAX_LIMIT)) if has_other else ""


def budget_href(query: CostQuery) -> str:
    """A new budget of the same usage."""
    cost = [("cost", "list_cost")] if query.metrics[0] == "list_cost" else []
    filters = [(f.dimension, written(v, f.exclude)) for f in query.filters for v in f.values]
    return f"{reverse('budget-new')}?{urlencode([*cost, *filters], safe=',:')}"


def csv_query(query: CostQuery) -> CostQuery:
    return tabled(query)


def controls(query: CostQuery, now: datetime) -> dict[str, Any]:
    """What the page offers whatever its figures are."""
    groups = [*query.group_by, "", ""][: max(2, len(query.group_by))]
    kept = [(name, value) for name, value in query.to_params() if name not in CHOSEN]
    fixed = query.replace(period=Period(query.period.start, query.period.end))
    metric = query.metrics[0]
    return {
        "query": query,
        "heading": QUESTIONS.get(metric, QUESTIONS_OF_KINDS[METRIC_KINDS[metric]]),
        "breadcrumb": breadcrumb(query),
        "kept": kept,
        "group_choices": [
            [Choice(labels.dimension(d), d, d == chosen) for d in dimensions()] for chosen in groups
        ],
        "metric_choices": [
            Choice(label, name, name == metric) for name, label in labels.METRICS.items()
        ],
        "granularity_choices": [
            Choice(labels.GRANULARITIES[g], g, g == query.granularity) for g in GRANULARITIES
        ],
        "fixed_href": address("explore", fixed),
    }
