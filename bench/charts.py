"""The questions that the charts and tables of the pages ask, as parameters of /api/v1/costs.

    python bench/charts.py START END

Prints {name: {parameter: value}}, the days [START, END) being those that are measured. The
environment says of which installation, as its activated tags are dimensions too.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")
django.setup()

from finops.charts import SERIES  # noqa: E402
from finops.organisation.tags import activated  # noqa: E402
from finops.pages.explore import COMPANIONS, ROWS  # noqa: E402
from finops.pages.overview import KPI_METRICS, RANKED, RANKS  # noqa: E402
from finops.query import DIMENSIONS, METRICS  # noqa: E402

Params = dict[str, str]


def questions(span: Params, tags: list[str]) -> dict[str, Params]:
    """Name → question. `span` is the period that is measured, [start, end) in whole days."""
    return {**overview(), **overview(span), **explore(span, tags), **periods()}


def overview(span: Params | None = None) -> dict[str, Params]:
    """All that the Overview page asks; of the month to date, or of a span."""
    period = span or {"period": "mtd"}
    label = "month" if span else "to date"
    metrics = ",".join((*KPI_METRICS, "unpriced_requests"))
    ranked = "effective_cost,unpriced_requests"
    total = {**period, "granularity": "total"}
    found = {
        "teams, compared": {
            **total,
            "group_by": "team",
            "metrics": metrics,
            "compare": "previous",
        },
        "chart": {
            **period,
            "granularity": "day",
            "group_by": "team",
            "metrics": "effective_cost",
            "limit": str(SERIES),
        },
    }
    for dimension in set(RANKED) - {"team"}:
        limit = {} if dimension == "feature" else {"limit": str(RANKS)}
        found[f"leading {dimension}s"] = {
            **total,
            **limit,
            "group_by": dimension,
            "metrics": ranked,
        }
    return {f"Overview, {label}: {name}": params for name, params in found.items()}


def explore(span: Params, tags: list[str]) -> dict[str, Params]:
    """The chart and the table of each grouping, and of each metric by feature."""
    found: dict[str, Params] = {}
    for dimension in (*DIMENSIONS, *(f"tag:{key}" for key in tags), "team,model", "feature,user"):
        found |= chart_and_table(f"by {dimension}", span, dimension, "effective_cost")
    for metric in METRICS:
        by = "latency_tier" if metric == "latency_p95" else "feature"
        found |= chart_and_table(f"{metric} by {by}", span, by, metric)
    latency = {**span, "granularity": "total", "metrics": "latency_p95"}
    found["Explore: latency by feature, compared"] = {
        **latency,
        "group_by": "feature",
        "compare": "previous",
    }
    found["Explore: leading users, compared"] = {
        **span,
        "granularity": "total",
        "group_by": "user",
        "limit": str(ROWS),
        "compare": "previous",
    }
    found["Explore: no grouping"] = {**span, "granularity": "day"}
    return found


def chart_and_table(name: str, span: Params, group_by: str, metric: str) -> dict[str, Params]:
    """As Explore asks them; figures by user have neither latencies nor hours."""
    columns = (metric, *COMPANIONS[metric], "unpriced_requests")
    grouped = {**span, "group_by": group_by}
    return {
        f"Explore: {name}, chart": {
            **grouped,
            "granularity": "day",
            "metrics": metric,
            "limit": str(SERIES),
        },
        f"Explore: {name}, table": {
            **grouped,
            "granularity": "total",
            "metrics": ",".join(dict.fromkeys(columns)),
            "limit": str(ROWS),
        },
    }


def periods() -> dict[str, Params]:
    """Periods that end now, in a day that has only begun, by the steps that each is drawn in."""
    found = {}
    for period, granularity in (("24h", "hour"), ("7d", "day"), ("30d", "day"), ("90d", "week")):
        for metric in ("effective_cost", "latency_p95"):
            found[f"Explore, {period}: {metric} by feature"] = {
                "period": period,
                "granularity": granularity,
                "group_by": "feature",
                "metrics": metric,
                "limit": str(SERIES),
            }
        found[f"Explore, {period}: leading users"] = {
            "period": period,
            "granularity": "total",
            "group_by": "user",
            "metrics": "effective_cost",
            "limit": "20",
        }
    return found


if __name__ == "__main__":
    days = {"start": sys.argv[1], "end": sys.argv[2]}
    print(json.dumps(questions(days, [each.key for each in activated()])))
