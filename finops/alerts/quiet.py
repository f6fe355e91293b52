"""Quiet hours and the time between attempts: pure rules of when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_WAIT, LONGEST_WAIT = 4.0, 120.0
GIVE_UP_AFTER = timedelta(days=3)
# After an hour of failures nobody is helped by attempts every other minute.
SLOW_AFTER, SLOW_WAIT = 30, 600.0


def quiet_end(
    start: time | None, end: time | None, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """When the quiet hours end that `now` lies in; None outside of them, or without any.

    They may reach over midnight. A time that a night of daylight saving skips is taken for the
    moment at which the clock jumps.
    """
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    day = local.date()
    if start < end:
        if not start <= clock < end:
            return None
    elif clock >= start:
        day += timedelta(days=1)
    elif clock >= end:
        return None
    found = datetime.combine(day, end, tzinfo=zone)
    # In the night that has an hour twice it may be the second of the two.
    return max(
        found.astimezone(UTC), found.replace(fold=1).astimezone(UTC), key=lambda at: at > now
    )


def wait_after(failures: int, wanted: float | None, chance: float) -> float:
    """Seconds until the next attempt after so many failures in a row.

    Doubles up to two minutes, less up to half of it by `chance` (0 to 1), so that not all come back
    at once; never sooner than the other side has asked for.
    """
    if failures > SLOW_AFTER:
        longest = SLOW_WAIT
    else:
        longest = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT)
    return max(longest * (1 - chance / 2), wanted or 0.0)
