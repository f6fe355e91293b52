"""Rows of BudgetStatus: how each budget and each value stands, with how fresh that is."""

from __future__ import annotations

from finops.budgets import telling
from finops.budgets.moments import Evaluated, Moment
from finops.budgets.standings import WAITING, Standing
from finops.budgets.watched import Watched
from finops.forecasts import Forecast
from finops.models import Budget, BudgetStatus

UNIQUE = ("budget", "value")
UPDATED = tuple(
    field.name
    for field in BudgetStatus._meta.concrete_fields
    if not field.primary_key and field.name not in UNIQUE
)
State = BudgetStatus.State


def row_of(
    each: Evaluated,
    standing: Standing,
    moment: Moment,
    state: str,
    former: BudgetStatus | None = None,
) -> BudgetStatus:
    """`former` is the row as it is: its forecast stands until the value has its next turn."""
    forecast = standing.forecast
    is_of_span = former is not None and former.period_start == standing.span.first
    if forecast is WAITING and former is not None and is_of_span and former.forecast is not None:
        known = (former.forecast, former.forecast_low, former.forecast_high)
        forecast = Forecast(*known, former.forecast_method, former.forecast_reason)
    return BudgetStatus(
        budget=each.watched.budget,
        value=standing.value,
        state=state,
        period_start=standing.span.first,
        period_end=standing.span.end,
        amount=standing.amount,
        actual=standing.actual,
        estimated=standing.estimated,
        forecast=forecast.expected,
        forecast_low=forecast.low,
        forecast_high=forecast.high,
        forecast_method=forecast.method,
        forecast_reason=forecast.reason,
        previous=standing.previous,
        burn={str(hours): telling.text(spent) for hours, spent in standing.burn.items()},
        unpriced_requests=standing.usage.unpriced_requests,
        as_of=moment.rolled_up_to,
        pending_events=moment.pending_events,
        is_stale=moment.is_stale,
        evaluated_at=moment.now,
    )


def state_of(watched: Watched, standing: Standing, *, is_reached: bool) -> str:
    """`is_reached`: whether a threshold is held."""
    breaches = watched.draft.unpriced == Budget.Unpriced.BREACH
    if standing.is_over or (breaches and standing.usage.unpriced_requests > 0):
        return State.OVER
    if is_reached:
        return State.NEAR
    is_whole_of_values = bool(watched.draft.for_each) and not standing.value
    if standing.amount is None and not is_whole_of_values:
        return State.NO_AMOUNT
    return State.WITHIN


def worst(states: set[str]) -> str:
    """Of the values of a budget, for the whole."""
    order = (State.OVER, State.NEAR, State.WITHIN, State.NO_AMOUNT)
    return next((state for state in order if state in states), State.WITHIN)


def unread(each: Evaluated, former: BudgetStatus | None, moment: Moment) -> BudgetStatus:
    """The row of a budget that could not be judged: the last figures, and since when they stand."""
    if former is None:
        former = BudgetStatus(
            budget=each.watched.budget,
            value="",
            period_start=each.asked.span.first,
            period_end=each.asked.span.end,
            actual=0,
            evaluated_at=moment.now,
        )
    former.pk = None  # written as a new row in place of the old
    former.state = State.UNKNOWN
    former.problem = each.problem
    former.failing_since = former.failing_since or each.failing_since or moment.now
    return former


def is_news(row: BudgetStatus, former: BudgetStatus | None) -> bool:
    """Whether a value's row says anything but that it was looked at again."""
    ignored = {"evaluated_at", "as_of", "pending_events"}
    return former is None or any(
        getattr(row, name) != getattr(former, name) for name in UPDATED if name not in ignored
    )
