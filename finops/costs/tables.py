"""Which table answers what: the coarsest grain that fits, ragged ends from the finer ones."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from finops.costs.owners import Known
from finops.periods import (
    Period,
    bucket_day,
    local_day,
    next_bucket_day,
    start_of_day,
    start_of_hour,
)
from finops.query import LATENCY_METRICS, CostQuery, InvalidQuery

# Users are kept per day; hours of theirs come from the events, and only that far.
# With the hour in which a window of 48 hours begins.
USER_HOURS = timedelta(hours=49)


@dataclass(frozen=True, slots=True)
class Grain:
    """A table whose rows are sums over a step of time that begins at `column`; or single events.

    `span` tells the rows of rollup_user_total apart.
    """

    table: str
    step: str
    column: str
    has_attribution: bool = True
    span: str | None = None


EVENT = Grain("measured_event", "event", "started_at")
HOUR = Grain("rollup_hour", "hour", "hour")
DAY = Grain("rollup_day", "day", "day")
USER_DAY = Grain("rollup_user_day", "day", "day")
# Who the users of an attribution were, of settled days; says nothing of any one of them.
DAY_USERS = Grain("rollup_day_users", "day", "day")
TOTALS = {
    span: Grain("rollup_user_total", span, "start", has_attribution=False, span=span)
    for span in ("day", "week", "month")
}
# What users' totals are read by: spans that lie within one bucket, coarsest last.
TOTALS_FOR = {
    "day": ("day",),
    "week": ("day", "week"),
    "month": ("day", "month"),
    "total": ("day", "week", "month"),
}


@dataclass(frozen=True, slots=True)
class Segment:
    """The part [start, end) of the period that is read from one table."""

    grain: Grain
    start: datetime
    end: datetime


def segments(query: CostQuery, unsettled: Set[date], *, per_user: bool) -> list[Segment]:
    """The parts of the query's period, in order, each with the table that answers it.

    Users' totals are read for days that are not `unsettled`. Raises InvalidQuery where no table
    can answer.
    """
    if not per_user:
        hourly = query.granularity == "hour"
        return cover(query.period, [EVENT, HOUR] if hourly else [EVENT, HOUR, DAY], query.zone)
    totals = [TOTALS[span] for span in TOTALS_FOR.get(query.granularity, ())]
    if query.dimensions() - {"user"}:
        totals = [USER_DAY]
    return in_settled_days(query, unsettled, totals)


def segments_of_users(query: CostQuery, unsettled: Set[date], known: Known) -> list[Segment]:
    """The parts of the query's period, each with the table that tells who its users are."""
    if known.needs_users(query):
        return segments(query, unsettled, per_user=True)
    return in_settled_days(query, unsettled, [DAY_USERS])


def in_settled_days(query: CostQuery, unsettled: Set[date], grains: list[Grain]) -> list[Segment]:
    """What is kept for each user, with other grains in place of whole days that have settled."""
    if query.granularity == "hour":
        if query.period.end - query.period.start > USER_HOURS:
            raise InvalidQuery(
                "granularity", "users are kept per day: choose day or coarser, or at most 48 hours"
            )
        return cover(query.period, [EVENT], query.zone)
    by_day = cover(query.period, [EVENT, USER_DAY], query.zone)
    return [part for each in by_day for part in replaced(query, each, unsettled, grains)]


def replaced(
    query: CostQuery, part: Segment, unsettled: Set[date], grains: list[Grain]
) -> list[Segment]:
    """The part, with other grains in place of users' days where those have settled."""
    if part.grain is not USER_DAY or grains == [USER_DAY]:
        return [part]
    first = local_day(part.start, query.zone)
    count = (local_day(part.end, query.zone) - first).days
    parts = []
    for is_unsettled, run in groupby(
        (first + timedelta(days=n) for n in range(count)), unsettled.__contains__
    ):
        days = list(run)
        span = Period(
            start_of_day(days[0], query.zone),
            start_of_day(days[-1] + timedelta(days=1), query.zone),
        )
        parts += cover(span, [USER_DAY] if is_unsettled else grains, query.zone)
    return parts


def counts_users(query: CostQuery) -> bool:
    return bool({"users", "cost_per_user"}.intersection(query.metrics))


def is_per_user(query: CostQuery, known: Known) -> bool:
    """Whether the figures themselves (not only the number of users) need a grain with users."""
    if not known.needs_users(query):
        return False
    if kept := [metric for metric in query.metrics if metric in LATENCY_METRICS]:
        what = "user" if "user" in query.dimensions() else "cost center, as rules name users"
        raise InvalidQuery(
            "metrics", f"{kept[0]} is not kept per user; drop the metric or the {what}"
        )
    return True


def cover(period: Period, grains: list[Grain], zone: ZoneInfo) -> list[Segment]:
    """[start, end) by the coarsest of the grains where whole steps fit, the rest by finer ones."""
    if period.start >= period.end:
        return []
    *finer, coarsest = grains
    start = ceiling(period.start, coarsest.step, zone)
    end = floor(period.end, coarsest.step, zone)
    if start >= end:
        return cover(period, finer, zone)
    return [
        *cover(Period(period.start, start), finer, zone),
        Segment(coarsest, start, end),
        *cover(Period(end, period.end), finer, zone),
    ]


def floor(instant: datetime, step: str, zone: ZoneInfo) -> datetime:
    """The start of the step that holds the instant."""
    if step == "event":
        return instant
    if step == "hour":
        return start_of_hour(instant, zone)
    return start_of_day(bucket_day(local_day(instant, zone), step), zone)


def ceiling(instant: datetime, step: str, zone: ZoneInfo) -> datetime:
    """The first start of a step that is not before the instant."""
    start = floor(instant, step, zone)
    if start == instant:
        return instant
    if step == "hour":
        return start_of_hour(start + timedelta(hours=1), zone)
    return start_of_day(next_bucket_day(local_day(start, zone), step), zone)
