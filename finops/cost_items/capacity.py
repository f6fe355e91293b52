"""Commitments and fleets by the hour: what each hour costs, holds, and was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from finops.allocation import add_up, split
from finops.allocation.capacity import (
    FINEST,
    CapacityHour,
    Utilization,
    amortized,
    covered_part,
    rounded,
    used_fee,
    utilize,
)
from finops.allocation.splitting import CENT
from finops.cost_items.drafts import Draft
from finops.cost_items.values import Size
from finops.costs import CoveredHour, HourOfUse
from finops.models import CostItem
from finops.periods import Period, days, iterate_buckets, local_day
from finops.pricing.formula import EXACT

SECONDS = 3_600
DIGITS = Context(prec=30)
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


def outside(draft: Draft, zone: ZoneInfo) -> Decimal:
    """What of the amount for a term falls on days on which the item does not count: nobody bears
    it."""
    if draft.amount is None or not (draft.term_start and draft.term_end):
        return Decimal(0)
    term = days(draft.term_start, draft.term_end, zone)
    first = max(draft.effective_from, draft.term_start)
    end = max(min(draft.effective_to or draft.term_end, draft.term_end), first)
    return EXACT.subtract(draft.amount, amortized(draft.amount, term, days(first, end, zone)))


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


@dataclass(frozen=True, slots=True)
class HourLeft:
    """One hour of some usage: `whole` is all that was used in it, in the unit of the capacity,
    `used` what items before have no room for, and `of_cost` the part of its direct cost that none
    of them pays for."""

    whole: Decimal
    used: Decimal
    of_cost: Decimal = Decimal(1)


UNUSED = HourLeft(Decimal(0), Decimal(0))


def left_of(use: HourOfUse, unit: str) -> HourLeft:
    """Before any item. Of a settlement that takes back more than there was in the hour, nothing is
    used."""
    used = max(used_of(use, unit), Decimal(0))
    return HourLeft(used, used)


def reckon(
    draft: Draft, paid: Sequence[Paid], left: dict[datetime, HourLeft]
) -> tuple[Utilization, list[CoveredHour]]:
    """What was made of the capacity, and by the hour what each unit comes to of the fee. What is
    `left` for another item of the same usage is changed to that.

    GPUs of one's own are all that their usage costs: seconds that a request began in one hour and
    spent in the next are beyond what an hour has, and are paid for by the other one.
    """
    is_own = draft.kind == CostItem.Kind.FLEET
    hours, covered = [], []
    for each in paid:
        held = left.get(each.hour, UNUSED)
        hour = CapacityHour(each.fee, each.capacity, held.used)
        hours.append(hour)
        if hour.capacity > 0:
            part = held.of_cost if is_own else of_cost(hour, held)
            covered.append(CoveredHour(each.hour, per_unit(hour, held), part))
            beyond = max(hour.used - hour.capacity, Decimal(0))
            left[each.hour] = HourLeft(held.whole, beyond, EXACT.subtract(held.of_cost, part))
    return utilize(hours), covered


def of_cost(hour: CapacityHour, held: HourLeft) -> Decimal:
    """The part of the hour's direct cost that this fee pays for."""
    part = covered_part(hour)
    if part == 1:
        return held.of_cost
    return rounded(Fraction(held.of_cost) * Fraction(part), FINEST)


def per_unit(hour: CapacityHour, held: HourLeft) -> Decimal:
    """What one unit of all that was used in the hour comes to of the fee, to thirty digits."""
    if not held.whole:
        return Decimal(0)
    exact = used_fee(hour) / Fraction(held.whole)
    return DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))
