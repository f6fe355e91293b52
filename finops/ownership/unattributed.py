"""What nobody bears: which usage it is, what it costs, and how much of all is allocated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops import costs
from finops.costs import UNATTRIBUTED, CostResult, CostRow
from finops.query import CostQuery, InvalidQuery

COST_CENTER = "cost_center"
DEFAULT_DIMENSIONS = ("team", "feature", "model")
# Percent of the cost, as practitioners of FinOps set their aims.
CRAWL, RUN = Decimal(80), Decimal(90)
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Allocated:
    """Of the cost of requests with a price: all of it, and what no cost center bears."""

    total: Decimal
    unattributed: Decimal

    @property
    def percent(self) -> Decimal | None:
        """None where there is no cost to be a part of. Rounded down: 100 is everything."""
        if not 0 <= self.unattributed <= self.total or not self.total:
            return None
        share = (self.total - self.unattributed) * 100 / self.total
        return share.quantize(Decimal("0.01"), rounding="ROUND_DOWN")

    @property
    def stage(self) -> str:
        if self.percent is None:
            return "there is no cost yet"
        if self.percent >= RUN:
            return f"{RUN} % and more is what well-kept books reach"
        return f"aim at {RUN if self.percent >= CRAWL else CRAWL} % next"


@dataclass(frozen=True, slots=True)
class Unattributed:
    """`rows` are what costs most of it, by the dimensions; the others are one row, Other."""

    dimensions: tuple[str, ...]
    rows: Sequence[CostRow]
    result: CostResult
    allocated: Allocated


def allocated(query: CostQuery) -> Allocated:
    """Of the query's usage."""
    asked = query.replace(
        granularity="total",
        group_by=(COST_CENTER,),
        limit=None,
        compare=False,
        metrics=("effective_cost",),
    )
    result = costs.run(asked)
    nobody = [row for row in result.rows if row.keys == (UNATTRIBUTED,)]
    return Allocated(
        Decimal(result.totals["effective_cost"] or 0),
        sum((Decimal(row.values["effective_cost"] or 0) for row in nobody), Decimal(0)),
    )


def read(query: CostQuery) -> Unattributed:
    """By the query's groups, or by team, feature and model. Raises InvalidQuery, QueryTooSlow, or
    rollups.ZoneChanged."""
    if COST_CENTER in query.group_by:
        raise InvalidQuery("group_by", "all of it has the cost center Unattributed")
    if any(each.dimension == COST_CENTER for each in query.filters):
        raise InvalidQuery(COST_CENTER, "is Unattributed here")
    dimensions = query.group_by or DEFAULT_DIMENSIONS
    asked = query.replace(
        granularity="total",
        group_by=dimensions,
        limit=query.limit or SHOWN,
        compare=False,
        metrics=("effective_cost", "requests", "unpriced_requests"),
    ).with_filter(COST_CENTER, UNATTRIBUTED)
    with costs.snapshot():
        result = costs.run(asked)
        return Unattributed(dimensions, result.rows, result, allocated(query))
