"""Why a figure changed: which combinations of dimensions explain a difference.

Everything here but `explanations`, which reads the rollups, is pure.
"""

from __future__ import annotations

from finops.root_cause.findings import Cause, Elements, Localization
from finops.root_cause.leaves import ADDITIVE, RATIO, Leaves
from finops.root_cause.localization import Search, examine, localize
from finops.root_cause.wording import Words

__all__ = [
    "ADDITIVE",
    "RATIO",
    "Cause",
    "Elements",
    "Leaves",
    "Localization",
    "Search",
    "Words",
    "examine",
    "localize",
]
