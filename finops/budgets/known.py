"""Whether usage has a value that somebody names: what is made for a misspelt one never acts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from finops import costs
from finops.costs import QueryTooSlow
from finops.models import Budget
from finops.periods import Period, local_day, start_of_day
from finops.query import CostQuery, Filter, InvalidQuery, parse_filters
from finops.rollups import ZoneChanged

DAYS = 366
MOST = 2_000  # names to look for the nearest in


def objection(budget: Budget, value: str, now: datetime, zone: ZoneInfo) -> str:
    """What to say of a value of the budget's dimension; "" where usage of the last year has it, or
    nobody can tell now."""
    standing = budget.statuses.exclude(value="")
    if standing.filter(value=value).exists() or has_usage(budget, value, now, zone):
        return ""
    names = standing.order_by("-actual").values_list("value", flat=True)[:MOST]
    return f"No usage of the last year has this value{nearest(value, names)}"


def nearest(value: str, names: Iterable[str]) -> str:
    """The end of the sentence."""
    found = get_close_matches(value, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else "."


def has_usage(budget: Budget, value: str, now: datetime, zone: ZoneInfo) -> bool:
    today = local_day(now, zone)
    days = (today - timedelta(days=DAYS), today + timedelta(days=1))
    first, last = (start_of_day(day, zone) for day in days)
    query = CostQuery(
        period=Period(first, last),
        granularity="total",
        group_by=(),
        filters=(*parse_filters(budget.filters), Filter(budget.for_each, (value,), False)),
        metrics=("requests",),
        limit=None,
        compare=False,
        zone=zone,
    )
    try:
        return bool(costs.run(query).totals["requests"])
    except (InvalidQuery, QueryTooSlow, ZoneChanged):
        return True
