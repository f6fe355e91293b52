"""Forecasts by averages of days, exact in `Decimal`: for what has no long history, or no model is
needed for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

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
# Of each day of the week, at least this many are known before they are told apart.
LEAST_WEEKS = 3
# Of every five periods, one may end outside of low and high: a normal deviate of 10 and 90 %.
DEVIATE = Decimal("1.2816")
# Estimates are no more exact than that.
DECIMALS = 12


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
    """Each day to come like the average of the same days of the week, of the last eight."""
    days = known.days[-MOST_DAYS:]
    means = weekday_means(days)
    rest = sum((part * means[day.weekday()] for day, part in known.left.items()), ZERO)
    squares = sum(((a - means[day.weekday()]) ** 2 for day, a in days), ZERO)
    variance = squares / (len(days) - WEEK)
    shares: dict[int, Decimal] = dict.fromkeys(range(WEEK), ZERO)
    for day, part in known.left.items():
        shares[day.weekday()] += part
    counts = [sum(day.weekday() == weekday for day, _ in days) for weekday in range(WEEK)]
    # How wrong the averages may be, each for all of its days at once, beside the days themselves.
    doubt = sum((shares[weekday] ** 2 / counts[weekday] for weekday in range(WEEK)), ZERO)
    reason = f"By the days of the week, from {len(days) // WEEK} weeks of days."
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


def weekday_means(days: Sequence[tuple[date, Decimal]]) -> dict[int, Decimal]:
    like: dict[int, list[Decimal]] = {weekday: [] for weekday in range(WEEK)}
    for day, amount in days:
        like[day.weekday()].append(amount)
    return {weekday: mean(amounts) for weekday, amounts in like.items() if amounts}


def mean(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, ZERO) / len(amounts)


def missing(count: int) -> Forecast:
    """Why there is none of so few days."""
    had = f"there {'is' if count == 1 else 'are'} {count}"
    reason = f"It takes {LEAST_DAYS} whole days of usage; {had}."
    return Forecast(None, None, None, NONE, reason)
