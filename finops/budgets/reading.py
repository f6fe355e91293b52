"""Reads how budgets stand, in two rounds: what all of them ask, then what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.budgets import amounts, figures, standings
from finops.budgets.figures import Answer, Memory
from finops.budgets.moments import Evaluated, Moment
from finops.budgets.questions import FORECAST_VALUES, Asked
from finops.budgets.spans import Span
from finops.budgets.standings import Answers, Standing, Unread, answer
from finops.budgets.watched import Watched
from finops.costs import Look
from finops.models import Budget, BudgetStatus
from finops.query import CostQuery

# Of a budget that nobody evaluated for long, the last periods that have ended meanwhile.
MOST_CLOSED = 8


def read(
    portion: Sequence[Watched], moment: Moment, look: Look, memory: Memory, zone: ZoneInfo
) -> list[Evaluated]:
    """Every budget of the portion with its standings, or why it has none. Raises ZoneChanged."""
    asked = {each.number: ask(each, moment, zone) for each in portion}
    ended = ended_spans(portion, asked, zone)
    first = [q for each in asked.values() for q in each.first_round(moment.as_of)]
    first += [
        q for some in ended.values() for each in some for q in (each.current(), each.previous)
    ]
    answers = figures.read(first, look, memory, moment.now)
    second = [q for each in portion for q in follow_up(each, asked[each.number], answers)]
    answers |= figures.read(second, look, memory, moment.now)
    third = [q for each in portion for q in by_day(each, asked[each.number], answers)]
    answers |= figures.read(third, look, memory, moment.now)
    return [
        evaluated(each, asked[each.number], ended.get(each.number, []), answers, moment)
        for each in portion
    ]


def ask(watched: Watched, moment: Moment, zone: ZoneInfo) -> Asked:
    span = watched.calendar.at(moment.today)
    return asked_of(watched, span, moment, zone)


def asked_of(watched: Watched, span: Span, moment: Moment, zone: ZoneInfo) -> Asked:
    return Asked(watched.draft, span, watched.calendar.before(span), moment.today, zone)


def ended_spans(
    portion: Sequence[Watched], asked: dict[int, Asked], zone: ZoneInfo
) -> dict[int, list[Asked]]:
    """The periods between the last evaluation and the present one, which have ended since."""
    rows = BudgetStatus.objects.filter(value="", budget_id__in=asked)
    former = {
        number: Span(first, end)
        for number, first, end in rows.values_list("budget_id", "period_start", "period_end")
    }
    found: dict[int, list[Asked]] = {}
    for each in portion:
        last, present = former.get(each.number), asked[each.number]
        if last is None or each.calendar.is_rolling:
            continue
        if last != each.calendar.at(last.first):
            continue  # its periods were of another length, so that none of these was watched
        spans: list[Asked] = []
        span = present.before
        while span.first >= last.first and len(spans) < MOST_CLOSED:
            before = each.calendar.before(span)
            spans.append(Asked(each.draft, span, before, present.today, zone))
            span = before
        if spans:
            found[each.number] = spans[::-1]
    return found


def evaluated(
    watched: Watched, asked: Asked, ended: Sequence[Asked], answers: Answers, moment: Moment
) -> Evaluated:
    try:
        return Evaluated(
            watched,
            asked,
            standings=stand(watched, asked, answers, moment.as_of),
            closed=[(each, standings.of_total(watched, each, answers)) for each in ended],
            late=late(watched, asked, answers),
        )
    except Unread as unread:
        return Evaluated(watched, asked, problem=str(unread))


def stand(watched: Watched, asked: Asked, answers: Answers, as_of: datetime) -> list[Standing]:
    if not watched.draft.for_each:
        return [standings.of_whole(watched, asked, answers, as_of)]
    current = current_of(watched, asked, answers)
    leading = leading_of(asked, current)
    return standings.of_values(watched, asked, answers, as_of, current, leading)


def late(watched: Watched, asked: Asked, answers: Answers) -> list[Standing]:
    """What the period before has come to by now; without amounts, which were written down then."""
    if watched.calendar.is_rolling:
        return []
    before = answer(answers, asked.previous)
    names = ["", *before.usage] if watched.draft.for_each else [""]
    usage = {
        name: before.total(name) if name or not watched.draft.for_each else before.whole()
        for name in names
    }
    return [
        Standing(
            value=name,
            span=asked.before,
            amount=None,
            usage=each,
            actual=each.cost(watched.draft),
            estimated=each.estimated(watched.draft),
        )
        for name, each in usage.items()
    ]


def current_of(watched: Watched, asked: Asked, answers: Answers) -> Answer:
    """The values of a budget for each: the leading ones, or all where the rest may matter."""
    everything = answers.get(asked.everything())
    if everything is not None:
        return answer(answers, asked.everything())
    return with_unpriced(asked, answers)


def with_unpriced(asked: Asked, answers: Answers) -> Answer:
    """The values that cost most, and those with most unpriced usage."""
    current = answer(answers, asked.current())
    question = asked.unpriced
    if question is None or current.rest is None:
        return current
    unpriced = answer(answers, question)
    more = {name: each for name, each in unpriced.usage.items() if name not in current.usage}
    taken = sum((unpriced.total(name) for name in more), figures.Usage())
    return Answer({**current.usage, **more}, current.rest - taken)


def follow_up(watched: Watched, asked: Asked, answers: Answers) -> list[CostQuery]:
    """All values of a budget for each, where those that were left out may have reached a line."""
    if not watched.draft.for_each:
        return []
    try:
        current = answer(answers, asked.current())
        unpriced = answer(answers, asked.unpriced) if asked.unpriced else None
    except Unread:
        return []
    if not current.is_cut:
        return []
    amount = amounts.of(watched.draft, asked.span, None, increases=watched.increases)
    line = standings.lowest(watched, amount)
    draft = watched.draft
    left = min(known_cost(current, name, draft) for name in current.usage)
    if unpriced is not None and unpriced.usage:
        left += min(unpriced.total(name).estimated(draft) for name in unpriced.usage)
    return [asked.everything()] if line is not None and left >= line else []


def known_cost(current: Answer, name: str, draft: object) -> Decimal:
    usage = current.total(name)
    is_list = getattr(draft, "cost", "") == Budget.Cost.LIST
    return usage.list_cost if is_list else usage.effective_cost


def leading_of(asked: Asked, current: Answer) -> list[str]:
    """The values whose days are read."""
    return standings.leaders(asked, current, FORECAST_VALUES) if asked.has_forecasts else []


def by_day(watched: Watched, asked: Asked, answers: Answers) -> list[CostQuery]:
    if not watched.draft.for_each:
        return []
    try:
        leading = leading_of(asked, current_of(watched, asked, answers))
    except Unread:
        return []
    return [asked.older(leading), asked.recent(leading)] if leading else []
