"""Minutes, hours and days: how far back each looks, and what it says something new about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from finops.periods import Period, iterate_buckets, local_day, start_of_day, start_of_hour


@dataclass(frozen=True, slots=True)
class Scale:
    """A step is judged `grace` after its end, when what comes late has come. `judged` is how far
    back episodes are looked for; what is older is history alone. `told` is how long after its end
    an episode that nobody has heard of is still news."""

    name: str
    step: timedelta
    history: timedelta
    judged: timedelta
    grace: timedelta
    told: timedelta

    def end(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The end of the last step that is complete at the instant."""
        known = (instant - self.grace).astimezone(UTC)
        if self.name == "minute":
            return known.replace(second=0, microsecond=0)
        if self.name == "hour":
            return start_of_hour(known, zone)
        return start_of_day(local_day(known, zone), zone)

    def starts(self, start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
        """The first instants of the steps of [start, end)."""
        if self.name == "minute":
            count = int((end - start) / self.step)
            return [start + self.step * number for number in range(count)]
        return list(iterate_buckets(Period(start, end), self.name, zone))


MINUTE = Scale(
    "minute",
    timedelta(minutes=1),
    history=timedelta(hours=47),
    judged=timedelta(hours=3),
    grace=timedelta(seconds=90),
    told=timedelta(hours=2),
)
HOUR = Scale(
    "hour",
    timedelta(hours=1),
    history=timedelta(days=28),
    judged=timedelta(days=3),
    grace=timedelta(minutes=5),
    told=timedelta(hours=6),
)
DAY = Scale(
    "day",
    timedelta(days=1),
    history=timedelta(days=120),
    judged=timedelta(days=35),
    grace=timedelta(minutes=15),
    told=timedelta(days=2),
)
SCALES: Mapping[str, Scale] = {each.name: each for each in (MINUTE, HOUR, DAY)}
