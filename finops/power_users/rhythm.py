"""What the single requests of a day tell of a user: a program that calls round the clock, or one
that has run away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from finops import formats
from finops.power_users.labels import BOT, LOOP, Label
from finops.requests import Pulse

# Fewer requests in a day have no rhythm to speak of.
FEWEST_REQUESTS = 50
# Bot-like: two of these three. Of calls at random the middle half of gaps is 1.6 medians wide.
ROUND_THE_CLOCK_HOURS = 20
REGULAR = 0.5
SAME_TOKENS = 0.5
SIGNS = 2
# A runaway loop: more than a request a minute, nearly all the same, on a day of many times the
# usual one.
HOUR, MINUTES = 3600.0, 60
LOOP_SHARE = 0.8
SUDDEN = 5


@dataclass(frozen=True, slots=True)
class Loop:
    """Hours in which nearly all requests are the same. `most` is the number in the busiest one."""

    hours: int
    most: int
    share: float
    is_prompt: bool


def bot_like(pulse: Pulse) -> Label | None:
    if len(pulse) < FEWEST_REQUESTS:
        return None
    hours = len(np.unique(pulse.seconds // HOUR))
    spread = spread_of_gaps(pulse.seconds)
    tokens = largest_share(pulse.input_tokens)
    signs = []
    if hours >= ROUND_THE_CLOCK_HOURS:
        signs.append(f"requests in {hours} hours of the day")
    if spread is not None and spread[1] <= REGULAR:
        give = percent(spread[1] / 2)
        signs.append(f"one every {formats.span_of(spread[0])}, give or take {give}")
    if tokens >= SAME_TOKENS:
        signs.append(f"{percent(tokens)} with the same number of input tokens")
    if len(signs) < SIGNS:
        return None
    return Label(BOT, f"{formats.count_long(len(pulse))} requests in a day: {', '.join(signs)}")


def percent(share: float) -> str:
    return f"{share * 100:.0f}{formats.SPACE}%"


def spread_of_gaps(seconds: NDArray[np.float64]) -> tuple[float, float] | None:
    """The median time between requests, and the middle half of all by it; None where most come at
    the same moment."""
    gaps = np.diff(seconds)
    low, middle, high = np.quantile(gaps, (0.25, 0.5, 0.75))
    return (float(middle), float((high - low) / middle)) if middle > 0 else None


def largest_share(values: NDArray[np.int64]) -> float:
    return float(np.unique(values, return_counts=True)[1].max() / len(values))


def runaway_loop(pulse: Pulse, day: date, usual: float, today: date) -> Label | None:
    """`usual` is the user's requests on a day before; 0 where there was none."""
    if len(pulse) < max(MINUTES, SUDDEN * usual):
        return None
    loop = loop_of(pulse)
    if loop is None:
        return None
    hours = "an hour" if loop.hours == 1 else f"{loop.hours} hours"
    same = "with the same prompt" if loop.is_prompt else "with the same number of input tokens"
    before = f"{formats.count_short(usual)} requests a day" if usual else "no usage before"
    return Label(
        LOOP,
        f"up to {formats.count_long(loop.most)} requests an hour for {hours} on "
        f"{formats.day(day, today)}, {percent(loop.share)} {same}; usual: {before}",
    )


def loop_of(pulse: Pulse) -> Loop | None:
    """The hours of more than a request a minute that are nearly all the same."""
    is_prompt = bool(np.count_nonzero(pulse.prompts) * 2 > len(pulse))
    values = pulse.prompts if is_prompt else pulse.input_tokens
    starts = hour_starts(pulse.seconds)
    found = []
    for first, end in starts:
        if end - first >= MINUTES and (share := largest_share(values[first:end])) >= LOOP_SHARE:
            found.append((end - first, share))
    if not found:
        return None
    most = max(count for count, _ in found)
    whole = sum(count * share for count, share in found) / sum(count for count, _ in found)
    return Loop(len(found), most, whole, is_prompt)


def hour_starts(seconds: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Runs of requests within an hour of their first, one after another: from where to where. So a
    loop is found whole that begins within a clock's hour."""
    runs, first = [], 0
    while first < len(seconds):
        end = int(np.searchsorted(seconds, seconds[first] + HOUR))
        runs.append((first, end))
        first = end
    return runs
