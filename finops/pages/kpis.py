"""The tiles above a chart: a short number, its exact value, its change and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from finops import formats, labels
from finops.costs import CostResult, Value
from finops.pages.comparison import NOTHING, Comparison
from finops.pages.tables import Change, change, title
from finops.query import METRIC_KINDS


@dataclass(frozen=True, slots=True)
class Kpi:
    """`tone` is "warn" where the number asks for attention; `href` leads to what is behind it."""

    label: str
    value: str
    title: str = ""
    change: Change | None = None
    note: str = ""
    tone: str = ""
    href: str = ""


def metric_kpi(
    result: CostResult, metric: str, compared: Comparison = NOTHING, label: str = ""
) -> Kpi:
    value = result.totals[metric]
    before = result.previous.totals[metric] if result.previous else None
    return Kpi(
        label or labels.METRICS[metric],
        formats.value_short(METRIC_KINDS[metric], value, result.currency),
        title(metric, value, result.currency),
        change(metric, value, before, result.currency, compared),
        compared.gap and f"{compared.name}: {compared.gap}",
    )


def unpriced_kpi(result: CostResult, href: str) -> Kpi:
    """The share of requests without a known price: their cost is in no figure of the page."""
    coverage = result.coverage
    total = coverage.priced_requests + coverage.unpriced_requests
    if not coverage.unpriced_requests:
        return Kpi("Unpriced requests", formats.share_short(0, total), note="every one has a price")
    return Kpi(
        "Unpriced requests",
        formats.share_short(coverage.unpriced_requests, total),
        formats.share_long(coverage.unpriced_requests, total),
        note=f"{formats.count_short(coverage.unpriced_requests)} not in the costs",
        tone="warn",
        href=href,
    )


def share_kpi(label: str, part: Value, whole: Value, note: str, href: str) -> Kpi:
    """A share of the cost that nobody owns."""
    return Kpi(
        label,
        formats.share_short(part or 0, whole),
        formats.share_long(part or 0, whole),
        note=note,
        tone="warn" if part and whole and Decimal(part) * 10 > Decimal(whole) else "",
        href=href if part else "",
    )
