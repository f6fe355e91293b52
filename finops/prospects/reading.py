"""Reads the days that a forecast goes by, and makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from finops import costs, forecasts
from finops.costs import CostResult, CostRow, Coverage, Freshness
from finops.forecasts import LONG_DAYS, Change, Outlook
from finops.periods import InvalidQuery, Period, add_months, days, local_day
from finops.prospects import planned, prices
from finops.query import CostQuery, Filter

COSTS = ("effective_cost", "list_cost", "billed_cost")
# Of a dimension, the values that cost most in the last weeks; the rest is Other.
GROUPS = 12
RANKED_DAYS = 56
DAY = timedelta(days=1)
ZERO = Decimal(0)
Days = dict[date, Decimal]


@dataclass(frozen=True, slots=True)
class Group:
    """One value of the dimension, or all others together."""

    name: str
    outlook: Outlook
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Prospect:
    """`query` is what was read: days up to today. `changes` are those that the whole is forecast
    with. `freshness` and `coverage` are of these days."""

    query: CostQuery
    as_of: datetime
    currency: str
    whole: Outlook
    groups: Sequence[Group]
    changes: Sequence[Change]
    freshness: Freshness
    coverage: Coverage
    result: CostResult

    def spent_on(self, day: date) -> Decimal:
        return sums(self.result.rows, self.query).get(day, ZERO)


def prospect(query: CostQuery, now: datetime, period: Period | None = None) -> Prospect:
    """This month and the next three of what the query's filters keep, or `period`, which is not
    over, and the same by the first dimension of its group_by.

    The query's period and granularity do not matter. Raises InvalidQuery for a metric that is no
    cost or for more than one dimension, QueryTooSlow and rollups.ZoneChanged.
    """
    check(query)
    asked = of_days(query, now)
    with costs.snapshot():
        result = costs.run(asked.replace(group_by=(), limit=None))
        as_of = min(result.freshness.rolled_up_to or now, now)
        end = horizon(now, query, period)
        changes = [*planned.changes(query, now, end), *prices.changes(query, now, end)]
        known = sums(result.rows, query)
        whole = forecasts.outlook(
            tuple(known.items()),
            *(as_of, query.zone),
            period=period,
            changes=changes,
            excused=planned.excused(query, now),
        )
        groups = by_group(query, asked, now, as_of, period, known, whole)
    return Prospect(
        query=asked,
        as_of=as_of,
        currency=result.currency,
        whole=whole,
        groups=groups,
        changes=changes,
        freshness=result.freshness,
        coverage=result.coverage,
        result=result,
    )


def check(query: CostQuery) -> None:
    if query.metrics[0] not in COSTS:
        raise InvalidQuery("metrics", f"a forecast is of {', '.join(COSTS[:-1])} or {COSTS[-1]}")
    if len(query.group_by) > 1:
        raise InvalidQuery("group_by", "a forecast is by one dimension at most")


def of_days(query: CostQuery, now: datetime) -> CostQuery:
    tomorrow = local_day(now, query.zone) + DAY
    return query.replace(
        period=days(tomorrow - timedelta(days=LONG_DAYS + 1), tomorrow, query.zone),
        granularity="day",
        metrics=(query.metrics[0],),
        compare=False,
    )


def horizon(now: datetime, query: CostQuery, period: Period | None) -> datetime:
    """Up to when days are forecast."""
    if period is not None:
        return period.end
    month = local_day(now, query.zone).replace(day=1)
    end = add_months(month, forecasts.MONTHS + 1)
    return days(month, end, query.zone).end


def sums(rows: Iterable[CostRow], query: CostQuery) -> Days:
    """Costs by day; requests without a price are in none of them."""
    found: Days = {}
    for row in rows:
        assert row.start is not None
        day = local_day(row.start, query.zone)
        found[day] = found.get(day, ZERO) + Decimal(row.values[query.metrics[0]] or 0)
    return found


def by_group(
    query: CostQuery,
    asked: CostQuery,
    now: datetime,
    as_of: datetime,
    period: Period | None,
    known: Days,
    whole: Outlook,
) -> list[Group]:
    """The values that cost most lately, then all others."""
    if not query.group_by:
        return []
    names, has_others = leaders(asked, now, query.limit or GROUPS)
    if not names:
        return []
    parts = by_value(asked, names)
    if has_others:
        parts[None] = rest(known, parts.values())
    (dimension,) = query.group_by
    end = horizon(now, query, period)
    priced = prices.changes_by_value(query, dimension, names, now, end)
    events = planned.changes_by_value(query, names, now, end)
    # The same days, so that the last one of both is the same.
    hint = [float(amount) for _, amount in whole.known]
    return [
        Group(
            name=name or costs.OTHER,
            outlook=forecasts.outlook(
                tuple(of_value.items()),
                *(as_of, query.zone),
                period=period,
                changes=[*events.get(name or "", []), *priced.get(name or "", [])],
                whole=hint,
                excused=planned.excused(planned.of_value(query, name), now),
            ),
            is_other=name is None,
        )
        for name, of_value in parts.items()
    ]


def leaders(asked: CostQuery, now: datetime, most: int) -> tuple[list[str], bool]:
    """And whether there are others."""
    tomorrow = local_day(now, asked.zone) + DAY
    recent = days(tomorrow - timedelta(days=RANKED_DAYS), tomorrow, asked.zone)
    ranked = costs.run(asked.replace(period=recent, granularity="total", limit=most))
    names = [row.keys[0] for row in ranked.rows if not row.is_other]
    return names, len(names) < len(ranked.rows)


def by_value(asked: CostQuery, names: Sequence[str]) -> dict[str | None, Days]:
    only = Filter(asked.group_by[0], tuple(sorted(names)))
    # Beside the filters that there are, so that it can only narrow them.
    result = costs.run(asked.replace(limit=None, filters=(*asked.filters, only)))
    rows: dict[str, list[CostRow]] = {name: [] for name in names}
    for row in result.rows:
        rows[row.keys[0]].append(row)
    return {name: sums(some, asked) for name, some in rows.items()}


def rest(whole: Days, parts: Iterable[Days]) -> Days:
    """What the whole cost beside these."""
    left = dict(whole)
    for part in parts:
        for day, amount in part.items():
            left[day] = left.get(day, ZERO) - amount
    return left
