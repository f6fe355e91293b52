"""Whether the past is known by now: usage of it may still be coming in, as when months are loaded.

What is judged meanwhile would be gaps that nobody made, and what came after it would not be judged
any more. So a scale waits until its past was found as it had been the time before, and is judged
again when that has grown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from finops import costs
from finops.anomalies.gathering import question
from finops.anomalies.scales import HOUR
from finops.costs import QueryTooSlow
from finops.periods import Period, start_of_hour

# As far back as any scale looks.
LONGEST = timedelta(days=120)
# Stragglers are fewer.
CHANGED = 0.01


@dataclass(slots=True)
class Counts:
    """Requests before a moment as they are in one turn: scales that ask the same share it. None
    where they took too long to count."""

    zone: ZoneInfo
    held: dict[datetime, int | None] = field(default_factory=dict)

    def before(self, upto: datetime) -> int | None:
        if upto not in self.held:
            query = question(HOUR, Period(upto - LONGEST, upto), self.zone, has_latency=False)
            query = query.replace(granularity="total", metrics=("requests",))
            try:
                self.held[upto] = int(costs.run(query).totals["requests"] or 0)
            except QueryTooSlow:
                self.held[upto] = None
        return self.held[upto]


@dataclass(slots=True)
class Past:
    """How many requests there were before a moment when they were last counted."""

    upto: datetime
    requests: int | None
    is_judged: bool = True  # as it is

    def has_grown(self, counts: Counts) -> bool:
        """Whether it has since, by more than stragglers; then it is counted anew, not judged."""
        requests = counts.before(self.upto)
        if requests is None or self.requests is None:
            # What nobody can count is judged as it is, rather than never.
            self.requests = self.requests if requests is None else requests
            return False
        if abs(requests - self.requests) <= CHANGED * max(requests, self.requests):
            return False
        self.requests, self.is_judged = requests, False
        return True


def past(end: datetime, counts: Counts) -> Past:
    """As it is now, up to the hour that holds the moment: whole hours are counted from rollups."""
    upto = start_of_hour(end, counts.zone)
    return Past(upto, counts.before(upto))
