"""What is paid beside requests: kept, in an order, and shared out month by month."""

from __future__ import annotations

from finops.cost_items.charging import Placed
from finops.cost_items.drafts import Draft, draft_of, fields_of, read
from finops.cost_items.keeping import Outdated, change, codes, end, every, make, move
from finops.cost_items.months import CapacityUse, ChargeSum, MonthAllocation, kept, of_month

__all__ = [
    "CapacityUse",
    "ChargeSum",
    "Draft",
    "MonthAllocation",
    "Outdated",
    "Placed",
    "change",
    "codes",
    "draft_of",
    "end",
    "every",
    "fields_of",
    "kept",
    "make",
    "move",
    "of_month",
    "read",
]
