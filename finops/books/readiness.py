"""What stands against closing a month, and what whoever closes it should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from finops import exchange_rates, formats, operations
from finops.allocation import add_up
from finops.books import drafts, months, waiting
from finops.books.months import State
from finops.cost_items import MonthAllocation
from finops.cost_items.converting import is_foreign
from finops.cost_items.months import known_until
from finops.exchange import USUAL_DAYS, days_in_words, overdue_days
from finops.periods import Period, add_months, days, local_day
from finops.query import UNATTRIBUTED
from finops.rollup_checks import differing_days

# FinOps takes nine tenths for a practice that runs.
WELL_ALLOCATED = Decimal(90)
# What may be closed all the same, by who says that they know it.
WARNINGS = ("unpriced", "rates", "unattributed", "unchecked", "beginning")


@dataclass(frozen=True, slots=True)
class Finding:
    """In words. A warning is accepted by its name."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """`found` is what would be closed; None of a month that is no draft."""

    month: date
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    found: MonthAllocation | None


def look(month: date, now: datetime) -> Readiness:
    """Raises as cost_items.of_month."""
    problems = [*order_problems(month, now)]
    held = months.every().get(month)
    if held and held.state != State.DRAFT:
        return Readiness(month, tuple(problems), (), None)
    problems += figure_problems(month)
    found = drafts.of_month(month, now=now)
    problems += beginning_problems(found)
    return Readiness(month, tuple(problems), tuple(warnings_of(found, now)), found)


def order_problems(month: date, now: datetime) -> Iterator[Finding]:
    zone, held = settings.REPORTING_ZONE, months.every()
    own = held.get(month)
    if own and own.state != State.DRAFT:
        yield Finding("closed", f"{month:%B %Y} is closed already, as version {own.version}.")
        return
    if not months.is_over(month, now, zone):
        end = add_months(month, 1)
        yield Finding("over", f"{month:%B %Y} is not over: it can be closed from {end} on.")
    first = months.closed_until()
    if held and month < min(held):
        yield Finding(
            "order", f"The books begin with {min(held):%B %Y}: what is before stays out of them."
        )
    elif first and first < month:
        yield Finding("order", f"{first:%B %Y} is open: months are closed in their order.")


def beginning_problems(found: MonthAllocation) -> Iterator[Finding]:
    """The books go on month by month from the first one that is closed, and none is given up."""
    since = found.freshness.recorded_since
    known = [each.draft.effective_from for each in found.items.values()]
    if since:
        known.append(local_day(since, settings.REPORTING_ZONE))
    if not months.every() and known and add_months(found.month, 1) <= min(known):
        yield Finding(
            "before",
            f"There is nothing in {found.month:%B %Y}: usage and cost items begin on {min(known)}. "
            "Begin the books there, as every later month is closed in its order.",
        )


def figure_problems(month: date) -> Iterator[Finding]:
    """Whether all that has come in is in the figures, and the figures are those of the events: of
    the month, and of closed months, as it bears what they came to since."""
    own = days(month, add_months(month, 1), settings.REPORTING_ZONE)
    first = min({*months.every(), month})
    period = days(first, add_months(month, 1), settings.REPORTING_ZONE)
    if count := waiting.events_of(own):
        yield Finding(
            "pending",
            f"{counted(count, 'event')} of the month wait to be rolled up. That takes seconds "
            "while the worker runs; see Ingest.",
        )
    elif count := waiting.events_of(period):
        yield Finding(
            "pending",
            f"{counted(count, 'event')} of closed months, which this month bears, wait to be "
            "rolled up. That takes seconds while the worker runs; see Ingest.",
        )
    if operations.working_on(period.start, period.end):
        yield Finding(
            "operations",
            "Figures of the month or of closed months, which it corrects, are being worked on; "
            "see Settings, Operations.",
        )
    if wrong := [str(day) for day in differing_days() if is_within(day, period)]:
        yield Finding(
            "differing",
            f"Figures of {', '.join(wrong[:5])} differ from the events: run manage.py "
            "rebuild_rollups for these days.",
        )


def is_within(day: date, period: Period) -> bool:
    zone = settings.REPORTING_ZONE
    last = period.end - timedelta(microseconds=1)
    return local_day(period.start, zone) <= day <= local_day(last, zone)


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count != 1 else ''}"


def rates_missing(month: date, until: date) -> str:
    """Why requests may have no price."""
    found = exchange_rates.unknown_to_prices(month, until)
    return "".join(
        f" No exchange rate of {currency} is known for {days_in_words(missing)}: import the rates "
        "of these days first, under Settings, Exchange rates."
        for currency, missing in found.items()
    )


def rate_warnings(found: MonthAllocation, until: date) -> Iterator[Finding]:
    """Each day has a rate, or the month would not be known; but some may not be imported."""
    drafts_of = (found.items[each.item].draft for each in found.charges)
    used = sorted({each.currency for each in drafts_of if is_foreign(each)})
    exchange = exchange_rates.since(found.month) if used else None
    words = [
        f"{currency} on {days_in_words(overdue)}"
        for currency in used
        if exchange and (overdue := overdue_days(exchange, currency, found.month, until))
    ]
    if words:
        yield Finding(
            "rates",
            f"Cost items are converted by the mean of the rates that were imported, and there is "
            f"none from the last {USUAL_DAYS} days for {'; '.join(words)}. Import what is missing "
            "under Settings, Exchange rates: what comes after closing changes nothing of them.",
        )


def warnings_of(found: MonthAllocation, now: datetime) -> Iterator[Finding]:
    month = found.month
    known = known_until(month, now, settings.REPORTING_ZONE)
    # Of requests that paid capacity covers the fee is the cost, with a price or without.
    covered = sum(each.unpriced_requests for each in found.capacity)
    if missing := found.coverage.unpriced_requests - covered:
        yield Finding(
            "unpriced",
            f"{missing:,} request{'s have' if missing != 1 else ' has'} no price: the statements "
            "do not have that cost. Once they are priced, the next month bears it."
            + rates_missing(month, known),
        )
    yield from rate_warnings(found, known)
    allocated = found.allocation.allocated_percent()
    if allocated is not None and allocated < WELL_ALLOCATED:
        lost = add_up(
            each.total_cost
            for each in found.allocation.lines
            if each.key.cost_center == UNATTRIBUTED
        )
        amount = formats.money_long(lost, found.currency)
        yield Finding(
            "unattributed",
            f"{amount} has no cost center: {formats.share_short(allocated, 100)} is allocated, "
            f"and {WELL_ALLOCATED} % is what well-kept books reach.",
        )
    if count := waiting.unchecked_days(month):
        yield Finding(
            "unchecked",
            f"{count} day{'s have' if count != 1 else ' has'} changed since the figures were last "
            "compared with the events, which is done every night.",
        )
    since = found.freshness.recorded_since
    if not months.every() and since and local_day(since, settings.REPORTING_ZONE) < month:
        yield Finding(
            "beginning",
            f"The books begin with {month:%B %Y}. Usage before it, from "
            f"{local_day(since, settings.REPORTING_ZONE)} on, will be in no statement.",
        )
