"""Forecasts by averages of days, exact in `Decimal`: for what has no long history, or no model is
needed for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from finops.forecasts.ahead import MOST_DAYS, WEEK, ZERO, Ahead

NONE, COMPLETE, PROPORTION, WEEKDAYS = "none", "complete", "proportion", "weekdays"
MODEL, ENDED = "model", "ended"
# What people call them.
METHODS = {
    NONE: "None",
    COMPLETE: "Period is over",
    PROPORTION: "Daily average",
    WEEKDAYS: "Days of the week",
    MODEL: "Models",
    ENDED: "Has ended",
}
LEAST_DAYS = 3
# No day is forecast more than this part of the last eight weeks: see budgets/contenders.py.
MOST_OF_KNOWN = LEAST_DAYS
# Of each day of the week, at least this many are known before they are told apart.
LEAST_WEEKS = 3
# Of every five periods, one may end outside of low and high: a normal deviate of 10 and 90 %.
DEVIATE = Decimal("1.2816")
# Out of line is what is so many times as far from the middle as half of the days are, and by what
# a usual day costs; of at most one day in so many.
FAR, FAR_OF_LEVEL = 8, 1
MOST_OUT_OF_LINE = 7
# Estimates are no more exact than that.
DECIMALS = 12
Days = Sequence[tuple[date, Decimal]]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Money of the whole period: `low` and `high` bound it four times in five. All are None where
    `method` is NONE; `reason` then says why, and else what it was made of."""

    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    method: str
    reason: str


def by_weekdays(known: Ahead) -> Forecast:
    """Each day to come like the average of the same days of the week, of the last eight, without
    days that are out of line."""
    recent = known.days[-MOST_DAYS:]
    days = in_line(recent, known.excused)
    most = sum((amount for _, amount in recent), ZERO) / MOST_OF_KNOWN
    means = {weekday: min(each, most) for weekday, each in weekday_means(days).items()}
    rest = sum((part * means[day.weekday()] for day, part in known.left.items()), ZERO)
    squares = sum(((a - means[day.weekday()]) ** 2 for day, a in days), ZERO)
    variance = squares / (len(days) - WEEK)
    shares: dict[int, Decimal] = dict.fromkeys(range(WEEK), ZERO)
    for day, part in known.left.items():
        shares[day.weekday()] += part
    counts = [sum(day.weekday() == weekday for day, _ in days) for weekday in range(WEEK)]
    # How wrong the averages may be, each for all of its days at once, beside the days themselves.
    doubt = sum((shares[weekday] ** 2 / counts[weekday] for weekday in range(WEEK)), ZERO)
    reason = f"By the days of the week, from {len(recent) // WEEK} weeks of days."
    reason += left_out_text(len(recent) - len(days))
    return within(known, rest, variance, doubt, WEEKDAYS, reason)


def in_line(days: Days, excused: Collection[date] = ()) -> Days:
    """The days without those that are excused, and without few that are far from the middle of
    their day of the week: what ran away once lifts no average. Where many are far, that is what the
    series is like, and all are kept."""
    plain = [each for each in days if each[0] not in excused]
    days = plain if is_enough(plain) else days
    middles = {weekday: median(some) for weekday, some in by_weekday(days).items()}
    off = [abs(amount - middles[day.weekday()]) for day, amount in days]
    usual = median([amount for _, amount in days])
    most = max(FAR * median(off), FAR_OF_LEVEL * usual)
    kept = [each for each, apart in zip(days, off, strict=True) if apart <= most]
    is_few = (len(days) - len(kept)) * MOST_OUT_OF_LINE <= len(days)
    return kept if usual > 0 and is_few and is_enough(kept) else days


def is_enough(days: Days) -> bool:
    """Whether each day of the week is there, and more than once on average."""
    return len(by_weekday(days)) == WEEK and len(days) >= 2 * WEEK


def left_out_text(count: int) -> str:
    if not count:
        return ""
    days = "One day" if count == 1 else f"{count} days"
    return f" {days} out of line {'is' if count == 1 else 'are'} left out."


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


def weekday_means(days: Days) -> dict[int, Decimal]:
    return {weekday: mean(amounts) for weekday, amounts in by_weekday(days).items()}


def by_weekday(days: Days) -> dict[int, list[Decimal]]:
    like: dict[int, list[Decimal]] = {}
    for day, amount in days:
        like.setdefault(day.weekday(), []).append(amount)
    return like


def mean(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, ZERO) / len(amounts)


def missing(count: int) -> Forecast:
    """Why there is none of so few days."""
    had = f"there {'is' if count == 1 else 'are'} {count}"
    reason = f"It takes {LEAST_DAYS} whole days of usage; {had}."
    return Forecast(None, None, None, NONE, reason)
