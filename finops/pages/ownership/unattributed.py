"""What nobody bears, what it costs, and beside each the form that gives it to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from finops import access, costs, formats, labels
from finops.costs import UNATTRIBUTED, CostRow
from finops.ownership import unattributed
from finops.ownership.unattributed import Allocated
from finops.pages import states
from finops.pages.filters import Choice
from finops.pages.kpis import Kpi
from finops.pages.links import address, only_filters
from finops.pages.ownership.rules import centers, dimensions
from finops.pages.shell import show
from finops.periods import local_day
from finops.query import CostQuery, InvalidQuery

CHOICES = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a row; it is a condition of the rule unless that is turned off."""

    number: int
    name: str
    label: str
    value: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Line:
    parts: tuple[Part, ...]
    cost: str
    title: str
    share: str
    requests: str
    href: str
    is_other: bool


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    params = request.GET.copy()
    # The form has a select for each dimension.
    if len(groups := [each for each in params.getlist("group_by") if each]) > 1:
        params["group_by"] = ",".join(dict.fromkeys(groups))
    may_change = access.allows("settings-ownership", "POST", request.user)
    return show(
        request,
        "unattributed",
        params,
        figures=partial(figures, may_change=may_change),
        controls=controls,
    )


def controls(query: CostQuery, now: datetime) -> dict[str, Any]:
    chosen = [*(query.group_by or unattributed.DEFAULT_DIMENSIONS), *[""] * CHOICES][:CHOICES]
    names = dimensions()
    return {
        "heading": "What does nobody pay for?",
        "breadcrumb": [("Unattributed", "")],
        "group_choices": [
            [Choice("–", "", not each), *(Choice(labels.dimension(d), d, d == each) for d in names)]
            for each in chosen
        ],
        "kept": only_filters(query).to_params(),
    }


def figures(
    query: CostQuery, seen: CostQuery, now: datetime, *, may_change: bool
) -> dict[str, Any]:
    if len(query.group_by) > CHOICES:
        raise InvalidQuery("group_by", f"takes at most {CHOICES} dimensions here")
    found = unattributed.read(query.replace(limit=None))
    if found.result.freshness.rolled_up_to is None:
        plain = only_filters(query)
        return {
            "empty": states.empty_state(
                "unattributed", plain, only_filters(seen), found.result, now
            )
        }
    nobody = only_filters(query).with_filter("cost_center", UNATTRIBUTED)
    return {
        "freshness": states.freshness_line(found.result.freshness, query, now),
        "kpis": kpis(found.allocated, found.result),
        "columns": [labels.dimension(name) for name in found.dimensions],
        "lines": [line(row, found.dimensions, nobody, found.allocated) for row in found.rows],
        "may_change": may_change,
        "center_choices": centers() if may_change else [],
        "since": local_day(now, query.zone).replace(day=1).isoformat(),
        "currency": settings.CURRENCY,
        "explore_href": address("explore", nobody.replace(group_by=found.dimensions)),
    }


def kpis(found: Allocated, result: costs.CostResult) -> list[Kpi]:
    unpriced = int(result.totals["unpriced_requests"] or 0)
    percent = found.percent
    return [
        Kpi(
            "Allocated",
            formats.MISSING if percent is None else f"{percent:f} %",
            note=f"of the cost; {found.stage}",
            tone="warn" if percent is not None and percent < unattributed.CRAWL else "",
        ),
        Kpi(
            "Unattributed",
            formats.money_short(found.unattributed, settings.CURRENCY),
            formats.money_exact(found.unattributed, settings.CURRENCY),
            note="no rule and no team's cost center",
        ),
        Kpi(
            "All costs",
            formats.money_short(found.total, settings.CURRENCY),
            formats.money_exact(found.total, settings.CURRENCY),
        ),
        Kpi(
            "Unattributed, without a price",
            formats.count_short(unpriced),
            note="requests, in no cost here" if unpriced else "requests",
            tone="warn" if unpriced else "",
        ),
    ]


def line(row: CostRow, names: tuple[str, ...], nobody: CostQuery, allocated: Allocated) -> Line:
    cost = row.values["effective_cost"]
    parts = tuple(
        Part(number, name, labels.dimension(name), value, value != UNATTRIBUTED)
        for number, (name, value) in enumerate(zip(names, row.keys, strict=True), start=1)
    )
    here = nobody
    for part in parts:
        here = here.without_filter(part.name).with_filter(part.name, part.value)
    return Line(
        parts=parts,
        cost=formats.MISSING
        if cost is None
        else formats.money_long(Decimal(cost), settings.CURRENCY),
        title="" if cost is None else formats.money_exact(Decimal(cost), settings.CURRENCY),
        share=formats.share_short(cost or 0, allocated.total or None),
        requests=formats.count_short(int(row.values["requests"] or 0)),
        href="" if row.is_other else address("requests", here),
        is_other=row.is_other,
    )
