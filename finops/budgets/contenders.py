"""Which values of a budget for each may reach a threshold on the forecast, or on the burn rate.

The days of 100,000 values are not read every 20 seconds, and need not be:

- A day to come is forecast like the average of at least three days that are known (LEAST_DAYS and
  LEAST_WEEKS of finops.forecasts) or by models, which are held to a third of the days that are
  known, and no day cost less than nothing. So a value's forecast is at most what it has spent, and
  for each day left a third of what the days that are known cost.
- Within a window nobody has spent more than in all the steps that the window touches.

Who stays below the lowest threshold by that cannot reach it. The others are read by their steps:
those that may reach it furthest each time, and where they are very many the rest in turn. Where
they are too many to be listed, those that cost most are judged, and `gap` says why not all are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from finops.budgets import amounts, standings
from finops.budgets.figures import Answer, reason_of
from finops.budgets.questions import FORECAST_VALUES, VALUES, Asked
from finops.budgets.standings import Answers, answer, readable
from finops.budgets.watched import Watched
from finops.forecasts import LEAST_DAYS, LEAST_WEEKS
from finops.models import Budget, Threshold
from finops.query import CostQuery

Basis = Threshold.Basis
ZERO = Decimal(0)
# Of what the days that are known cost, no day to come is forecast more than this part.
LEAST_KNOWN = min(LEAST_DAYS, LEAST_WEEKS)


@dataclass(frozen=True, slots=True)
class Choice:
    """`always` are read every time and `turn` this time; `waiting` have their turns later, within
    so many `turns`. `count` are all that may reach a threshold."""

    always: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    waiting: frozenset[str] = frozenset()
    count: int = 0
    turns: int = 0

    def values(self) -> tuple[str, ...]:
        return *self.always, *self.turn

    def chunks(self) -> Iterator[tuple[str, ...]]:
        """As many values as one question asks for."""
        for some in (self.always, self.turn):
            for at in range(0, len(some), VALUES):
                yield some[at : at + VALUES]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of one budget; `burn` by the question of its steps. `gap` is why others are not among them
    that may be."""

    forecast: Choice = field(default_factory=Choice)
    burn: Mapping[CostQuery, Choice] = field(default_factory=dict)
    gap: str = ""

    def missing(self, current: Answer) -> list[str]:
        """Those that are judged and are not among the values that were read anyway."""
        wanted = {*self.forecast.values()}.union(*(each.values() for each in self.burn.values()))
        return sorted(wanted - current.usage.keys())


def choose(ranked: Sequence[str], beside: Collection[str], had: set[str]) -> Choice:
    """Of those that may reach a threshold, the furthest first; `beside` are read in any case. `had`
    are those that have had their turns, whatever place they had then: all have before any has
    another one."""
    first, rest = ranked[:VALUES], ranked[VALUES:]
    turns = -(-len(rest) // VALUES)
    left = [value for value in rest if value not in had]
    if not left:
        had.clear()
    part = tuple(sorted((left or rest)[:VALUES]))
    had.update(part)
    taken = {*first, *part}
    more = sorted(value for value in beside if value not in taken)
    waiting = frozenset(rest) - {*part, *more}
    return Choice((*sorted(first), *more), part, waiting, len(ranked), turns)


def chosen(
    watched: Watched,
    asked: Asked,
    answers: Answers,
    as_of: datetime,
    current: Answer,
    held: Mapping[str, Collection[str]],
    had: Mapping[str, set[str]],
) -> Chosen:
    """`held` are the values of each basis that have reached a threshold: they are read until it is
    armed again. `had` are those that have had their turns, of the forecast and of each length of
    steps. Raises Unread where nothing can be judged."""
    forecast, burn = Choice(), {}
    if asked.has_forecasts:
        leading = standings.leaders(asked, current, FORECAST_VALUES)
        ranked = by_forecast(watched, asked, answers, as_of, current)
        below = outside(held.get(Basis.FORECAST, ()), ranked)
        forecast = choose(ranked, {*leading, *below}, had[Basis.FORECAST])
    for question in asked.burnt(as_of):
        listed = answer(answers, question)
        if listed.is_cut:
            ranked = by_burn(watched, asked, answers, question)
            ranked = [value for value in ranked if value not in listed.usage]
            below = outside(held.get(Basis.BURN_RATE, ()), {*ranked, *listed.usage})
            burn[question] = choose(ranked, below, had[question.granularity])
    return Chosen(forecast, burn)


def outside(held: Collection[str], ranked: Collection[str]) -> list[str]:
    """Those that had reached a threshold and cannot be above it any more: to be found below it."""
    return sorted(set(held) - set(ranked))[:VALUES]


def questions(
    watched: Watched, asked: Asked, answers: Answers, as_of: datetime
) -> Iterator[CostQuery]:
    """About all values, where those that a limit left out may have reached a threshold. Raises
    Unread."""
    floor = most_left(asked, answers)
    amount = amounts.of(asked.draft, asked.span, None, increases=watched.increases)
    spent = standings.lowest(watched, amount)
    forecast = standings.lowest(watched, amount, Basis.FORECAST)
    if floor and any(line is not None and floor >= line for line in (spent, forecast)):
        yield asked.everything()
    if asked.has_forecasts and forecast is not None and not standings.is_early(asked, as_of):
        known = readable(answers, asked.window(asked.window_limit))
        if known and known.is_cut and floor + ahead(asked) * least_of(asked, known) >= forecast:
            yield asked.window(None)
    for question in asked.burnt(as_of):
        listed = answer(answers, question)
        line = burn_line(watched, asked, question, amount)
        may_reach = line is not None and line <= burnt_left(asked, listed)
        if listed.is_cut and (may_reach or asked.is_by_last):
            yield asked.all_of(question)


def gap(asked: Asked, answers: Answers, wider: Sequence[CostQuery]) -> str:
    """Why not every value is judged that may have reached a threshold; "" where each is. `wider`
    is what `questions` said."""
    limited = (asked.window(asked.window_limit),) if asked.has_forecasts else ()
    return reason_of(answers.get(each) for each in (*wider, *limited))


def may_have_spent(watched: Watched, asked: Asked, answers: Answers) -> bool:
    """Whether a value that is not among those read may have reached a threshold on what is spent.
    Raises Unread."""
    current = answer(answers, asked.current())
    amount = amounts.of(asked.draft, asked.span, None, increases=watched.increases)
    line = standings.lowest(watched, amount)
    return current.is_cut and line is not None and line <= burnt_left(asked, current)


def most_left(asked: Asked, answers: Answers) -> Decimal:
    """What a value that is not among those read may have spent at most; 0 where all are."""
    current = answer(answers, asked.current())
    if not current.is_cut:
        return ZERO
    left = least_of(asked, current)
    unpriced = answer(answers, asked.unpriced) if asked.unpriced else None
    if unpriced is not None and unpriced.usage:
        left += min(unpriced.total(name).estimated(asked.draft) for name in unpriced.usage)
    return left


def least_of(asked: Asked, listed: Answer) -> Decimal:
    """The known cost of the last of the values that lead, which no other exceeds."""
    is_list = asked.draft.cost == Budget.Cost.LIST
    totals = (listed.total(name) for name in listed.usage)
    return min(
        (each.list_cost if is_list else each.effective_cost for each in totals), default=ZERO
    )


def burnt_left(asked: Asked, listed: Answer) -> Decimal:
    """The same within the steps of a window; without bound where estimates are not ranked by."""
    is_estimate = asked.draft.unpriced == Budget.Unpriced.ESTIMATE
    return Decimal("Infinity") if is_estimate else least_of(asked, listed)


def ahead(asked: Asked) -> Decimal:
    """How many times what the known days cost the days to come may be forecast to, at most."""
    return Decimal((asked.span.end - asked.today).days) / LEAST_KNOWN


def by_forecast(
    watched: Watched, asked: Asked, answers: Answers, as_of: datetime, current: Answer
) -> list[str]:
    """The values whose forecast may reach a threshold, those furthest over it first; of those that
    could be read."""
    limited = asked.window(asked.window_limit)
    known = readable(answers, asked.window(None)) or readable(answers, limited)
    if known is None or standings.is_early(asked, as_of):
        return []
    floor = ZERO if readable(answers, asked.everything()) else most_left(asked, answers)
    times, draft, found = ahead(asked), asked.draft, []
    amount_of = amounts_of(watched, asked, answers)
    for value in {*current.usage, *known.usage}:
        if not standings.watches(value):
            continue
        is_read = value in current.usage
        spent = current.total(value).cost(draft) if is_read else floor
        most = spent + times * known.total(value).cost(draft)
        if value not in known.usage and known.is_cut:
            most += times * least_of(asked, known)
        line = standings.lowest(watched, amount_of(value), Basis.FORECAST)
        if line is not None and most >= line:
            found.append((line - most, value))
    return [value for _, value in sorted(found)]


def amounts_of(watched: Watched, asked: Asked, answers: Answers) -> Callable[[str], Decimal | None]:
    """What each value has, worked out once where all have the same."""
    draft, span, more = asked.draft, asked.span, watched.increases
    if asked.is_by_last:
        return lambda value: amounts.of(
            draft, span, standings.previous_of(asked, answers, value), value=value, increases=more
        )
    own = {each.value for each in more}
    common = amounts.of(draft, span, None, increases=more)
    return lambda value: (
        amounts.of(draft, span, None, value=value, increases=more) if value in own else common
    )


def by_burn(watched: Watched, asked: Asked, answers: Answers, question: CostQuery) -> list[str]:
    """The values that have spent as much in all steps of the windows as the lowest threshold
    takes, the costliest first."""
    totals = readable(answers, asked.all_of(question)) or Answer()
    amount_of, found = amounts_of(watched, asked, answers), []
    for value in filter(standings.watches, totals.usage):
        line = burn_line(watched, asked, question, amount_of(value))
        spent = totals.total(value).cost(asked.draft)
        if line is not None and spent >= line:
            found.append((-spent, value))
    return [value for _, value in sorted(found)]


def burn_line(
    watched: Watched, asked: Asked, question: CostQuery, amount: Decimal | None
) -> Decimal | None:
    """The least money within a window of these steps that reaches a threshold."""
    period = asked.span.period(asked.zone)
    lines = (
        standings.money_of(each, amount, period)
        for each in watched.thresholds.values()
        if each.basis == Basis.BURN_RATE
        and each.window_hours
        and asked.by_day(each.window_hours) == (question.granularity == "day")
    )
    return min((line for line in lines if line is not None), default=None)


def said(chosen_of_one: Chosen, *, has_forecasts: bool) -> str:
    """What the whole says of its values' forecasts."""
    made = len(chosen_of_one.forecast.values())
    many = [chosen_of_one.forecast, *chosen_of_one.burn.values()]
    turns = max(each.turns for each in many)
    if not turns:
        what = "Forecasts are made for" if has_forecasts else "Burn rates are judged of"
        which = f"{made:,} values" if has_forecasts else "the values that spend most"
        if chosen_of_one.gap:
            return f"{what} {which}; not all others could be read."
        return f"{what} {which}; no other one can reach a threshold."
    count = max(each.count for each in many if each.turns)
    return (
        f"{count:,} values may reach a threshold by forecast or burn rate: the {VALUES:,} that may "
        f"reach it furthest are judged each time, the others in turn, all of them within "
        f"{turns:,} evaluations."
    )
