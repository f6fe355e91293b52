"""Who bears what of a month's cost.

A request's own cost is its cost center's: *direct cost*. What is paid beside requests (seats,
platforms, overhead, capacity that was committed to and not used, credits, taxes) is a *charge* of
the month, shared out in a stated order by a stated method. Every share is in whole cents by largest
remainder, so that all columns add up to what was paid, to the last digit.
"""

from __future__ import annotations

from finops.allocation.charges import Charge, Percent, problem_of
from finops.allocation.computing import allocate
from finops.allocation.lines import (
    Adjustment,
    Allocation,
    Line,
    LineKey,
    Share,
    Usage,
    add_up,
)
from finops.allocation.splitting import split

__all__ = [
    "Adjustment",
    "Allocation",
    "Charge",
    "Line",
    "LineKey",
    "Percent",
    "Share",
    "Usage",
    "add_up",
    "allocate",
    "problem_of",
    "split",
]
