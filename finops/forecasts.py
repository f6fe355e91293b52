"""What a period will have cost when it is over, from the sums of its days and those before.

Pure and exact in `Decimal`: equal days forecast exactly themselves, with no room around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from finops.periods import Period, local_day, start_of_day

NONE, COMPLETE, PROPORTION, WEEKDAYS = "none", "complete", "proportion", "weekdays"
LEAST_DAYS = 3
# Of each day of the week, at least this many are known before they are told apart.
LEAST_WEEKS = 3
WEEK = 7
# What is longer ago says little of what comes.
MOST_DAYS = 8 * WEEK
# Of every five periods, one may end outside of low and high: a normal deviate of 10 and 90 %.
DEVIATE = Decimal("1.2816")
DIGITS = 120
# Estimates are no more exact than that.
DECIMALS = 12
DAY = timedelta(days=1)
ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Money of the whole period: `low` and `high` bound it four times in five. All are None where
    `method` is NONE; `reason` then says why, and else what it was made of."""

    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    method: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known and what is left: `spent` so far in the period, whole `days` before the present
    one, oldest first, and the parts of days that are still to come (day → 0 to 1)."""

    spent: Decimal
    days: Sequence[tuple[date, Decimal]]
    left: Mapping[date, Decimal]


def forecast(
    series: Sequence[tuple[date, Decimal]], period: Period, as_of: datetime, zone: ZoneInfo
) -> Forecast:
    """What the period will come to, by what was spent up to the instant `as_of`.

    `series` are sums by day of the reporting zone, of this period and of earlier ones, in any
    order; a day that it lacks between others had no cost. With three weeks of days it goes by the
    days of the week, with three days by their average, else it says why it cannot.
    """
    with localcontext(prec=DIGITS):
        known = look_ahead(series, period, as_of, zone)
        if as_of >= period.end:
            return Forecast(known.spent, known.spent, known.spent, COMPLETE, "The period is over.")
        if len(known.days) >= LEAST_WEEKS * WEEK:
            return by_weekdays(known)
        if len(known.days) >= LEAST_DAYS:
            return by_proportion(known)
    count = len(known.days)
    had = f"there {'is' if count == 1 else 'are'} {count}"
    reason = f"It takes {LEAST_DAYS} whole days of usage; {had}."
    return Forecast(None, None, None, NONE, reason)


def look_ahead(
    series: Sequence[tuple[date, Decimal]], period: Period, as_of: datetime, zone: ZoneInfo
) -> Ahead:
    sums: dict[date, Decimal] = {}
    for day, amount in series:
        sums[day] = sums.get(day, ZERO) + amount
    today, first = local_day(as_of, zone), local_day(period.start, zone)
    end = local_day(period.end, zone)
    spent = sum((amount for day, amount in sums.items() if first <= day < end), ZERO)
    return Ahead(spent, whole_days(sums, today), parts_left(max(today, first), end, as_of, zone))


def whole_days(sums: Mapping[date, Decimal], today: date) -> list[tuple[date, Decimal]]:
    """The days before today since the first that had a cost, or, where none had, since the first
    that is known."""
    earlier = sorted(day for day in sums if day < today)
    start = next((day for day in earlier if sums[day]), earlier[0] if earlier else today)
    start = max(start, today - timedelta(days=MOST_DAYS))
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


def by_weekdays(known: Ahead) -> Forecast:
    """Each day to come like the average of the same days of the week."""
    like: dict[int, list[Decimal]] = {weekday: [] for weekday in range(WEEK)}
    for day, amount in known.days:
        like[day.weekday()].append(amount)
    means = {weekday: mean(amounts) for weekday, amounts in like.items()}
    rest = sum((part * means[day.weekday()] for day, part in known.left.items()), ZERO)
    squares = sum(((a - means[day.weekday()]) ** 2 for day, a in known.days), ZERO)
    variance = squares / (len(known.days) - WEEK)
    shares: dict[int, Decimal] = dict.fromkeys(range(WEEK), ZERO)
    for day, part in known.left.items():
        shares[day.weekday()] += part
    # How wrong the averages may be, each for all of its days at once, beside the days themselves.
    doubt = sum((shares[weekday] ** 2 / len(amounts) for weekday, amounts in like.items()), ZERO)
    weeks = len(known.days) // WEEK
    reason = f"By the days of the week, from {weeks} weeks of days."
    return within(known, rest, variance, doubt, WEEKDAYS, reason)


def by_proportion(known: Ahead) -> Forecast:
    """Each day to come like the average day: at midnight, where all days that are known are of this
    period, that is spent / days passed × days of the period."""
    average = mean([amount for _, amount in known.days])
    total = sum(known.left.values(), ZERO)
    squares = sum(((amount - average) ** 2 for _, amount in known.days), ZERO)
    count = len(known.days)
    reason = f"By the average of {count} days; the days of the week need {LEAST_WEEKS * WEEK}."
    doubt = total**2 / count
    return within(known, average * total, squares / (count - 1), doubt, PROPORTION, reason)


def within(
    known: Ahead, rest: Decimal, variance: Decimal, doubt: Decimal, method: str, reason: str
) -> Forecast:
    """What is spent and the rest, give or take what days have differed by. Nothing spent is ever
    taken back."""
    spread = DEVIATE * (variance * (sum(known.left.values(), ZERO) + doubt)).sqrt()
    expected = known.spent + round(max(rest, ZERO), DECIMALS)
    spread = round(spread, DECIMALS)
    low = max(known.spent, expected - spread)
    return Forecast(expected, low, expected + spread, method, reason)


def mean(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, ZERO) / len(amounts)
