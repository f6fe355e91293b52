"""Runs a CostQuery: the one place where usage becomes the figures that people see."""

from __future__ import annotations

from finops.costs.changes import Look, look
from finops.costs.comparisons import Pair, is_covered, pairs
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

__all__ = [
    "OTHER",
    "UNATTRIBUTED",
    "Answers",
    "CostResult",
    "CostRow",
    "Coverage",
    "Freshness",
    "Look",
    "Pair",
    "QueryTooSlow",
    "Value",
    "is_covered",
    "look",
    "named_users",
    "named_values",
    "pairs",
    "read_freshness",
    "run",
    "run_all",
    "snapshot",
]
