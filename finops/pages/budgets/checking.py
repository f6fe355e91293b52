"""Checks a budget at once, so that the page after a change shows what it now comes to."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from finops import budgets
from finops.rollups import ZoneChanged

log = logging.getLogger(__name__)


def checked(number: int) -> bool:
    """Whether the budget was checked just now; if not, the worker does it within 20 seconds."""
    try:
        report = budgets.evaluate(timezone.now(), settings.REPORTING_ZONE, only=[number])
    except (DatabaseError, ZoneChanged) as error:
        log.warning("budget %s is left to the worker to check: %s", number, error)
        return False
    return number in report.numbers
