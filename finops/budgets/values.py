"""How the values of a budget for each stand: those that were read anyway, and those that may reach
a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from finops.budgets import contenders, standings
from finops.budgets.contenders import Chosen
from finops.budgets.figures import Answer, Usage
from finops.budgets.questions import Asked
from finops.budgets.standings import NOT_LEADING, WAITING, Answers, Standing, answer
from finops.budgets.watched import Watched
from finops.forecasts import NONE, Forecast


def of_values(
    watched: Watched,
    asked: Asked,
    answers: Answers,
    as_of: datetime,
    current: Answer,
    chosen: Chosen,
) -> list[Standing]:
    """The whole, then each value that was read, those that cost most first; days are known of those
    that are chosen. Raises Unread."""
    days, burnt = days_of(asked, answers, chosen), burnt_of(asked, answers, as_of, chosen)
    missing = chosen.missing(current)
    more = answer(answers, asked.totals(missing)) if missing else Answer()
    values = [
        standings.standing_of(
            *(watched, asked, answers, value, as_of),
            usage=of.total(value),
            days=days.get(value),
            burnt=burnt,
            otherwise=WAITING if value in chosen.forecast.waiting else NOT_LEADING,
        )
        for of, names in ((current, current.usage), (more, missing))
        for value in names
    ]
    whole = standings.sum_of(asked, answers, current)
    if asked.has_forecasts or chosen.burn:
        reason = contenders.said(chosen, has_forecasts=asked.has_forecasts)
        whole = replace(whole, forecast=Forecast(None, None, None, NONE, reason))
    return [whole, *sorted(values, key=lambda each: -each.actual)]


def days_of(asked: Asked, answers: Answers, chosen: Chosen) -> dict[str, Mapping[date, Usage]]:
    found: dict[str, Mapping[date, Usage]] = {}
    for some in chosen.forecast.chunks():
        older, recent = answer(answers, asked.older(some)), answer(answers, asked.recent(some))
        found |= {value: standings.by_day(older.of(value), recent.of(value)) for value in some}
    return found


def burnt_of(asked: Asked, answers: Answers, as_of: datetime, chosen: Chosen) -> dict[str, Answer]:
    """The steps of burn rates by granularity, of values that lead and of those that are chosen."""
    found = {}
    for question in asked.burnt(as_of):
        listed = answer(answers, question)
        usage = dict(listed.usage)
        for some in chosen.burn[question].chunks() if question in chosen.burn else ():
            read = answer(answers, asked.some_of(question, some))
            usage |= {value: read.of(value) for value in some}
        found[question.granularity] = Answer(usage, listed.rest)
    return found
