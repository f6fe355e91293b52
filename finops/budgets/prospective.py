"""What a budget counts, as a question for a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from finops.budgets.spans import Calendar
from finops.models import Budget
from finops.organisation.calendar import fiscal_first_month
from finops.periods import Period, local_day


def forecast_params(budget: Budget, group_by: Sequence[str]) -> dict[str, list[str]]:
    """The parameters of a CostQuery: by the dimension that the budget is for each value of, unless
    another one is asked for."""
    own = [budget.for_each] if budget.for_each else []
    filters = {dimension: list(values) for dimension, values in budget.filters.items()}
    return {**filters, "metrics": [budget.cost], "group_by": list(group_by) or own}


def forecast_span(budget: Budget, now: datetime, zone: ZoneInfo) -> Period | None:
    """Its present period; None of one over the last so many days, which begins anew each day."""
    calendar = Calendar(budget.period, budget.rolling_days, fiscal_first_month())
    return None if calendar.is_rolling else calendar.at(local_day(now, zone)).period(zone)
