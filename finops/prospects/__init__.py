"""Where costs are heading: the forecast of any query, in all and by the groups of one dimension.

The days that are known are read from the same rollups as every figure. What is known of the days to
come, planned events and prices, is taken in and named.
"""

from __future__ import annotations

from finops.prospects.reading import COSTS, GROUPS, Group, Prospect, prospect

__all__ = ["COSTS", "GROUPS", "Group", "Prospect", "prospect"]
