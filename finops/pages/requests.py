"""Requests: the single calls behind any figure, newest first or, within a day, by cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from finops import costs, formats, requests
from finops.pages import states
from finops.pages.filters import with_period
from finops.pages.kpis import metric_kpi, unpriced_kpi
from finops.pages.links import address, breadcrumb, only_filters
from finops.pages.shell import show
from finops.pages.unpriced import unpriced_href
from finops.periods import local_day, named_period
from finops.query import CostQuery
from finops.requests import UsageRequest

PAGE_SIZE = 50
COST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One request in the table."""

    href: str
    time: str
    time_title: str
    model: str
    provider: str
    team: str
    feature: str
    user: str
    status: str
    kind: str
    input_tokens: str
    output_tokens: str
    latency: str
    cost: str
    cost_title: str
    is_priced: bool


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    params = request.GET.copy()
    cursor = params.pop("cursor", [""])[-1]
    sort = params.pop("sort", [""])[-1]
    position = {"sort": "cost"} if sort == "cost" else {}
    if cursor:
        position["cursor"] = cursor
    return show(
        request,
        "requests",
        params,
        figures=partial(figures, cursor=cursor, by_cost=sort == "cost"),
        controls=controls,
        position=position,
    )


def controls(query: CostQuery, now: datetime) -> dict[str, Any]:
    return {"heading": "Which requests are behind it?", "breadcrumb": breadcrumb(query)}


def figures(
    query: CostQuery, seen: CostQuery, now: datetime, *, cursor: str, by_cost: bool
) -> dict[str, Any]:
    query = only_filters(query)
    with costs.snapshot():
        total = costs.run(
            query.replace(
                granularity="total", metrics=("requests", "effective_cost", "unpriced_requests")
            )
        )
        empty = states.empty_state("requests", query, only_filters(seen), total, now)
        if empty:
            return {"empty": empty}
        list_page = requests.costliest if by_cost else requests.page
        page = list_page(query, cursor or None, PAGE_SIZE)
    sorting = {"sort": "cost"} if by_cost else {}
    return {
        "freshness": states.freshness_line(total.freshness, query, now),
        "kpis": [
            metric_kpi(total, "requests"),
            metric_kpi(total, "effective_cost"),
            unpriced_kpi(total, unpriced_href(query)),
        ],
        "lines": [line(each, query, total.currency, now) for each in page.rows],
        "zone": query.zone.key,
        "currency": total.currency,
        "csv_href": address("api-requests-csv", query),
        "explore_href": address("explore", query.replace(group_by=("model",))),
        "by_cost": by_cost,
        "can_be_sorted": requests.can_be_sorted(query.period),
        "newest_first_href": address("requests", query),
        "by_cost_href": by_cost_href(query, now),
        "first_href": address("requests", query, **sorting) if cursor else "",
        "next_href": address("requests", query, cursor=page.next_cursor, **sorting)
        if page.next_cursor
        else "",
    }


def by_cost_href(query: CostQuery, now: datetime) -> str:
    """The same requests by cost, or where they are of more than a day those of the last one."""
    if not requests.can_be_sorted(query.period):
        query = with_period(query, named_period("24h", now=now, zone=query.zone))
    return address("requests", query, sort="cost")


def line(each: UsageRequest, query: CostQuery, currency: str, now: datetime) -> Line:
    local = each.started_at.astimezone(query.zone)
    cost = each.costs["effective_cost"]
    return Line(
        href=address_of(each),
        time=f"{formats.day(local.date(), local_day(now, query.zone))}, {local:%H:%M:%S}",
        # Its own offset: half of a year may have another than now.
        time_title=f"{local:%Y-%m-%d %H:%M:%S %Z}",
        model=each.dimensions["model"],
        provider=each.dimensions["provider"],
        team=each.dimensions["team"],
        feature=each.dimensions["feature"],
        user=each.dimensions["user"],
        status=each.dimensions["status"],
        kind="" if each.kind == "event" else each.kind,
        input_tokens=formats.count_long(each.input_tokens),
        output_tokens=formats.count_long(each.output_tokens),
        latency=formats.duration(each.latency_ms),
        cost=formats.money_fixed(cost, COST_DECIMALS),
        cost_title=formats.money_exact(cost, currency),
        is_priced=each.is_priced,
    )


def address_of(each: UsageRequest) -> str:
    """By our own key and the day, which find one partition and exactly one event."""
    day = urlencode({"day": each.started_at.date().isoformat()})
    return f"{reverse('request', args=[each.event_key])}?{day}"
