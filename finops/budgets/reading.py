"""Reads how budgets stand, in two rounds: what all of them ask, then what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from finops.budgets import coming, contenders, figures, standings, values
from finops.budgets.contenders import Chosen
from finops.budgets.figures import Answer, Memory
from finops.budgets.moments import Evaluated, Moment
from finops.budgets.questions import Asked
from finops.budgets.spans import Span
from finops.budgets.standings import Answers, Standing, Unread, answer, readable
from finops.budgets.watched import Watched
from finops.costs import Look
from finops.forecasts import NOTHING
from finops.models import BudgetStatus, Crossing, Threshold
from finops.query import CostQuery

# Of a budget that nobody evaluated for long, the last periods that have ended meanwhile.
MOST_CLOSED = 8
# Before the last one that is over, so many periods in which usage may still come late.
MOST_LATE = 7
All = Mapping[int, Asked]  # by budget
Wider = Mapping[int, Sequence[CostQuery]]  # by budget, what is asked of all of its values


def read(
    portion: Sequence[Watched], moment: Moment, look: Look, memory: Memory, zone: ZoneInfo
) -> list[Evaluated]:
    """Every budget of the portion with its standings, or why it has none. Raises ZoneChanged."""
    asked = {each.number: ask(each, moment, zone) for each in portion}
    known = coming.read(asked, moment, memory)
    portion = [replace(each, coming=known.get(each.number, NOTHING)) for each in portion]
    ended = ended_spans(portion, asked, zone)
    first = [q for each in asked.values() for q in each.first_round(moment.as_of)]
    first += [
        q for some in ended.values() for each in some for q in (each.current(), each.previous)
    ]
    over = {each.number: list(late_spans(each, asked[each.number], look)) for each in portion}
    first += [each.current() for some in over.values() for each in some]
    answers: Answers = figures.read(first, look, memory, moment.now)
    wider = {each.number: follow_up(each, asked[each.number], answers, moment) for each in portion}
    closed = {each.number: closing(each, ended.get(each.number, ()), answers) for each in portion}
    second = [q for some in (*wider.values(), *closed.values()) for q in some]
    answers = {**answers, **figures.read(second, look, memory, moment.now)}
    chosen = choose(portion, asked, answers, moment, memory, wider)
    third: list[CostQuery] = []
    turns: list[CostQuery] = []
    for number, each in chosen.items():
        always, turn = by_steps(asked[number], answers, each)
        memory.ask_instead(number, always)
        third, turns = [*third, *always], [*turns, *turn]
    answers = {**answers, **figures.read(third, look, memory, moment.now)}
    # Other values each time: they would take the room of what is asked again.
    apart = memory.apart()
    answers = {**answers, **figures.read(turns, look, apart, moment.now)}
    memory.queries += apart.queries
    return [
        evaluated(
            *(each, asked[each.number], ended.get(each.number, []), over[each.number]),
            *(answers, moment, chosen.get(each.number, Chosen()), closed[each.number]),
        )
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
    watched: Watched,
    asked: Asked,
    ended: Sequence[Asked],
    over: Sequence[Asked],
    answers: Answers,
    moment: Moment,
    chosen: Chosen,
    closed: Sequence[CostQuery],
) -> Evaluated:
    """`closed` is what was asked of all values of the periods that have `ended`."""
    try:
        return Evaluated(
            watched,
            asked,
            standings=stand(watched, asked, answers, moment.as_of, chosen),
            closed=[(each, standings.of_total(watched, each, answers)) for each in ended],
            late=list(lates(watched, over, answers)),
            gap=chosen.gap,
            closing_gap=figures.reason_of(answers.get(each) for each in closed),
        )
    except Unread as unread:
        return Evaluated(watched, asked, problem=str(unread))


def stand(
    watched: Watched, asked: Asked, answers: Answers, as_of: datetime, chosen: Chosen
) -> list[Standing]:
    if not watched.draft.for_each:
        return [standings.of_whole(watched, asked, answers, as_of)]
    return values.of_values(watched, asked, answers, as_of, current_of(asked, answers), chosen)


def late_spans(watched: Watched, asked: Asked, look: Look) -> Iterator[Asked]:
    """The last period that is over, and those before it of which a day has changed lately."""
    if watched.calendar.is_rolling:
        return
    span = asked.before
    for back in range(1 + MOST_LATE):
        before = watched.calendar.before(span)
        if not back or any(span.first <= day < span.end for day in look.changed):
            yield Asked(watched.draft, span, before, asked.today, asked.zone)
        span = before


def lates(
    watched: Watched, over: Sequence[Asked], answers: Answers
) -> Iterator[Sequence[Standing]]:
    """Of the periods that can be read: a note may wait, and thresholds do not wait for it."""
    for each in over:
        if readable(answers, each.current()):
            yield late(watched, each, answers)


def late(watched: Watched, asked: Asked, answers: Answers) -> list[Standing]:
    """What a period that is over has come to by now; without amounts, which were written down
    then."""
    before = answer(answers, asked.current())
    names = ["", *before.usage] if watched.draft.for_each else [""]
    usage = {
        name: before.total(name) if name or not watched.draft.for_each else before.whole()
        for name in names
    }
    return [
        Standing(
            value=name,
            span=asked.span,
            amount=None,
            usage=each,
            actual=each.cost(watched.draft),
            estimated=each.estimated(watched.draft),
        )
        for name, each in usage.items()
    ]


def current_of(asked: Asked, answers: Answers) -> Answer:
    """The values of a budget for each: the leading ones, or all where the rest may matter."""
    return readable(answers, asked.everything()) or with_unpriced(asked, answers)


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


def follow_up(watched: Watched, asked: Asked, answers: Answers, moment: Moment) -> list[CostQuery]:
    """What is asked of all values, where those that were left out may have reached a line."""
    if not watched.draft.for_each:
        return []
    try:
        return list(contenders.questions(watched, asked, answers, moment.as_of))
    except Unread:
        return []


def closing(watched: Watched, ended: Sequence[Asked], answers: Answers) -> list[CostQuery]:
    """The same of periods that are over, of which only what was spent counts."""
    found = []
    for each in ended if watched.draft.for_each else ():
        try:
            if contenders.may_have_spent(watched, each, answers):
                found.append(each.everything())
        except Unread:
            continue
    return found


def choose(
    portion: Sequence[Watched],
    asked: All,
    answers: Answers,
    moment: Moment,
    memory: Memory,
    wider: Wider,
) -> dict[int, Chosen]:
    """Budget for each value → the values whose steps are read."""
    kinds = [each for each in portion if each.draft.for_each]
    held = held_of(kinds, asked)
    found = {}
    for each in kinds:
        question, number = asked[each.number], each.number
        try:
            current = current_of(question, answers)
            chosen = contenders.chosen(
                *(each, question, answers, moment.as_of, current),
                *(held[number], memory.turns[number]),
            )
        except Unread:
            continue
        gap = contenders.gap(question, answers, wider[number])
        found[number] = replace(chosen, gap=gap)
    return found


def held_of(portion: Sequence[Watched], asked: All) -> defaultdict[int, dict[str, list[str]]]:
    """Budget → basis → the values that have reached a threshold in the present period and are not
    armed again."""
    keys = {each.number: each.key_of(asked[each.number].span) for each in portion}
    rows = Crossing.objects.filter(budget__in=keys, rearmed_at=None, threshold__retired_at=None)
    rows = rows.filter(period_start__in=set(keys.values())).exclude(basis=Threshold.Basis.ACTUAL)
    found: defaultdict[int, dict[str, list[str]]] = defaultdict(dict)
    for number, basis, value, day in rows.values_list(
        "budget_id", "basis", "value", "period_start"
    ):
        if day == keys[number]:
            found[number].setdefault(basis, []).append(value)
    return found


def by_steps(
    asked: Asked, answers: Answers, chosen: Chosen
) -> tuple[list[CostQuery], list[CostQuery]]:
    """What is asked every time, and in this turn."""
    kept: list[CostQuery] = []
    turn: list[CostQuery] = []
    for some in chosen.forecast.chunks():
        to = turn if some[0] in chosen.forecast.turn else kept
        to += [asked.older(some), asked.recent(some)]
    for question, choice in chosen.burn.items():
        for some in choice.chunks():
            (turn if some[0] in choice.turn else kept).append(asked.some_of(question, some))
    if missing := chosen.missing(current_of(asked, answers)):
        turn.append(asked.totals(missing))
    return kept, turn
