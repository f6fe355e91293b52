"""Runs a CostQuery: the one place where usage becomes the figures that people see."""

from __future__ import annotations

from finops.costs.changes import Look, look, naming
from finops.costs.comparisons import Pair, is_covered, pairs
from finops.costs.covered_hours import CoveredHour, LineUse
from finops.costs.named_values import named_users, named_values
from finops.costs.results import (
    OTHER,
    UNATTRIBUTED,
    CostResult,
    CostRow,
    Coverage,
    Freshness,
    Value,
)
from finops.costs.runs import Answers, run, run_all
from finops.costs.snapshots import QueryTooSlow, read_freshness, snapshot
from finops.costs.together import HourOfUse, Together, together
from finops.costs.user_days import (
    UserDay,
    UserPart,
    leading_users,
    read_user_costs,
    read_user_days,
    read_user_parts,
    usage_of_nobody,
    user_names,
    user_number,
)
from finops.costs.user_excess import Excess, excesses, largest_step
from finops.costs.user_ranking import Hundredth, RankedUser, Ranking, rank_users

__all__ = [
    "OTHER",
    "UNATTRIBUTED",
    "Answers",
    "CostResult",
    "CostRow",
    "Coverage",
    "CoveredHour",
    "Excess",
    "Freshness",
    "HourOfUse",
    "Hundredth",
    "LineUse",
    "Look",
    "Pair",
    "QueryTooSlow",
    "RankedUser",
    "Ranking",
    "Together",
    "UserDay",
    "UserPart",
    "Value",
    "excesses",
    "is_covered",
    "largest_step",
    "leading_users",
    "look",
    "named_users",
    "named_values",
    "naming",
    "pairs",
    "rank_users",
    "read_freshness",
    "read_user_costs",
    "read_user_days",
    "read_user_parts",
    "run",
    "run_all",
    "snapshot",
    "together",
    "usage_of_nobody",
    "user_names",
    "user_number",
]
