"""What stands beside or instead of figures: how fresh they are, and why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from finops import costs, formats, operations, requests
from finops.costs import CostResult, Freshness
from finops.operations import wording
from finops.pages.filters import with_period
from finops.pages.links import address
from finops.periods import Period, days, local_day
from finops.query import CostQuery

# Folding takes a second or two; a roll-up that is a minute behind is not catching up by itself.
STALLED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FreshnessLine:
    text: str
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class Empty:
    """Why a page has no figures: reason is "ever", "pending", "period" or "filter"."""

    reason: str
    href: str = ""
    last_day: str = ""


def freshness_line(freshness: Freshness, query: CostQuery, now: datetime) -> FreshnessLine | None:
    """ "Costs up to 14:00 UTC", and what is missing from them; None before the first event."""
    upto, pending = freshness.rolled_up_to, freshness.pending_events
    if upto is None:
        return None
    today = local_day(now, query.zone)
    local = upto.astimezone(query.zone)
    is_today = local.date() == today
    clock = f"{local:%H:%M} {local:%Z}" if is_today else formats.moment(upto, query.zone, today)
    # Who does not see all teams is told of a stall, and not of the others' events.
    if now - upto > STALLED_AFTER and (pending or query.reader_teams is not None):
        waiting = f"{formats.count_long(pending)} events" if pending else "events"
        return FreshnessLine(
            f"Roll-up stalled: {waiting} since {clock} are not in these figures. Check that the "
            "worker is running.",
            is_alarm=True,
        )
    waiting = f", {formats.count_long(pending)} newer events on their way" if pending else ""
    working = operations.working_on(query.period.start, query.period.end)
    beside = f". {wording.beside_figures(working)}" if working else ""
    return FreshnessLine(f"Costs up to {clock}{waiting}{beside}", is_alarm=False)


def empty_state(
    page: str, query: CostQuery, seen: CostQuery, result: CostResult, now: datetime
) -> Empty | None:
    """Why the page's query has nothing to show, as its result tells; None when it has.

    `seen` is the query without its reader's own filters: all of it that they may see.
    """
    if result.coverage.priced_requests or result.coverage.unpriced_requests:
        return None
    if result.freshness.rolled_up_to is None:
        return Empty("pending" if result.freshness.pending_events else "ever")
    is_filtered = query.filters != seen.filters
    if is_filtered and has_usage(seen):
        return Empty("filter", address(page, seen))
    last = last_request_at(query, now) or last_request_at(seen, now)
    if last is None:
        return Empty("filter" if is_filtered else "period", address(page, seen))
    day = local_day(last, query.zone)
    around = days(day - timedelta(days=6), day + timedelta(days=1), query.zone)
    return Empty(
        "period",
        address(page, with_period(query, around)),
        formats.day(day, local_day(now, query.zone)),
    )


def has_usage(query: CostQuery) -> bool:
    counted = query.replace(
        group_by=(), granularity="total", metrics=("requests",), limit=None, compare=False
    )
    return bool(costs.run(counted).totals["requests"])


def last_request_at(query: CostQuery, now: datetime) -> datetime | None:
    """When the latest request of these filters started, in whatever period."""
    always = Period(now - timedelta(days=3650), now + timedelta(days=1))
    page = requests.page(query.replace(period=always), None, 1)
    return page.rows[0].started_at if page.rows else None
