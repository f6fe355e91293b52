"""The demo's budgets, of the size of what its company spends: one holds, one will not, and one is
for each user, with somebody over it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from finops import budgets, costs
from finops.budgets import increases, wanted
from finops.budgets.increases import Doing
from finops.models import Budget
from finops.periods import local_day
from finops.query import CostQuery

TEAM = "support"
SHORT = timedelta(days=10)
CENT = Decimal("0.01")
# Of the cost of 30 days: the company's month, the team's, how much more it wants, a user's day.
WHOLE, OF_TEAM, MORE, OF_USER = Decimal("1.2"), Decimal("0.85"), Decimal("0.3"), Decimal("0.0005")


def make(by: User, now: datetime, zone: ZoneInfo) -> int:
    """How many were made: none where there are budgets already, or nothing was spent."""
    spent = last_month(now, zone)
    total, of_team = sum(spent.values(), Decimal(0)), spent.get(TEAM, Decimal(0))
    if Budget.objects.exists() or not of_team:
        return 0
    made = [budgets.make(budgets.read(each), by=by, at=now) for each in terms(by, total, of_team)]
    until = local_day(now + SHORT, zone).isoformat()
    asked = {
        "amount": str(rounded(of_team * MORE)),
        "until": until,
        "reason": "Demo: the new help center opens, and customers write twice as much.",
    }
    act = Doing(by, now)
    increases.ask(made[1], wanted.read(asked, made[1], now, zone), act)
    return len(made)


def terms(by: User, total: Decimal, of_team: Decimal) -> list[Mapping[str, Any]]:
    at = [{"basis": "actual", "value": 50, "severity": "info"}]
    at += [{"basis": "actual", "value": 80}, {"basis": "actual", "value": 100}]
    ahead = [{"basis": "forecast", "value": 100}]
    fast = [{"basis": "burn_rate", "value": 300, "window_hours": 24, "severity": "critical"}]
    return [
        {
            **{"name": "The whole company", "period": "monthly", "owner": by.get_username()},
            **{"amount": str(rounded(total * WHOLE)), "thresholds": [*at, *ahead, *fast]},
        },
        {
            **{"name": "Support", "period": "monthly", "filters": {"team": [TEAM]}},
            **{"amount": str(rounded(of_team * OF_TEAM)), "thresholds": [*at, *ahead]},
        },
        {
            **{"name": "Any user, a day", "period": "daily", "for_each": "user"},
            "amount": str(rounded(total * OF_USER)),
        },
    ]


def last_month(now: datetime, zone: ZoneInfo) -> dict[str, Decimal]:
    """Team → what it spent in 30 days."""
    asked = CostQuery.from_params(
        {"period": ["30d"], "granularity": ["total"], "group_by": ["team"]}, now=now, zone=zone
    )
    rows = costs.run(asked).rows
    return {row.keys[0]: Decimal(row.values["effective_cost"] or 0) for row in rows}


def rounded(amount: Decimal) -> Decimal:
    """As people set budgets: to two digits."""
    return max(Decimal(f"{amount:.2g}").quantize(CENT), CENT)
