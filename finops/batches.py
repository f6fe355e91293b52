"""Batches that were folded long ago and whose events are gone: removed, a portion at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from finops.sql import statement

# Retries may ask what a batch brought, and pages tell what came in lately.
KEPT = timedelta(days=90)
PORTION = 10_000
# A night's work; what is left is removed in the next ones.
PORTIONS = 200


def remove_old(now: datetime) -> int:
    """Remove batches that nothing asks for any more; how many. Each portion commits by itself."""
    removed = 0
    for _ in range(PORTIONS):
        with connection.cursor() as cursor:
            cursor.execute(statement("remove_batches"), {"before": now - KEPT, "limit": PORTION})
            removed += cursor.rowcount
            if cursor.rowcount < PORTION:
                break
    return removed
