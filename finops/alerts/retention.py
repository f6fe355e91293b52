"""How long the log of alerts is kept: a month longer than a year, so that years can be compared."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from finops.models import Snooze
from finops.sql import statement

KEPT = timedelta(days=396)
PORTION = 1_000
# A night's work; what is left is removed in the next ones.
PORTIONS = 100


def forget_old(now: datetime) -> int:
    """Remove alerts older than that with their deliveries and attempts, and snoozes that are over;
    how many alerts. Each portion commits by itself."""
    removed = 0
    given: dict[str, datetime | int] = {"before": now - KEPT, "limit": PORTION}
    for _ in range(PORTIONS):
        with connection.cursor() as cursor:
            cursor.execute(statement("remove_alerts"), given)
            removed += cursor.rowcount
            if cursor.rowcount < PORTION:
                break
    Snooze.objects.filter(until__lt=now - KEPT).delete()
    return removed
