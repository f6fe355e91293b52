"""What an outcome costs, read in one snapshot: usage through CostQuery, values as they are in
force, and the same of the period before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings

from finops import costs
from finops.books import drafts
from finops.business_metrics import storing
from finops.business_metrics.loaded import loaded_costs
from finops.cost_items import MonthAllocation
from finops.costs import CostResult, Coverage, Freshness, Together
from finops.models import BusinessMetric
from finops.periods import Period, add_months, days, local_day, whole_day
from finops.query import CostQuery
from finops.unit_economics import (
    Answer,
    Cell,
    Cost,
    Place,
    Question,
    Row,
    UnitCostChange,
    Value,
    cells,
    change_of,
    compared_period,
    fold,
    month_cells,
    months_of,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """`until` is the first day that is not over. `previous` is what the days that are over are
    fairly compared with: None where that was not asked, where nothing is over, or where usage was
    not recorded yet; `gap` then says so. `groups` are those of the whole period, `steps` all groups
    together; of what does not add up there are none."""

    question: Question
    answer: Answer
    groups: tuple[Row, ...]
    steps: tuple[Row, ...]
    until: date
    freshness: Freshness
    coverage: Coverage
    currency: str
    previous: Answer | None = None
    previous_groups: tuple[Row, ...] = ()
    previous_question: Question | None = None
    gap: str = ""

    @property
    def change(self) -> UnitCostChange | None:
        return change_of(self.answer.totals, self.previous.totals) if self.previous else None


@dataclass(frozen=True, slots=True)
class Sides:
    """What of one period is set against each other, and how many requests it was."""

    cells: list[Cell]
    by_month: bool
    requests: int
    unpriced_requests: int


def answer(metric: BusinessMetric, question: Question, *, now: datetime) -> Answered:
    """Raises InvalidQuery, QueryTooSlow and rollups.ZoneChanged."""
    query = question.query
    first, end = span_of(query.period, query)
    allocated: Mapping[date, MonthAllocation] = {}
    if question.is_loaded:
        # As far back as a comparison may reach.
        months = months_of(query) or []
        months = [add_months(each, -len(months)) for each in months if query.compare] + months
        allocated = {
            month: drafts.of_month(month, now=now, reader_teams=query.reader_teams)
            for month in months
        }
    with costs.together(query.zone, query.reader_teams) as asked:
        reached = min(now, asked.freshness.rolled_up_to or now)
        until = local_day(reached, query.zone)
        own = sides(asked, metric, question, allocated, until)
        answered = Answered(
            question=question,
            answer=fold(question, own.cells, first=first, end=end),
            groups=rows_of(question.by_group, own.cells),
            steps=rows_of(question.by_step, own.cells),
            until=until,
            freshness=asked.freshness,
            coverage=Coverage(own.requests - own.unpriced_requests, own.unpriced_requests),
            currency=settings.CURRENCY,
        )
        if not query.compare:
            return answered
        return compared(asked, metric, answered, allocated, own.by_month, now)


def compared(
    asked: Together,
    metric: BusinessMetric,
    answered: Answered,
    allocated: Mapping[date, MonthAllocation],
    by_month: bool,
    now: datetime,
) -> Answered:
    question, freshness = answered.question, answered.freshness
    before = compared_period(question.query, answered.until, now, by_month=by_month)
    if before is None:
        return replace(answered, gap="nothing of this period is over yet")
    if not costs.is_covered(before, freshness.recorded_since):
        return replace(answered, gap="usage was not recorded in all of the period before")
    earlier = question.over(before)
    own = sides(asked, metric, earlier, allocated, answered.until)
    first, end = span_of(before, earlier.query)
    return replace(
        answered,
        previous=fold(earlier, own.cells, first=first, end=end),
        previous_groups=rows_of(earlier.by_group, own.cells),
        previous_question=earlier,
    )


def rows_of(question: Question, found: Sequence[Cell]) -> tuple[Row, ...]:
    if not question.terms.adds_up:
        return ()
    first, end = span_of(question.query.period, question.query)
    return fold(question, found, first=first, end=end).rows


def span_of(period: Period, query: CostQuery) -> tuple[date, date]:
    """The first day, and the first one after."""
    first, end = whole_day(period.start, query.zone), whole_day(period.end, query.zone)
    assert first is not None
    assert end is not None
    return first, end


def sides(
    asked: Together,
    metric: BusinessMetric,
    question: Question,
    allocated: Mapping[date, MonthAllocation],
    until: date,
) -> Sides:
    terms, query = question.terms, question.query
    first, end = span_of(query.period, query)
    values = list(storing.values(metric, first, end, query.reader_teams))
    values = kept(question, values)
    # What adds up is added by the day wherever any value is of a day.
    by_month = bool(values) and all(each.is_month for each in values)
    result = asked.run(usage(question, "month" if by_month else "day"))
    held = costs_of(result, by_month, query)

    def is_recorded(start: date, stop: date) -> bool:
        return costs.is_covered(days(start, stop, query.zone), asked.freshness.recorded_since)

    found = cells(terms, held, values, until=until, is_recorded=is_recorded)
    if question.is_loaded:
        own = {month: allocated[month] for month in months_of(query) or () if month in allocated}
        loaded = loaded_costs(asked, question, own)
        found = month_cells(terms, found, loaded, until=until, is_recorded=is_recorded)
    requests = sum(each.requests for each in held.values())
    unpriced = sum(each.unpriced_requests for each in held.values())
    return Sides(found, by_month or question.is_loaded, requests, unpriced)


def usage(question: Question, granularity: str) -> CostQuery:
    """All that the metric is about, as finely as its values are."""
    return question.usage.replace(granularity=granularity, group_by=question.terms.dimensions)


def kept(question: Question, values: Collection[Value]) -> list[Value]:
    """Those that the filters keep, and of what does not add up those of the steps asked for."""
    terms, query = question.terms, question.query
    filters = [(terms.dimensions.index(each.dimension), each) for each in query.filters
               if each.dimension in terms.dimensions]  # fmt: skip
    found = [
        value
        for value in values
        if all((value.keys[at] in each.values) != each.exclude for at, each in filters)
    ]
    if terms.adds_up:
        return found
    first, end = span_of(query.period, query)
    is_one_month = query.granularity == "total" and end == add_months(first, 1)
    is_month = query.granularity == "month" or is_one_month
    return [value for value in found if value.is_month == is_month]


def costs_of(result: CostResult, by_month: bool, query: CostQuery) -> dict[Place, Cost]:
    found: dict[Place, Cost] = {}
    for row in result.rows:
        assert row.start is not None
        place = Place(local_day(row.start, query.zone), by_month, row.keys)
        amount = row.values["effective_cost"]
        cost = Cost(
            amount if isinstance(amount, Decimal) else None,
            int(row.values["requests"] or 0),
            int(row.values["unpriced_requests"] or 0),
        )
        # A user may be called Unattributed, as requests without one are.
        found[place] = found[place] + cost if place in found else cost
    return found
