"""Episodes in plain words, with their numbers."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np

from finops.detection.baselines import LEVEL, Baseline
from finops.detection.episodes import Found
from finops.detection.rolling import Floats
from finops.detection.scales import DAY, HOUR, MINUTE, Scale
from finops.detection.series import DRIFT

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
# From here on a ratio says more than a share does.
TIMES = 2.0


def reason(found: Found, values: Floats, base: Baseline, scale: Scale, start: datetime) -> str:
    """Why this is an anomaly: how much against how much, of what, and how seldom that is."""
    first, last = found.worst
    window = slice(first, last + 1)
    known = ~np.isnan(values[window]) & ~np.isnan(base.expected[window])
    actual = float(values[window][known].mean()) if known.any() else 0.0
    expected = float(base.expected[window][known].mean()) if known.any() else 0.0
    usual = _usual(base, found.found, scale, start)
    figures = f"{_number(actual)} against {_number(expected)}"
    if last > first:
        figures += f" on average over {span(last - first + 1, scale.step)}"
    lead = f"{_compared(actual, expected)} {usual}"
    if found.kind == DRIFT:
        moved = "risen" if found.direction > 0 else "fallen"
        lead = f"Has {moved} step by step to {_compared(actual, expected).lower()} {usual}"
    told = f"{lead} ({figures}); {_seldom(found.surprise)}"
    if len(found.parts) == 1:
        return told
    within = span(found.last - found.first + 1, scale.step)
    return f"{told}; the worst of {len(found.parts)} times within {within}"


def _compared(actual: float, expected: float) -> str:
    if expected <= 0 or actual < 0:
        return "More than" if actual > expected else "Less than"
    ratio = actual / expected
    if ratio >= TIMES:
        return f"{_number(ratio)} times"
    if actual == 0:
        return "Nothing, instead of"
    return f"{abs(ratio - 1) * 100:.0f} % {'above' if ratio > 1 else 'below'}"


def _usual(base: Baseline, at: int, scale: Scale, start: datetime) -> str:
    """What the expectation is made of: "what Tuesdays at this hour come to"."""
    name = base.names[int(base.source[at])]
    if name == LEVEL:
        return f"what the last {span(scale.level, scale.step)} came to"
    season = int(name) * scale.step
    if season == DAY:
        return "what this time of day comes to"
    if season == 7 * DAY and scale.step < DAY:
        return "what this time of the week comes to"
    if season == 7 * DAY:
        # A day begins on another date in UTC than where it is lived; its middle seldom does.
        return f"what {WEEKDAYS[(start + at * scale.step + DAY / 2).weekday()]} come to"
    return f"what this point of every {span(int(name), scale.step)} comes to"


def _seldom(surprise: float) -> str:
    days = 10**surprise
    if days < 2:
        return "its own past has that about every day"
    if days < 365:
        return f"chance brings that about once in {days:.0f} days"
    if days < 365.25 * 20:
        return f"chance brings that about once in {_number(days / 365.25)} years"
    return "chance does not bring that about in decades"


def span(steps: int, step: timedelta) -> str:
    length = steps * step
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if length >= 2 * unit or (length >= unit and not length % unit):
            count = length / unit
            return f"{_number(count)} {name}{'' if count == 1 else 's'}"
    return f"{_number(length / timedelta(seconds=1))} seconds"


def _number(value: float) -> str:
    """Three digits that say something, without an exponent where it can be read without."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = abs(value)
    if size >= 1e15 or size < 1e-6:
        return f"{value:.2e}"
    if size >= 100:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(size))
    text = f"{value:.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
