"""Days of the year that differ from their neighbours each year: Christmas, New Year, Easter.

What a feast was like last year, beside the same days of the week around it, is what it is expected
to be like again. Nothing is said of a feast that the history does not have.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import cache

import numpy as np

from finops.forecasts.models import WEEK, Array

FIXED = {(12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (1, 2)}
# Days from Easter Sunday: Good Friday to Easter Monday.
MOVING = (-2, -1, 0, 1)
# Less than that is no feast; of the rest so much is expected again.
LEAST = 0.25
AGAIN = 0.8
MOST = 3.0
AROUND_WEEKS = 4


def effects(days: Array, first: date, ahead: int) -> Array:
    """For each of the days after `days`, of which the first is `first`: the part that comes of what
    would be expected of it."""
    found = np.ones(ahead)
    known = past(days, first)
    for place in range(ahead):
        name = feast(first + timedelta(days=len(days) + place))
        if name in known:
            ratio = float(np.mean(known[name]))
            found[place] = 1 + AGAIN * (ratio - 1) if abs(ratio - 1) >= LEAST else 1.0
    return found


def past(days: Array, first: date) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for place in range(len(days)):
        if name := feast(first + timedelta(days=place)):
            steps = [WEEK * n for n in range(-AROUND_WEEKS, AROUND_WEEKS + 1) if n]
            around = [days[place + n] for n in steps if 0 <= place + n < len(days)]
            usual = np.median(around) if around else 0.0
            if usual > 0:
                found[name].append(min(float(days[place] / usual), MOST))
    return found


def feast(day: date) -> str:
    """Its name, "" of a day that is none."""
    if (day.month, day.day) in FIXED:
        return f"{day.month}-{day.day}"
    apart = (day - easter(day.year)).days
    return f"easter{apart:+d}" if apart in MOVING else ""


@cache
def easter(year: int) -> date:
    """Of the Gregorian calendar, as Meeus and Jones reckon it."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leaps, years = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - correction + 15) % 30
    quarter, left = divmod(rest, 4)
    weekday = (32 + 2 * years + 2 * quarter - moon - left) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
