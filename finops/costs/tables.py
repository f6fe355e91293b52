"""Which table answers what: the coarsest grain that fits, ragged ends from the finer ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from finops.periods import (
    Period,
    add_months,
    local_day,
    start_of_day,
    start_of_hour,
    whole_day,
)
from finops.query import LATENCY_METRICS, CostQuery, InvalidQuery

# Users are kept per day; hours of theirs come from the events, and only that far.
USER_HOURS = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Grain:
    """A table whose rows are sums over one hour, day or month (or, `event`, one event each)."""

    table: str
    step: str
    has_attribution: bool = True


EVENT = Grain("measured_event", "event")
HOUR = Grain("rollup_hour", "hour")
DAY = Grain("rollup_day", "day")
USER_DAY = Grain("rollup_user_day", "day")
USER_DAY_TOTAL = Grain("rollup_user_day_total", "day", has_attribution=False)
USER_MONTH = Grain("rollup_user_month", "month", has_attribution=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """The part [start, end) of the period that is read from one table."""

    grain: Grain
    start: datetime
    end: datetime


def segments(query: CostQuery, *, per_user: bool) -> list[Segment]:
    """The parts of the query's period, in order, each with the table that answers it."""
    return cover(query.period, grains_for(query, per_user=per_user), query.zone)


def grains_for(query: CostQuery, *, per_user: bool) -> list[Grain]:
    """The tables that can answer, finest first. Raises InvalidQuery where none can."""
    hourly = query.granularity == "hour"
    if not per_user:
        return [EVENT, HOUR] if hourly else [EVENT, HOUR, DAY]
    if hourly:
        if query.period.end - query.period.start > USER_HOURS:
            raise InvalidQuery(
                "granularity", "users are kept per day: choose day or coarser, or at most 48 hours"
            )
        return [EVENT]
    if query.dimensions() - {"user"}:
        return [EVENT, USER_DAY]
    if query.granularity in {"total", "month"}:
        return [EVENT, USER_DAY_TOTAL, USER_MONTH]
    return [EVENT, USER_DAY_TOTAL]


def counts_users(query: CostQuery) -> bool:
    return bool({"users", "cost_per_user"}.intersection(query.metrics))


def is_per_user(query: CostQuery) -> bool:
    """Whether the figures themselves (not only the number of users) need a grain with users."""
    if "user" not in query.dimensions():
        return False
    if kept := [metric for metric in query.metrics if metric in LATENCY_METRICS]:
        raise InvalidQuery(
            "metrics", f"{kept[0]} is not kept per user; drop the metric or the user"
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
    day = local_day(instant, zone)
    return start_of_day(day.replace(day=1) if step == "month" else day, zone)


def ceiling(instant: datetime, step: str, zone: ZoneInfo) -> datetime:
    """The first start of a step that is not before the instant."""
    start = floor(instant, step, zone)
    if start == instant:
        return instant
    if step == "hour":
        return start_of_hour(start + timedelta(hours=1), zone)
    day = whole_day(start, zone)
    assert day is not None
    return start_of_day(add_months(day, 1) if step == "month" else day + timedelta(days=1), zone)
