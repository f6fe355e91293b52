"""Commitments and fleets by the hour: what each hour costs, holds, and was used."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from finops.allocation import add_up, split
from finops.allocation.capacity import (
    FINEST,
    CapacityHour,
    Utilization,
    amortized,
    covered_by,
    rounded,
    utilize,
)
from finops.allocation.splitting import CENT
from finops.cost_items.drafts import Draft
from finops.cost_items.values import Size
from finops.costs import HourOfUse
from finops.models import CostItem
from finops.periods import Period, days, iterate_buckets, local_day
from finops.pricing.formula import EXACT

SECONDS = 3_600
NOTHING = HourOfUse()
GPU_SECONDS = CostItem.Unit.GPU_SECONDS.value


@dataclass(frozen=True, slots=True)
class Paid:
    """What one hour costs and holds."""

    hour: datetime
    fee: Decimal
    capacity: Decimal


def unit_of(draft: Draft) -> str:
    return GPU_SECONDS if draft.kind == CostItem.Kind.FLEET else draft.capacity_unit


def paid_hours(draft: Draft, span: Period, zone: ZoneInfo) -> list[Paid]:
    """The hours of the span; their fees come to whole cents."""
    hours = list(iterate_buckets(span, "hour", zone))
    if draft.kind == CostItem.Kind.FLEET:
        return fleet_hours(draft.sizes, hours, zone)
    span = within_term(draft, span, zone)
    hours = [hour for hour in hours if span.start <= hour < span.end]
    if not hours:
        return []
    fees = split(commitment_fee(draft, span, zone), dict.fromkeys(hours, 1), FINEST)
    return [Paid(hour, fees[hour], draft.capacity_per_hour or Decimal(0)) for hour in hours]


def within_term(draft: Draft, span: Period, zone: ZoneInfo) -> Period:
    if not (draft.term_start and draft.term_end):
        return span
    term = days(draft.term_start, draft.term_end, zone)
    return Period(max(span.start, term.start), min(span.end, term.end))


def commitment_fee(draft: Draft, span: Period, zone: ZoneInfo) -> Decimal:
    """The span's part of the amount for the term, and its hours."""
    fee = Decimal(0)
    if draft.amount is not None and draft.term_start and draft.term_end:
        fee = amortized(draft.amount, days(draft.term_start, draft.term_end, zone), span)
    if draft.hour_price is not None:
        length = Fraction((span.end - span.start) // timedelta(seconds=1), SECONDS)
        fee = EXACT.add(fee, rounded(Fraction(draft.hour_price) * length, CENT))
    return fee


def fleet_hours(sizes: Sequence[Size], hours: Sequence[datetime], zone: ZoneInfo) -> list[Paid]:
    by_day: dict[date, tuple[Decimal, Decimal]] = {}
    prices = {}
    counts = {}
    for hour in hours:
        day = local_day(hour, zone)
        if day not in by_day:
            by_day[day] = size_on(sizes, day)
        counts[hour], prices[hour] = by_day[day]
    whole = rounded(sum(map(Fraction, prices.values()), Fraction(0)), CENT)
    fees = split(whole, prices, FINEST) if whole else dict.fromkeys(hours, Decimal(0))
    return [Paid(hour, fees[hour], counts[hour] * SECONDS) for hour in hours]


def size_on(sizes: Sequence[Size], day: date) -> tuple[Decimal, Decimal]:
    """How many GPUs there are on the day, and what they cost an hour."""
    held = {each.option: each for each in sizes if each.day <= day}
    count = add_up(each.count for each in held.values())
    return count, add_up(EXACT.multiply(each.count, each.hour_price) for each in held.values())


def used_of(use: HourOfUse, unit: str) -> Decimal:
    match unit:
        case CostItem.Unit.TOKENS:
            return use.tokens
        case CostItem.Unit.REQUESTS:
            return use.requests
    return use.gpu_seconds


def reckon(
    draft: Draft, paid: Sequence[Paid], used: Mapping[datetime, HourOfUse]
) -> tuple[Utilization, dict[datetime, HourOfUse]]:
    """What was made of the capacity, and what use is left for another item of the same usage.

    GPUs of one's own are all that their usage costs: seconds that a request began in one hour and
    spent in the next are beyond what an hour has, and are paid for by the other one.
    """
    unit, is_own = unit_of(draft), draft.kind == CostItem.Kind.FLEET
    hours = []
    left = dict(used)
    for each in paid:
        use = used.get(each.hour, NOTHING)
        # Of a settlement that takes back more than there was in the hour, nothing is used.
        hour = CapacityHour(each.fee, each.capacity, max(used_of(use, unit), Decimal(0)), use.cost)
        hours.append(hour)
        left[each.hour] = left_over(use, hour, unit, is_own=is_own)
    found = utilize(hours)
    if is_own:
        covered = add_up(each.direct for each in hours if each.capacity > 0)
        found = dataclasses.replace(found, covered=covered)
    return found, left


def left_over(use: HourOfUse, hour: CapacityHour, unit: str, *, is_own: bool) -> HourOfUse:
    covered = hour.direct if is_own and hour.capacity > 0 else covered_by([hour])
    beyond = max(hour.used - hour.capacity, Decimal(0))
    return dataclasses.replace(use, cost=EXACT.subtract(use.cost, covered), **{unit: beyond})
