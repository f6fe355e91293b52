"""What is known of a period and what is left of it, by day of the reporting zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.periods import Period, local_day, start_of_day

WEEK = 7
# What is longer ago says little of what comes, but for the course of a year.
MOST_DAYS = 8 * WEEK
DAY = timedelta(days=1)
ZERO, ONE = Decimal(0), Decimal(1)
Series = Sequence[tuple[date, Decimal]]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known and what is left: `spent` so far in the period, whole `days` before the present
    one, oldest first, and the parts of days that are still to come (day → 0 to 1). Models learn
    nothing of days that are `excused`."""

    spent: Decimal
    days: Sequence[tuple[date, Decimal]]
    left: Mapping[date, Decimal]
    excused: frozenset[date] = frozenset()


def look_ahead(
    series: Series, period: Period, as_of: datetime, zone: ZoneInfo, most_days: int = MOST_DAYS
) -> Ahead:
    sums: dict[date, Decimal] = {}
    for day, amount in series:
        sums[day] = sums.get(day, ZERO) + amount
    today, first = local_day(as_of, zone), local_day(period.start, zone)
    end = local_day(period.end, zone)
    spent = sum((amount for day, amount in sums.items() if first <= day < end), ZERO)
    left = parts_left(max(today, first), end, as_of, zone)
    return Ahead(spent, whole_days(sums, today, most_days), left)


def whole_days(
    sums: Mapping[date, Decimal], today: date, most_days: int = MOST_DAYS
) -> list[tuple[date, Decimal]]:
    """The days before today since the first that had a cost, or, where none had, since the first
    that is known."""
    earlier = sorted(day for day in sums if day < today)
    start = next((day for day in earlier if sums[day]), earlier[0] if earlier else today)
    start = max(start, today - timedelta(days=most_days))
    count = (today - start).days
    return [(day, sums.get(day, ZERO)) for day in (start + DAY * n for n in range(count))]


def parts_left(first: date, end: date, as_of: datetime, zone: ZoneInfo) -> dict[date, Decimal]:
    """Which part of each day from `first` on is after `as_of`; days may have 23 or 25 hours."""
    found, today = {}, local_day(as_of, zone)
    for day in (first + DAY * n for n in range((end - first).days)):
        if day > today:  # not to be worked out, of a year, for each value of a dimension
            found[day] = ONE
            continue
        begins, ends = start_of_day(day, zone), start_of_day(day + DAY, zone)
        left = (ends - max(as_of, begins)) // timedelta(microseconds=1)
        found[day] = Decimal(left) / ((ends - begins) // timedelta(microseconds=1))
    return found
