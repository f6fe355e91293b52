"""When to send again what was not taken."""

from __future__ import annotations

import random
from datetime import datetime
from email.utils import parsedate_to_datetime

RETRIED = frozenset({429, 500, 502, 503, 504})
LONGEST_PAUSE_SECONDS = 30.0


def pause(asked: str, attempt: int, now: datetime, longest: float = LONGEST_PAUSE_SECONDS) -> float:
    """Seconds to wait: what a Retry-After asks for, at most `longest`, else doubling from 0.25 s
    to LONGEST_PAUSE_SECONDS, with jitter."""
    seconds = retry_after(asked, now)
    if seconds is not None:
        return min(seconds, longest)
    return min(0.25 * 2.0 ** min(attempt, 10), LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds until what a Retry-After header names, a number or a date; None for neither."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
