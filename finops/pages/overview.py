"""Overview: what was spent this month, how that compares, and who and what it went to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from finops import charts, costs, formats, labels
from finops.costs import UNATTRIBUTED, CostResult
from finops.pages import states
from finops.pages.comparison import Comparison, comparison
from finops.pages.filters import period_text
from finops.pages.kpis import Kpi, metric_kpi, share_kpi, unpriced_kpi
from finops.pages.links import PAGE_PERIODS, address, drilled, explain_href, forecast_href
from finops.pages.shell import show
from finops.pages.tables import decimal, unpriced, width
from finops.pages.unpriced import unpriced_href
from finops.periods import previous
from finops.query import CostQuery

KPI_METRICS = ("effective_cost", "requests", "cost_per_request")
RANKED = ("feature", "model", "team", "user")
RANKS = 8
SAME_DAYS = {
    "mtd": "the same days of the month",
    "fqtd": "the same days of the quarter",
    "fytd": "the same days of the fiscal year",
}


@dataclass(frozen=True, slots=True)
class Rank:
    name: str
    href: str
    amount: str
    title: str
    share: str
    width: float
    unpriced: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The groups of one dimension that cost most; `href` leads to all of them."""

    dimension: str
    title: str
    href: str
    ranks: tuple[Rank, ...]
    hidden: str
    hidden_share: str


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    params = request.GET.copy()
    if not {"period", "start", "end"} & set(params):
        params["period"] = PAGE_PERIODS["overview"]
    return show(request, "overview", params, figures=figures, controls=controls)


def controls(query: CostQuery, now: datetime) -> dict[str, Any]:
    return {"heading": "What did we spend?"}


def figures(query: CostQuery, seen: CostQuery, now: datetime) -> dict[str, Any]:
    with costs.snapshot():
        return figures_of_one_moment(query, seen, now)


def figures_of_one_moment(query: CostQuery, seen: CostQuery, now: datetime) -> dict[str, Any]:
    whole = query.replace(group_by=("team",), granularity="total", limit=None, compare=True)
    # One read gives the teams and the totals of both periods.
    total = costs.run(whole.replace(metrics=(*KPI_METRICS, "unpriced_requests")))
    empty = states.empty_state("overview", query, seen, total, now)
    if empty:
        return {"empty": empty}
    grouped = {name: run_ranked(whole, name) for name in RANKED if name != "team"}
    grouped["team"] = total
    return {
        "freshness": states.freshness_line(total.freshness, query, now),
        "kpis": kpis(query, total, grouped, now),
        "chart": chart(query, now),
        "rankings": [ranking(query, grouped[name], total) for name in RANKED],
        "currency": total.currency,
        "explain_href": explain_href(query),
        "forecast_href": forecast_href(query),
    }


def run_ranked(whole: CostQuery, dimension: str) -> CostResult:
    """Features all of them, because the unowned may be any of them; others just the leaders."""
    limit = None if dimension == "feature" else RANKS
    metrics = ("effective_cost", "unpriced_requests")
    return costs.run(
        whole.replace(group_by=(dimension,), limit=limit, compare=False, metrics=metrics)
    )


def kpis(
    query: CostQuery, total: CostResult, grouped: dict[str, CostResult], now: datetime
) -> list[Kpi]:
    compared = comparison(total, now)
    label = labels.PERIODS.get(query.period.label) or period_text(query, now)
    return [
        metric_kpi(total, "effective_cost", compared, label),
        earlier_kpi(total, compared),
        metric_kpi(total, "cost_per_request", compared),
        metric_kpi(total, "requests", compared),
        unpriced_kpi(total, unpriced_href(query)),
        unattributed_kpi(query, total, grouped),
    ]


def earlier_kpi(total: CostResult, compared: Comparison) -> Kpi:
    before = total.previous
    spent = before.totals["effective_cost"] if before and before.rows else None
    amount = None if spent is None else Decimal(spent)
    return Kpi(
        f"Previous, {compared.name}",
        formats.money_short(amount, total.currency),
        formats.money_exact(amount, total.currency),
        note=compared.gap or SAME_DAYS.get(total.query.period.label, ""),
    )


def unattributed_kpi(query: CostQuery, total: CostResult, grouped: dict[str, CostResult]) -> Kpi:
    """The cost without a team; that without a feature is said beside it."""
    whole = total.totals["effective_cost"]
    teamless, featureless = unowned(grouped["team"]), unowned(grouped["feature"])
    return share_kpi(
        "Without a team",
        teamless,
        whole,
        f"{formats.share_short(featureless, whole)} without a feature",
        address("explore", query.replace(group_by=("feature",)).with_filter("team", UNATTRIBUTED)),
    )


def unowned(result: CostResult) -> Decimal:
    amounts = (row.values["effective_cost"] for row in result.rows if row.keys == (UNATTRIBUTED,))
    return sum((Decimal(amount or 0) for amount in amounts), Decimal(0))


def chart(query: CostQuery, now: datetime) -> charts.Chart:
    drawn = query.replace(
        metrics=("effective_cost",), group_by=("team",), limit=charts.SERIES, compare=False
    )
    earlier = drawn.replace(period=previous(query.period, query.zone), group_by=(), limit=None)
    return charts.over_time(costs.run(drawn), now=now, before=costs.run(earlier))


def ranking(query: CostQuery, result: CostResult, total: CostResult) -> Ranking:
    dimension = result.query.group_by[0]
    grouped = query.replace(group_by=(dimension,))
    leaders = [row for row in result.rows if not row.is_other][:RANKS]
    whole = Decimal(total.totals["effective_cost"] or 0)
    amounts = [Decimal(row.values["effective_cost"] or 0) for row in leaders]
    hidden = whole - sum(amounts, Decimal(0))
    largest = max(amounts, default=Decimal(0))
    return Ranking(
        dimension=dimension,
        title=f"Top {labels.dimension(dimension).lower()}s",
        href=address("explore", grouped),
        ranks=tuple(
            Rank(
                name=row.keys[0],
                href=drilled(grouped, row.keys),
                amount=formats.money_short(decimal(row.values["effective_cost"]), total.currency),
                title=formats.money_exact(decimal(row.values["effective_cost"]), total.currency),
                share=formats.share_short(row.values["effective_cost"], whole),
                width=width(row.values["effective_cost"], largest),
                unpriced=unpriced(row.values["unpriced_requests"]),
            )
            for row in leaders
        ),
        hidden=formats.money_short(hidden, total.currency) if hidden else "",
        hidden_share=formats.share_short(hidden, whole),
    )
