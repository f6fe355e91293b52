"""The days ahead, by whichever way suits what is known, and what sums of them come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

import numpy as np

from finops.forecasts import averages
from finops.forecasts.ahead import DAY, MOST_DAYS, WEEK, ZERO, Ahead
from finops.forecasts.averages import (
    DECIMALS,
    ENDED,
    LEAST_DAYS,
    LEAST_WEEKS,
    MODEL,
    MOST_OF_KNOWN,
    NONE,
    PROPORTION,
    WEEKDAYS,
    Days,
    Forecast,
)
from finops.forecasts.changes import Change, added, factored
from finops.forecasts.fitting import Fit, Values, fit
from finops.forecasts.intervals import DEVIATE, band, spread
from finops.forecasts.models import Array

# Silence of so many days, twice as long as any before it, is an end.
LEAST_SILENCE = 14
# Where more days than that had no cost, sums go by means: the middle of such days is nothing.
MOST_IDLE = 0.4


@dataclass(frozen=True, slots=True)
class Path:
    """Each day after those that are known, with its low and high; `spread` is how far the sum of
    the days, each by its weight, may be off. `fit` is there where models were chosen."""

    method: str
    reason: str
    expected: Array
    low: Array
    high: Array
    spread: Callable[[Array], float]
    fit: Fit | None = None


def forecast_of(known: Ahead, whole: Values | None = None) -> Forecast:
    """What is spent and what the days left come to, each by its part."""
    method = method_of(known.days)
    if method == NONE:
        return averages.missing(len(known.days))
    if method == PROPORTION:
        return averages.by_proportion(known)
    if method == WEEKDAYS:
        return averages.by_weekdays(known)
    if method == ENDED:
        reason = silence_text(known.days)
        return Forecast(known.spent, known.spent, known.spent, ENDED, reason)
    parts = weights(known)
    found = fitted(known.days, len(parts), whole, known.excused)
    rest, off = money(float(parts @ found.path)), money(spread(found, parts))
    expected = known.spent + max(rest, ZERO)
    low = max(known.spent, expected - off)
    return Forecast(expected, low, expected + off, MODEL, model_reason(found))


def forecast_with(known: Ahead, changes: Sequence[Change], whole: Values | None = None) -> Forecast:
    """The same with what is known of the days left."""
    found = forecast_of(replace(known, left=factored(known.left, changes)), whole)
    more = added(known.left, changes)
    return moved(found, more, known.spent) if more else found


def moved(found: Forecast, more: Decimal, spent: Decimal) -> Forecast:
    if found.expected is None or found.low is None or found.high is None:
        return found
    low, expected, high = (
        max(each + more, spent) for each in (found.low, found.expected, found.high)
    )
    return replace(found, low=low, expected=expected, high=high)


def method_of(days: Days) -> str:
    count = len(days)
    if count < LEAST_DAYS:
        return NONE
    if count < LEAST_WEEKS * WEEK:
        return PROPORTION
    if has_ended(days):
        return ENDED
    if count < MOST_DAYS or is_even(days) or is_idle(days):
        return WEEKDAYS
    return MODEL


def path_of(
    days: Days,
    ahead: int,
    whole: Values | None = None,
    excused: frozenset[date] = frozenset(),
) -> Path:
    """The next days, as many as `ahead`, of what three days at least are known of."""
    method = method_of(days)
    if method == MODEL:
        return by_models(days, ahead, whole, excused)
    if method == ENDED:
        nothing = np.zeros(ahead)
        return Path(ENDED, silence_text(days), nothing, nothing, nothing, lambda parts: 0.0)
    amounts = np.array([float(amount) for _, amount in days])
    if method == PROPORTION:
        expected, left = np.full(ahead, amounts.mean()), len(days) - 1
        off, counts = amounts - amounts.mean(), np.full(1, len(days))
    else:
        kept = averages.in_line(days[-MOST_DAYS:], excused)
        recent = np.array([float(amount) for _, amount in kept])
        column = np.array([(day - days[-1][0] - DAY).days % WEEK for day, _ in kept])
        means = np.array([recent[column == each].mean() for each in range(WEEK)])
        most = float(amounts[-MOST_DAYS:].sum()) / MOST_OF_KNOWN
        expected, left = np.resize(np.minimum(means, most), ahead), len(recent) - WEEK
        off, counts = recent - means[column], np.bincount(column, minlength=WEEK)
    variance = float((off**2).sum() / left)

    def spread_of(parts: Array) -> float:
        shares = [parts[each :: len(counts)].sum() ** 2 / n for each, n in enumerate(counts)]
        return float(DEVIATE * np.sqrt(variance * (parts.sum() + sum(shares))))

    alone = DEVIATE * np.sqrt(variance * (1 + 1 / counts.min()))
    reason = reason_of(method, days, excused)
    return Path(
        method, reason, expected, np.maximum(expected - alone, 0), expected + alone, spread_of
    )


def by_models(days: Days, ahead: int, whole: Values | None, excused: frozenset[date]) -> Path:
    found = fitted(days, ahead, whole, excused)
    low, high = band(found)
    return Path(
        method=MODEL,
        reason=model_reason(found),
        expected=found.path,
        low=np.minimum(low, found.path),
        high=np.maximum(high, found.path),
        spread=lambda parts: spread(found, parts),
        fit=found,
    )


def fitted(days: Days, ahead: int, whole: Values | None, excused: frozenset[date]) -> Fit:
    amounts = np.array([float(amount) for _, amount in days])
    learned = amounts
    recent = sum(day in excused for day, _ in days[-MOST_DAYS:])
    if len(excused) > 0 and recent <= MOST_DAYS // 2:  # of more there would be nothing to learn
        learned = np.where([day in excused for day, _ in days], np.nan, amounts)
    found = fit(learned, ahead, days[0][0], whole)
    most = float(amounts[-MOST_DAYS:].sum()) / MOST_OF_KNOWN
    return replace(found, path=np.minimum(found.path, most))


def weights(known: Ahead) -> Array:
    """The part of each day after those that are known, as far as there is something left."""
    first = known.days[-1][0] + DAY
    found = np.zeros(max(((day - first).days + 1 for day in known.left), default=0))
    for day, part in known.left.items():
        found[(day - first).days] = float(part)
    return found


def money(amount: float) -> Decimal:
    return round(Decimal(amount), DECIMALS)


def is_even(days: Days) -> bool:
    """Whether each day of the week always cost the same: nothing can be said better than that."""
    recent = [amount for _, amount in days[-MOST_DAYS:]]
    return all(one == other for one, other in zip(recent, recent[WEEK:], strict=False))


def is_idle(days: Days) -> bool:
    recent = [amount for _, amount in days[-MOST_DAYS:]]
    return sum(not amount for amount in recent) > MOST_IDLE * len(recent)


def has_ended(days: Days) -> bool:
    runs = [(idle, len(list(run))) for idle, run in groupby(not amount for _, amount in days)]
    if len(runs) < 2 or not runs[-1][0]:
        return False
    longest = max((length for idle, length in runs[:-1] if idle), default=0)
    return runs[-1][1] >= max(LEAST_SILENCE, 2 * longest)


def silence_text(days: Days) -> str:
    last = next(day for day, amount in reversed(days) if amount)
    count = (days[-1][0] - last).days
    return f"Nothing since {last}: {count} days of silence, longer than ever before."


def reason_of(method: str, days: Days, excused: frozenset[date]) -> str:
    weeks = min(len(days), MOST_DAYS) // WEEK
    if method == PROPORTION:
        return f"By the average of {len(days)} days; the days of the week need 21."
    recent = days[-MOST_DAYS:]
    out = averages.left_out_text(len(recent) - len(averages.in_line(recent, excused)))
    many = ", many of which cost nothing" if is_idle(days) and len(days) >= MOST_DAYS else ""
    return f"By the days of the week, from {weeks} weeks of days{many}.{out}"


def model_reason(found: Fit) -> str:
    *others, last = found.models
    names = f"{', '.join(others)} and {last}" if others else last
    tried, origins = len(found.scores), len(found.origins)
    best = f"the best of {tried} models at {origins} moments of the past"
    said = f"By the mean of {names}: {best}, off by {100 * found.score:.1f} % of a day on average."
    if not found.changed:
        return said
    return f"{said} Leans on the last {found.changed} weeks, whose level is another one altogether."
