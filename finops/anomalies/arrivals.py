"""Whether the past is known by now: usage of it may still be coming in, as when months are loaded.

What is judged meanwhile would be gaps that nobody made, and what came after it would not be judged
any more. So a scale waits until its past was found as it had been the time before, and is judged
again when that has grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from finops import costs
from finops.periods import Period, start_of_hour
from finops.query import CostQuery

# As far back as any scale looks.
LONGEST = timedelta(days=120)
# Stragglers are fewer.
CHANGED = 0.01


@dataclass(slots=True)
class Past:
    """How many requests there were before a moment when they were last counted."""

    upto: datetime
    requests: int
    is_judged: bool = True  # as it is

    def has_grown(self, zone: ZoneInfo) -> bool:
        """Whether it has since, by more than stragglers; then it is counted anew, not judged."""
        requests = requests_before(self.upto, zone)
        if abs(requests - self.requests) <= CHANGED * max(requests, self.requests):
            return False
        self.requests, self.is_judged = requests, False
        return True


def past(end: datetime, zone: ZoneInfo) -> Past:
    """As it is now, up to the hour that holds the moment: whole hours are counted from rollups."""
    upto = start_of_hour(end, zone)
    return Past(upto, requests_before(upto, zone))


def requests_before(upto: datetime, zone: ZoneInfo) -> int:
    query = CostQuery(
        period=Period(upto - LONGEST, upto),
        granularity="total",
        group_by=(),
        filters=(),
        metrics=("requests",),
        limit=None,
        compare=False,
        zone=zone,
    )
    return int(costs.run(query).totals["requests"] or 0)
