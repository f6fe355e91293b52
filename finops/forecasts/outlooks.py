"""This month and the next ones, day by day and in all, and how such forecasts did on the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

import numpy as np

from finops.forecasts.ahead import DAY, ZERO, Ahead, Series, look_ahead
from finops.forecasts.averages import NONE, Forecast, missing
from finops.forecasts.changes import Change, added, factored
from finops.forecasts.fitting import Fit, Values
from finops.forecasts.intervals import spread
from finops.forecasts.models import Array
from finops.forecasts.paths import forecast_with, method_of, money, path_of
from finops.periods import Period, add_months, days, local_day

# Two years and two months: the course of a year is known twice.
LONG_DAYS = 792
MONTHS = 3
# Back-tests are of four weeks each, and as many as this.
TESTED_DAYS = 28
TESTS = 6
DIGITS = 120


@dataclass(frozen=True, slots=True)
class Part:
    """Days from `first` to the day before `end`, as a forecast; `spent` is what is known of it."""

    first: date
    end: date
    spent: Decimal
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class DayAhead:
    """A whole day; of today what is spent is in all three."""

    day: date
    expected: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class BackTest:
    """What was forecast at the beginning of `first` for the days before `end`, and what came. The
    interval is made of the errors at the other moments."""

    first: date
    end: date
    expected: Decimal
    low: Decimal
    high: Decimal
    actual: Decimal

    @property
    def is_covered(self) -> bool:
        return self.low <= self.actual <= self.high

    @property
    def error(self) -> Decimal | None:
        """As a part of what came: +0.1 is forecast a tenth too high."""
        return (self.expected - self.actual) / self.actual if self.actual else None


@dataclass(frozen=True, slots=True)
class Outlook:
    """`parts` are this month and the next ones. `scores` are models with their errors, the best
    first, where models were tried."""

    method: str
    reason: str
    known: Sequence[tuple[date, Decimal]]
    parts: Sequence[Part]
    days: Sequence[DayAhead] = ()
    tests: Sequence[BackTest] = ()
    scores: Sequence[tuple[str, float]] = ()
    chosen: Sequence[str] = ()


def outlook(
    series: Series,
    as_of: datetime,
    zone: ZoneInfo,
    *,
    months: int = MONTHS,
    period: Period | None = None,
    changes: Sequence[Change] = (),
    whole: Values | None = None,
    excused: frozenset[date] = frozenset(),
) -> Outlook:
    """This month and so many more, or a period that is not over, by what was spent up to `as_of`.

    `series` as of `forecast`, and as long as there is. `whole` are the whole days before today of
    what the series is a part of, oldest first. Models learn nothing of days that are `excused`.
    """
    today = local_day(as_of, zone)
    month = today.replace(day=1)
    spans = [(add_months(month, n), add_months(month, n + 1)) for n in range(months + 1)]
    if period is not None:
        spans = [(local_day(period.start, zone), local_day(period.end, zone))]
    with localcontext(prec=DIGITS):
        all_of_it = days(spans[0][0], spans[-1][1], zone)
        known = replace(look_ahead(series, all_of_it, as_of, zone, LONG_DAYS), excused=excused)
        parts = [part_of(known, span, series, today, changes, whole) for span in spans]
        method = method_of(known.days)
        if method == NONE:
            return Outlook(NONE, missing(len(known.days)).reason, known.days, parts)
        ahead = (spans[-1][1] - known.days[-1][0]).days - 1
        path = path_of(known.days, ahead, whole, excused)
        tests = back_tests(path.fit, known.days) if path.fit else []
        ahead_of = days_ahead(known, path.expected, path.low, path.high, changes, series, today)
    return Outlook(
        method=method,
        reason=path.reason,
        known=known.days,
        parts=parts,
        days=ahead_of,
        tests=tests,
        scores=path.fit.scores if path.fit else (),
        chosen=path.fit.models if path.fit else (),
    )


def part_of(
    known: Ahead,
    span: tuple[date, date],
    series: Series,
    today: date,
    changes: Sequence[Change],
    whole: Values | None,
) -> Part:
    first, end = span
    spent = sum((amount for day, amount in series if first <= day < end), ZERO)
    left = {day: part for day, part in known.left.items() if first <= day < end}
    found = forecast_with(replace(known, spent=spent, left=left), changes, whole)
    return Part(first, end, spent, found)


def days_ahead(
    known: Ahead,
    expected: Array,
    low: Array,
    high: Array,
    changes: Sequence[Change],
    series: Series,
    today: date,
) -> list[DayAhead]:
    spent = sum((amount for day, amount in series if day == today), ZERO)
    factors = factored(known.left, changes)
    first, found = known.days[-1][0] + DAY, []
    for day, part in known.left.items():
        place, base = (day - first).days, spent if day == today else ZERO
        more = base + added({day: part}, changes)
        values = (money(float(each[place])) for each in (expected, low, high))
        middle, least, most = (max(value * factors[day] + more, base) for value in values)
        found.append(DayAhead(day, middle, least, most))
    return found


def back_tests(found: Fit, known: Sequence[tuple[date, Decimal]]) -> list[BackTest]:
    """Of the latest moments of the past after which four weeks are known, the oldest first."""
    tested: list[BackTest] = []
    for place, origin in enumerate(found.origins):
        errors = found.errors[place, :TESTED_DAYS]
        if len(errors) < TESTED_DAYS or not np.isfinite(errors).all():
            continue
        actual = float(found.actual[place, :TESTED_DAYS].sum())
        expected = max(actual - float(errors.sum()), 0.0)
        others = replace(found, errors=np.delete(found.errors, place, axis=0))
        off = spread(others, np.ones(TESTED_DAYS)) if len(others.errors) else 0.0
        first = known[0][0] + timedelta(days=origin)
        bounds = (expected, max(expected - off, 0.0), expected + off, actual)
        middle, low, high, came = (money(each) for each in bounds)
        tested.append(BackTest(first, first + timedelta(days=TESTED_DAYS), middle, low, high, came))
    return tested[:TESTS][::-1]


def coverage(tests: Sequence[BackTest]) -> Mapping[str, int]:
    """How many of the back-tests the interval held."""
    return {"covered": sum(each.is_covered for each in tests), "tests": len(tests)}
