"""How a budget stands, worked out of what was asked: pure, one standing for each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from finops import forecasts
from finops.budgets import amounts, rules
from finops.budgets.figures import Answer, Step, Unreadable, Usage
from finops.budgets.questions import HOUR, NO_VALUES, ONE_DAY, Asked
from finops.budgets.rules import Found, Line
from finops.budgets.spans import Span
from finops.budgets.thresholds import DAY, ThresholdDraft
from finops.budgets.watched import Watched
from finops.forecasts import NONE, Forecast
from finops.models import Threshold
from finops.periods import Period, start_of_day, start_of_hour
from finops.query import CostQuery

Answers = Mapping[CostQuery, Answer | Unreadable]
ZERO = Decimal(0)
# Forecasts of a period of which less is over say little (R7).
GRACE = 20
NOT_ASKED = Forecast(None, None, None, NONE, "No threshold of this budget is on a forecast.")
NOT_LEADING = Forecast(None, None, None, NONE, "Forecasts are made for the values that cost most.")


@dataclass(frozen=True, slots=True)
class Standing:
    """One value in one period. `series` are its days, as far as they were read: of this period and
    of those before."""

    value: str
    span: Span
    amount: Decimal | None
    usage: Usage
    actual: Decimal
    estimated: Decimal
    forecast: Forecast = NOT_ASKED
    burn: Mapping[int, Decimal] = field(default_factory=dict)
    previous: Decimal | None = None
    series: tuple[tuple[date, Decimal], ...] = ()

    @property
    def is_over(self) -> bool:
        return self.amount is not None and self.actual >= self.amount


def watches(value: str) -> bool:
    """Whether this is a value of a dimension, and not what has none."""
    return value not in NO_VALUES


def answer(answers: Answers, question: CostQuery) -> Answer:
    """Raises Unread."""
    found = answers[question]
    if isinstance(found, Unreadable):
        raise Unread(found.reason)
    return found


class Unread(RuntimeError):
    """A figure that is needed could not be read; says why, for people."""


def of_whole(watched: Watched, asked: Asked, answers: Answers, as_of: datetime) -> Standing:
    """Of a budget that is not for each value of anything. Raises Unread."""
    older, recent = answer(answers, asked.older()), answer(answers, asked.recent())
    return _standing(watched, asked, answers, "", as_of, days=by_day(older.of(""), recent.of("")))


def of_values(
    watched: Watched,
    asked: Asked,
    answers: Answers,
    as_of: datetime,
    current: Answer,
    leading: Sequence[str],
) -> list[Standing]:
    """The whole, then each value that was read, those that cost most first; days are known of those
    that lead. Raises Unread."""
    days: dict[str, Mapping[date, Usage]] = {}
    if leading:
        older = answer(answers, asked.older(leading))
        recent = answer(answers, asked.recent(leading))
        days = {value: by_day(older.of(value), recent.of(value)) for value in leading}
    values = [
        _standing(
            *(watched, asked, answers, value, as_of),
            usage=current.total(value),
            days=days.get(value),
        )
        for value in current.usage
    ]
    return [_sum_of(asked, answers, current), *sorted(values, key=lambda each: -each.actual)]


def of_total(watched: Watched, asked: Asked, answers: Answers) -> list[Standing]:
    """The whole, then values, of a period that is over. Raises Unread."""
    current = answer(answers, asked.current())
    if asked.draft.for_each:
        values = [_total(watched, asked, answers, value, current) for value in current.usage]
        return [_sum_of(asked, answers, current), *values]
    return [_total(watched, asked, answers, "", current)]


def _total(
    watched: Watched, asked: Asked, answers: Answers, value: str, current: Answer
) -> Standing:
    usage, previous = current.total(value), _previous(asked, answers, value)
    return Standing(
        value=value,
        span=asked.span,
        amount=amounts.of(
            *(asked.draft, asked.span, previous), value=value, increases=watched.increases
        ),
        usage=usage,
        actual=usage.cost(asked.draft),
        estimated=usage.estimated(asked.draft),
        previous=previous,
    )


def _sum_of(asked: Asked, answers: Answers, current: Answer) -> Standing:
    """Of all values together, which have no amount."""
    usage = current.whole()
    return Standing(
        value="",
        span=asked.span,
        amount=None,
        usage=usage,
        actual=usage.cost(asked.draft),
        estimated=usage.estimated(asked.draft),
        previous=answer(answers, asked.previous).whole().cost(asked.draft),
    )


def _previous(asked: Asked, answers: Answers, value: str) -> Decimal | None:
    """None where it is not known, as of a value that a limit left out."""
    before = answer(answers, asked.previous)
    return (
        before.total(value).cost(asked.draft)
        if value in before.usage or not before.is_cut
        else None
    )


def leaders(asked: Asked, current: Answer, most: int) -> list[str]:
    """The values that cost most, of those that are values."""
    values = [value for value in current.usage if watches(value)]
    values.sort(key=lambda value: (-current.total(value).cost(asked.draft), value))
    return sorted(values[:most])


def _standing(
    watched: Watched,
    asked: Asked,
    answers: Answers,
    value: str,
    as_of: datetime,
    *,
    days: Mapping[date, Usage] | None,
    usage: Usage | None = None,
) -> Standing:
    draft, span = asked.draft, asked.span
    if usage is None:
        inside = (each for day, each in (days or {}).items() if span.first <= day < span.end)
        usage = sum(inside, Usage())
    previous = _previous(asked, answers, value)
    series = tuple(sorted((day, each.cost(draft)) for day, each in (days or {}).items()))
    if not asked.has_forecasts:
        forecast = NOT_ASKED
    elif days is None:
        forecast = NOT_LEADING
    else:
        forecast = forecasts.forecast(series, span.period(asked.zone), as_of, asked.zone)
    return Standing(
        value=value,
        span=span,
        amount=amounts.of(draft, span, previous, value=value, increases=watched.increases),
        usage=usage,
        actual=usage.cost(draft),
        estimated=usage.estimated(draft),
        forecast=forecast,
        burn=dict(_burn(asked, answers, value, as_of)),
        previous=previous,
        series=series,
    )


def by_day(*parts: Mapping[Step, Usage]) -> dict[date, Usage]:
    found: dict[date, Usage] = {}
    for part in parts:
        for day, usage in part.items():
            assert isinstance(day, date)
            found[day] = found.get(day, Usage()) + usage
    return found


def _burn(
    asked: Asked, answers: Answers, value: str, as_of: datetime
) -> Iterator[tuple[int, Decimal]]:
    """What was spent in each window that ends at `as_of`. Of the step in which it begins, its part
    of that step's usage, as if that were even."""
    read = {each.granularity: answer(answers, each) for each in asked.burnt(as_of)}
    for hours in asked.windows():
        found = read["day" if asked.by_day(hours) else "hour"]
        if value not in found.usage and found.is_cut:
            continue
        if asked.by_day(hours):
            length = hours // DAY
            begins = start_of_day(asked.today, asked.zone)
            ends = start_of_day(asked.today + ONE_DAY, asked.zone)
            first: date = asked.today - timedelta(days=length - 1)
            step: timedelta = ONE_DAY
        else:
            begins = start_of_hour(as_of, asked.zone)
            ends = begins + HOUR
            first = begins - (hours - 1) * HOUR
            step = HOUR
        passed = Decimal((as_of - begins) // timedelta(seconds=1))
        part = 1 - passed / ((ends - begins) // timedelta(seconds=1))
        costs = {at: usage.cost(asked.draft) for at, usage in found.of(value).items() if at}
        inside = sum((cost for at, cost in costs.items() if at >= first), ZERO)
        edge = (cost for at, cost in costs.items() if first - step <= at < first)
        yield hours, inside + sum(edge, ZERO) * part


def lines(watched: Watched, standing: Standing, asked: Asked) -> list[Line]:
    """The thresholds as money, but for those that are shares of an amount that there is none of."""
    period = standing.span.period(asked.zone)
    found = []
    for number, each in watched.thresholds.items():
        money = money_of(each, standing.amount, period)
        if money is not None:
            found.append(Line(number, each.basis, money, each.window_hours))
    return found


def money_of(each: ThresholdDraft, amount: Decimal | None, period: Period) -> Decimal | None:
    """What is reached, as money within the period or, of a burn rate, within its window."""
    if each.basis == Threshold.Basis.BURN_RATE and each.window_hours:
        hours = (period.end - period.start) // HOUR
        return rules.burn_money(each.kind, each.value, each.window_hours, amount, hours)
    return rules.money_of(each.kind, each.value, amount)


def found_of(standing: Standing, asked: Asked, as_of: datetime, *, is_stale: bool) -> Found:
    """What may be judged: while the pipeline stands still, only that so much is spent already."""
    period = standing.span.period(asked.zone)
    is_early = (as_of - period.start) * GRACE < period.end - period.start
    return Found(
        actual=standing.actual,
        forecast=None if is_stale or is_early else standing.forecast.expected,
        burn={} if is_stale else standing.burn,
    )


def lowest(watched: Watched, amount: Decimal | None) -> Decimal | None:
    """The least money at which a threshold on what is spent is reached."""
    found = [
        rules.money_of(each.kind, each.value, amount)
        for each in watched.thresholds.values()
        if each.basis == Threshold.Basis.ACTUAL
    ]
    return min((money for money in found if money is not None), default=None)
