"""One budget's period step by step: the chart, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from finops import access, budget_charts, charts, costs, formats
from finops.access import Reader
from finops.budget_charts import BurnDown, Level, Outlook
from finops.budgets.spans import Calendar, Span
from finops.charts import Bucket
from finops.costs import CostResult
from finops.models import Budget, BudgetStatus
from finops.organisation.calendar import fiscal_first_month
from finops.pages.budgets.wording import filters_of, level_name
from finops.periods import Period, local_day
from finops.query import CostQuery, Filter, grain_for

MILLION = Decimal(1_000_000)
STEPS = {"hour": "Hour", "day": "Day", "week": "Week", "month": "Month"}


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    spent: str
    so_far: str
    share: str
    before: str


@dataclass(frozen=True, slots=True)
class Burning:
    """What a period has cost so far, by steps; `before` are the amounts of the period before, none
    where not all of it was recorded: `recorded_since` then says from when on."""

    query: CostQuery
    buckets: Sequence[Bucket]
    amounts: Sequence[Decimal]
    before: Sequence[Decimal]
    as_of: datetime
    currency: str
    recorded_since: datetime | None = None

    @property
    def spent(self) -> Decimal:
        return sum(self.amounts, Decimal(0))


def calendar_of(budget: Budget) -> Calendar:
    return Calendar(budget.period, budget.rolling_days, fiscal_first_month())


def query_of(budget: Budget, span: Span, value: str = "") -> CostQuery:
    """The usage that the budget counts, or that of one value of its dimension."""
    zone = settings.REPORTING_ZONE
    period = span.period(zone)
    filters = filters_of(budget)
    if budget.for_each and value:
        filters = (*filters, Filter(budget.for_each, (value,)))
    return CostQuery(
        period=period,
        granularity=grain_for(period),
        group_by=(),
        filters=filters,
        metrics=(budget.cost, "unpriced_requests", "unpriced_tokens"),
        limit=None,
        compare=False,
        zone=zone,
        fiscal_month=fiscal_first_month(),
    )


def read(budget: Budget, value: str, reader: Reader, now: datetime) -> Burning:
    """Raises QueryTooSlow, or rollups.ZoneChanged."""
    calendar = calendar_of(budget)
    span = calendar.at(local_day(now, settings.REPORTING_ZONE))
    asked = access.narrow(query_of(budget, span, value), reader)
    earlier = access.narrow(query_of(budget, calendar.before(span), value), reader)
    earlier = earlier.replace(granularity=asked.granularity)
    with costs.snapshot():
        result, previous = costs.run(asked), costs.run(earlier)
    as_of = min(result.freshness.rolled_up_to or now, now)
    buckets = charts.buckets_of(asked, now)
    begun = [each for each in buckets if each.start <= as_of]
    since = result.freshness.recorded_since
    is_recorded = costs.is_covered(earlier.period, since)
    return Burning(
        query=asked,
        buckets=buckets,
        amounts=amounts(budget, result, begun),
        before=amounts(budget, previous, charts.buckets_of(earlier, now)) if is_recorded else (),
        as_of=as_of,
        currency=result.currency,
        recorded_since=None if is_recorded else since,
    )


def amounts(budget: Budget, result: CostResult, buckets: Sequence[Bucket]) -> list[Decimal]:
    """What each bucket cost, as the budget counts it."""
    found = {row.start: row.values for row in result.rows}
    rate = budget.unpriced_rate if budget.unpriced == Budget.Unpriced.ESTIMATE else None
    sums = []
    for each in buckets:
        values = found.get(each.start, {})
        estimate = (rate or 0) * Decimal(values.get("unpriced_tokens") or 0) / MILLION
        sums.append(Decimal(values.get(budget.cost) or 0) + estimate)
    return sums


def chart(
    budget: Budget, burning: Burning, status: BudgetStatus | None, title: str
) -> charts.Chart:
    amount = status.amount if status else None
    outlook = None
    if status and None not in (status.forecast, status.forecast_low, status.forecast_high):
        outlook = Outlook(status.forecast, status.forecast_low, status.forecast_high)
    return budget_charts.burn_down(
        BurnDown(
            period=burning.query.period,
            buckets=burning.buckets,
            spent=budget_charts.cumulated(burning.amounts),
            before=budget_charts.cumulated(burning.before),
            outlook=outlook,
            levels=levels(budget, amount),
            as_of=burning.as_of,
            currency=burning.currency,
        ),
        title,
    )


def levels(budget: Budget, amount: Decimal | None) -> list[Level]:
    """The amount, and thresholds that are a line across the chart: not those of a burn rate."""
    found = [] if amount is None else [Level("Budget", amount, True)]
    for each in budget.thresholds.filter(retired_at=None).exclude(basis="burn_rate"):
        money = each.value
        if each.kind == "percent":
            if amount is None:
                continue
            money = amount * each.value / 100
        found.append(Level(level_name(each), money))
    return found


def steps(burning: Burning, amount: Decimal | None) -> list[Step]:
    """A row for each step that has begun."""
    so_far = budget_charts.cumulated(burning.amounts)
    before = budget_charts.cumulated(burning.before)
    spent_cells, _ = formats.money_column(burning.amounts, burning.spent)
    sum_cells, _ = formats.money_column(so_far, burning.spent, adds_up=False)
    before_cells, _ = formats.money_column(before, before[-1] if before else None, adds_up=False)
    return [
        Step(
            name=bucket.name,
            spent=spent,
            so_far=sum_cell,
            share=formats.share_short(amounted, amount),
            before=before_cells[place] if place < len(before_cells) else formats.MISSING,
        )
        for place, (bucket, spent, sum_cell, amounted) in enumerate(
            zip(burning.buckets, spent_cells, sum_cells, so_far, strict=False)
        )
    ]


def left_of(period: Period, now: datetime) -> str:
    """ "9 days left"."""
    left = max(period.end - now, timedelta(0))
    days = left.days
    if days >= 1:
        return f"{days} day{'s' if days > 1 else ''} left"
    return f"{formats.span_of(left.total_seconds())} left"
