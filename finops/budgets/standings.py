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
NOT_LEADING = Forecast(
    None, None, None, NONE, "It is among no values that cost most or may reach a threshold."
)
WAITING = Forecast(None, None, None, NONE, "Its forecast has its turn in one of the next minutes.")


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


def readable(answers: Answers, question: CostQuery) -> Answer | None:
    """None where it was not asked, or could not be read."""
    found = answers.get(question)
    return found if isinstance(found, Answer) else None


class Unread(RuntimeError):
    """A figure that is needed could not be read; says why, for people."""


def of_whole(watched: Watched, asked: Asked, answers: Answers, as_of: datetime) -> Standing:
    """Of a budget that is not for each value of anything. Raises Unread."""
    older, recent = answer(answers, asked.older()), answer(answers, asked.recent())
    days = by_day(older.of(""), recent.of(""))
    inside = (each for day, each in days.items() if asked.span.first <= day < asked.span.end)
    burnt = {each.granularity: answer(answers, each) for each in asked.burnt(as_of)}
    usage = sum(inside, Usage())
    return standing_of(watched, asked, answers, "", as_of, days=days, usage=usage, burnt=burnt)


def of_total(watched: Watched, asked: Asked, answers: Answers) -> list[Standing]:
    """The whole, then values, of a period that is over. Raises Unread."""
    current = readable(answers, asked.everything()) or answer(answers, asked.current())
    if asked.draft.for_each:
        values = [_total(watched, asked, answers, value, current) for value in current.usage]
        return [sum_of(asked, answers, current), *values]
    return [_total(watched, asked, answers, "", current)]


def _total(
    watched: Watched, asked: Asked, answers: Answers, value: str, current: Answer
) -> Standing:
    usage, previous = current.total(value), previous_of(asked, answers, value)
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


def sum_of(asked: Asked, answers: Answers, current: Answer) -> Standing:
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


def previous_of(asked: Asked, answers: Answers, value: str) -> Decimal | None:
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


def standing_of(
    watched: Watched,
    asked: Asked,
    answers: Answers,
    value: str,
    as_of: datetime,
    *,
    days: Mapping[date, Usage] | None,
    usage: Usage,
    burnt: Mapping[str, Answer],
    otherwise: Forecast = NOT_LEADING,
) -> Standing:
    """`burnt` are the steps of burn rates by granularity; `otherwise` is the forecast of a value
    whose `days` were not read."""
    draft, span = asked.draft, asked.span
    previous = previous_of(asked, answers, value)
    series = tuple(sorted((day, each.cost(draft)) for day, each in (days or {}).items()))
    actual = usage.cost(draft)
    if not asked.has_forecasts:
        forecast = NOT_ASKED
    elif days is None:
        forecast = otherwise
    else:
        known = (*before_days(asked, actual, series), *series)
        forecast = forecasts.forecast(
            *(known, span.period(asked.zone), as_of, asked.zone), watched.coming
        )
    return Standing(
        value=value,
        span=span,
        amount=amounts.of(draft, span, previous, value=value, increases=watched.increases),
        usage=usage,
        actual=actual,
        estimated=usage.estimated(draft),
        forecast=forecast,
        burn=dict(_burn(asked, burnt, value, as_of)),
        previous=previous,
        series=series,
    )


def before_days(
    asked: Asked, actual: Decimal, series: Sequence[tuple[date, Decimal]]
) -> Iterator[tuple[date, Decimal]]:
    """What a value had spent in a long period before the days that were read of it, as if on the
    first one: forecasts ask of those days only whether there were any."""
    span, first = asked.span, asked.window(None).period.start
    if asked.draft.for_each and span.period(asked.zone).start < first:
        inside = sum((cost for day, cost in series if span.first <= day < span.end), ZERO)
        if actual > inside:
            yield span.first, actual - inside


def by_day(*parts: Mapping[Step, Usage]) -> dict[date, Usage]:
    found: dict[date, Usage] = {}
    for part in parts:
        for day, usage in part.items():
            assert isinstance(day, date)
            found[day] = found.get(day, Usage()) + usage
    return found


def _burn(
    asked: Asked, burnt: Mapping[str, Answer], value: str, as_of: datetime
) -> Iterator[tuple[int, Decimal]]:
    """What was spent in each window that ends at `as_of`. Of the step in which it begins, its part
    of that step's usage, as if that were even."""
    for hours in asked.windows():
        found = burnt["day" if asked.by_day(hours) else "hour"]
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
    is_unknown = is_stale or is_early(asked, as_of)
    return Found(
        actual=standing.actual,
        forecast=None if is_unknown else standing.forecast.expected,
        burn={} if is_stale else standing.burn,
    )


def is_early(asked: Asked, as_of: datetime) -> bool:
    period = asked.span.period(asked.zone)
    return (as_of - period.start) * GRACE < period.end - period.start


def lowest(
    watched: Watched, amount: Decimal | None, basis: str = Threshold.Basis.ACTUAL
) -> Decimal | None:
    """The least money at which a threshold on what is spent, or on the forecast, is reached."""
    found = [
        rules.money_of(each.kind, each.value, amount)
        for each in watched.thresholds.values()
        if each.basis == basis
    ]
    return min((money for money in found if money is not None), default=None)
