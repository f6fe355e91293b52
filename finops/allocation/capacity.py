"""Capacity that is paid for, used or not: its fee by the hour, and what of it was used.

Provisioned throughput, reserved GPUs and fleets of one's own cost a fee for every hour. An hour of
which half the capacity was used has half its fee *used* and half *unused*, as FOCUS tells them
apart (CommitmentDiscountStatus); more than the whole cannot be used, what is beyond it is paid as
it goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from finops.allocation.lines import ZERO, add_up
from finops.allocation.splitting import CENT
from finops.periods import Period, add_months
from finops.pricing.formula import EXACT

SECOND = timedelta(seconds=1)
FINEST = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class CapacityHour:
    """One hour: what it cost, and how many units (tokens, requests, GPU-seconds) could be and were
    used in it."""

    fee: Decimal
    capacity: Decimal
    used: Decimal


@dataclass(frozen=True, slots=True)
class Utilization:
    """Of some hours. `used_fee` and `unused_fee` add up to the fee; money in whole coins, if the
    fee is."""

    fee: Decimal = ZERO
    used_fee: Decimal = ZERO
    capacity: Decimal = ZERO
    used: Decimal = ZERO  # of the capacity
    beyond: Decimal = ZERO  # used in hours that had less
    covered: Decimal = ZERO  # direct cost of what was used of the capacity: the fee pays for it

    @property
    def unused_fee(self) -> Decimal:
        return EXACT.subtract(self.fee, self.used_fee)

    @property
    def percent(self) -> Decimal | None:
        """None without any capacity."""
        return 100 * self.used / self.capacity if self.capacity else None


def utilize(hours: Iterable[CapacityHour], unit: Decimal = CENT) -> Utilization:
    """The hours together. What was used of the fee is added up exactly and rounded once."""
    held = list(hours)
    paid = sum((used_fee(each) for each in held), Fraction(0))
    return Utilization(
        fee=add_up(each.fee for each in held),
        used_fee=rounded(paid, unit),
        capacity=add_up(each.capacity for each in held),
        used=add_up(min(each.used, each.capacity) for each in held),
        beyond=add_up(max(each.used - each.capacity, ZERO) for each in held),
    )


def used_fee(hour: CapacityHour) -> Fraction:
    """The part of the fee that was made use of."""
    if hour.used <= 0 or hour.capacity <= 0:
        return Fraction(0)
    return Fraction(hour.fee) * min(Fraction(hour.used) / Fraction(hour.capacity), Fraction(1))


def covered_part(hour: CapacityHour) -> Decimal:
    """The part of the usage's direct cost that the fee pays for: what is beyond the capacity is
    paid as it goes. To twelve decimals, so that it can be taken of each line's cost exactly."""
    if hour.capacity <= 0:
        return ZERO
    if hour.used <= hour.capacity:
        return Decimal(1)
    return rounded(Fraction(hour.capacity) / Fraction(hour.used), FINEST)


def amortized(fee: Decimal, term: Period, span: Period, unit: Decimal = CENT) -> Decimal:
    """What of a fee for a term falls on a span: by time, to the second.

    Each boundary is rounded by itself, so that the parts of a term, however it is cut, add up to
    the fee.
    """
    return EXACT.subtract(due(fee, term, span.end, unit), due(fee, term, span.start, unit))


def due(fee: Decimal, term: Period, at: datetime, unit: Decimal) -> Decimal:
    """What of the fee falls on the term until then."""
    length = term.end - term.start
    gone = min(max(at - term.start, timedelta(0)), length)
    return rounded(Fraction(fee) * Fraction(gone // SECOND, length // SECOND), unit)


def monthly(
    amount: Decimal, month: date, first: date, end: date | None, unit: Decimal = CENT
) -> Decimal:
    """Of an amount a month that is paid from `first` to before `end`: the month's, by its days."""
    after = add_months(month, 1)
    days = (min(end or after, after) - max(first, month)).days
    return rounded(Fraction(amount) * max(days, 0) / (after - month).days, unit)


def rounded(amount: Fraction, unit: Decimal) -> Decimal:
    """To whole coins, half to even."""
    return EXACT.multiply(Decimal(round(amount / Fraction(unit))), unit)
