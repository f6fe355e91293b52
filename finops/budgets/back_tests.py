"""What a draft would have told on the days that are past, before it is saved.

The thresholds are judged by the rules that judge budgets, at the end of each day, with the usage as
it is known now. Forecasts are made of the days up to that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from finops import costs, forecasts
from finops.budgets import amounts, figures, rules, standings
from finops.budgets.drafts import Draft
from finops.budgets.evaluation import EXACT_DIGITS
from finops.budgets.figures import Answer, Memory, Usage
from finops.budgets.past_periods import Past, PastPeriods, past_periods
from finops.budgets.questions import Asked
from finops.budgets.rules import Found, Held, Line
from finops.budgets.spans import Calendar, Span
from finops.budgets.standings import GRACE, Unread
from finops.budgets.thresholds import DAY, ThresholdDraft
from finops.models import Budget, Threshold
from finops.organisation.calendar import fiscal_first_month
from finops.periods import days as period_of_days
from finops.periods import local_day, start_of_day
from finops.query import CostQuery

ONE_DAY = timedelta(days=1)
DAYS = 90
# Of a budget for each value.
VALUES = 50
# A forecast of a past day takes one to three milliseconds, and somebody waits.
MOST_FORECASTS = 1_000
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert that would have gone out at the end of `day`, or before."""

    day: date
    value: str
    threshold: ThresholdDraft
    span: Span
    line: Decimal
    amount: Decimal | None
    actual: Decimal
    forecast: Decimal | None


@dataclass(frozen=True, slots=True)
class BackTest:
    """`fired` in order of days. `periods` is None where nothing was spent. `notes` say what could
    not be tried and why, for people."""

    first: date
    end: date
    fired: tuple[Fired, ...]
    periods: PastPeriods | None
    notes: tuple[str, ...]


def back_test(draft: Draft, days: int = DAYS, *, now: datetime, zone: ZoneInfo) -> BackTest:
    """Replay the draft over the last days, today included so far. Raises Unread where the usage
    cannot be read, and rollups.ZoneChanged."""
    with localcontext(prec=EXACT_DIGITS):
        today = local_day(now, zone)
        first, end = today - timedelta(days=days - 1), today + ONE_DAY
        calendar = Calendar(draft.period, draft.rolling_days, fiscal_first_month())
        recorded = costs.look().freshness.recorded_since
        pasts, notes = read_pasts(draft, calendar, first, end, now, zone)
        forecast = values_forecast(draft, pasts, (end - calendar.at(first).first).days)
        fired = [
            each
            for past in pasts
            for each in replay(
                draft if past.value in forecast else without_forecasts(draft),
                *(calendar, past, first, end, now, zone),
            )
        ]
        periods = past_periods(draft, calendar, pasts, list(Span(first, end).days()))
    if len(forecast) < len(pasts):
        notes.append(
            f"Forecasts were tried only of the {len(forecast)} that cost most: "
            "of more it would take too long."
        )
    notes += unknowable(draft, first, local_day(recorded, zone) if recorded else None)
    fired.sort(key=lambda each: (each.day, each.value))
    return BackTest(first, end, tuple(fired), periods, tuple(notes))


def values_forecast(draft: Draft, pasts: Sequence[Past], days: int) -> set[str]:
    """The values whose forecasts are tried, those that cost most."""
    most = max(MOST_FORECASTS // days, 1) if asks_forecasts(draft) else len(pasts)
    ranked = sorted(pasts, key=lambda past: -sum(past.days.values(), ZERO))
    return {past.value for past in ranked[:most]}


def asks_forecasts(draft: Draft) -> bool:
    return any(each.basis == Threshold.Basis.FORECAST for each in draft.thresholds)


def without_forecasts(draft: Draft) -> Draft:
    others = (each for each in draft.thresholds if each.basis != Threshold.Basis.FORECAST)
    return replace(draft, thresholds=tuple(others))


def read_pasts(
    draft: Draft, calendar: Calendar, first: date, end: date, now: datetime, zone: ZoneInfo
) -> tuple[list[Past], list[str]]:
    """By day, from the period before the first one on."""
    today = end - ONE_DAY
    span = calendar.at(first)
    before = calendar.before(span)
    asked = Asked(draft, span, before, today, zone)
    since = min(before.first, first - timedelta(days=forecasts.MOST_DAYS))
    whole = period_of_days(since, end, zone)
    limit = VALUES if draft.for_each else None
    total = asked.query(period_of_days(first, end, zone), "total", limit=limit)
    if not draft.for_each:
        answer = one(asked.query(whole, "day"), now)
        return [Past("", costs_of(answer, "", draft))], []
    leading = one(total, now)
    values = standings.leaders(asked, leading, VALUES)
    notes = []
    if leading.is_cut:
        notes.append(
            f"Only the {len(values)} values that cost most in these days were tried; "
            "the budget watches all of them."
        )
    if not values:
        return [], notes
    answer = one(asked.query(whole, "day", values=values), now)
    return [Past(value, costs_of(answer, value, draft)) for value in values], notes


def one(question: CostQuery, now: datetime) -> Answer:
    found = figures.read([question], costs.look(), Memory(), now)[question]
    if not isinstance(found, Answer):
        raise Unread(found.reason)
    return found


def costs_of(answer: Answer, value: str, draft: Draft) -> dict[date, Decimal]:
    usage: dict[date, Usage] = standings.by_day(answer.of(value))
    return {day: each.cost(draft) for day, each in usage.items()}


def replay(
    draft: Draft,
    calendar: Calendar,
    past: Past,
    first: date,
    end: date,
    now: datetime,
    zone: ZoneInfo,
) -> Iterator[Fired]:
    """Day by day, as evaluations at the end of each would have gone."""
    held: dict[int, Held] = {}
    key: date | None = None
    begin = calendar.at(first).first  # what it had told by then is not told again
    for day in (begin + ONE_DAY * n for n in range((end - begin).days)):
        span = calendar.at(day)
        if key != span.first and not calendar.is_rolling:
            key, held = span.first, {}
        as_of = min(start_of_day(day + ONE_DAY, zone), now)
        previous = calendar.before(span)
        amount = amounts.of(draft, span, past.sum(previous.first, previous.end))
        found = found_on(draft, past, span, day, as_of, zone)
        lines = lines_of(draft, amount, span, zone)
        decision = rules.decide(lines, found, held, today=day, is_rolling=calendar.is_rolling)
        for change in decision.changed:
            # A day has more than enough evaluations to arm again what it found below.
            held[change.number] = replace(change, is_rearmed=True)
        for reached in decision.reached:
            line = reached.line
            held[line.number] = Held(line.number, reached.generation, line.money, 0, day, False, 0)
            if reached.is_told and day >= first:
                yield Fired(
                    *(day, past.value, draft.thresholds[line.number], span, line.money, amount),
                    actual=found.actual or ZERO,
                    forecast=found.forecast,
                )


def found_on(
    draft: Draft, past: Past, span: Span, day: date, as_of: datetime, zone: ZoneInfo
) -> Found:
    """What was known at the end of the day."""
    known = tuple((each, amount) for each, amount in past.days.items() if each <= day)
    period = span.period(zone)
    is_early = (as_of - period.start) * GRACE < period.end - period.start
    forecast = None
    if asks_forecasts(draft) and not is_early and as_of < period.end:
        forecast = forecasts.forecast(known, period, as_of, zone).expected
    burn = {
        hours: past.sum(day - timedelta(days=hours // DAY - 1), day + ONE_DAY)
        for each in draft.thresholds
        if (hours := each.window_hours) and hours % DAY == 0
    }
    return Found(past.sum(span.first, min(span.end, day + ONE_DAY)), forecast, burn)


def lines_of(draft: Draft, amount: Decimal | None, span: Span, zone: ZoneInfo) -> list[Line]:
    found = []
    for number, each in enumerate(draft.thresholds):
        money = standings.money_of(each, amount, span.period(zone))
        if money is not None:
            found.append(Line(number, each.basis, money, each.window_hours))
    return found


def unknowable(draft: Draft, first: date, recorded: date | None) -> Sequence[str]:
    notes = ["Days are judged at their end, with what is known of them now, late usage included."]
    if recorded is None or recorded > first:
        since = f"since {recorded}; earlier days count" if recorded else "not yet: all days count"
        notes.append(f"Usage is recorded {since} as nothing.")
    hourly = [
        each.window_hours
        for each in draft.thresholds
        if each.basis == Threshold.Basis.BURN_RATE and (each.window_hours or 0) % DAY
    ]
    if hourly:
        notes.append("Burn rates over hours were not tried: the past is looked at by the day.")
    if draft.unpriced == Budget.Unpriced.BREACH:
        notes.append("Requests without a price were not tried: most of them have one by now.")
    return notes
