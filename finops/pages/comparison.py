"""What the figures of a page are compared with, and whether anything was recorded then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from finops import costs, formats
from finops.costs import CostResult
from finops.pages.filters import period_text
from finops.periods import local_day, whole_day


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name` is the period before, "" where none is asked for. Where its usage was not recorded,
    or only the last of it, `gap` says so, and a change would mean nothing."""

    name: str = ""
    gap: str = ""

    @property
    def is_fair(self) -> bool:
        return bool(self.name) and not self.gap


NOTHING = Comparison()


def comparison(result: CostResult, now: datetime) -> Comparison:
    if result.previous is None:
        return NOTHING
    before, since = result.previous.query, result.freshness.recorded_since
    name = period_text(before, now)
    if costs.is_covered(before.period, since):
        return Comparison(name)
    if since is None or since >= before.period.end:
        return Comparison(name, "no earlier data")
    today = local_day(now, before.zone)
    is_of_days = whole_day(before.period.start, before.zone) and whole_day(
        before.period.end, before.zone
    )
    first = (
        formats.day(local_day(since, before.zone), today)
        if is_of_days
        else formats.moment(since, before.zone, today)
    )
    return Comparison(name, f"recorded since {first} only")
