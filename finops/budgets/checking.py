"""Checks one budget while somebody waits, so that a change shows at once what it comes to."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import DatabaseError

from finops.budgets.evaluation import evaluate
from finops.budgets.figures import Memory
from finops.costs import QueryTooSlow
from finops.rollups import ZoneChanged

log = logging.getLogger(__name__)

# What takes longer to read is left to the worker, which has the patience.
SECONDS = 2.0
FIRST = "It is checked for the first time within 20 seconds."


def check(number: int, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the budget was checked just now; if not, the worker does it within 20 seconds."""
    memory = Memory(until=time.monotonic() + SECONDS)
    try:
        report = evaluate(now, zone, memory=memory, only=[number])
    except (DatabaseError, QueryTooSlow, ZoneChanged) as error:
        log.warning("budget %s is left to the worker to check: %s", number, error)
        return False
    return number in report.numbers
