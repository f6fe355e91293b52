"""Operations for tests, done by the product's own steps to their end."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from finops import operations
from finops.models import Operation
from finops.rating_changes import Rerating

PATIENCE_SECONDS = 30.0


def work(zone: ZoneInfo = settings.REPORTING_ZONE) -> list[Operation]:
    """Do all that waits."""
    return operations.proceed(datetime.now(UTC), zone, lambda: True)


def steps(count: int, zone: ZoneInfo = settings.REPORTING_ZONE) -> list[Operation]:
    """Do as many steps and no more."""
    left = iter([True] * count)
    return operations.proceed(datetime.now(UTC), zone, lambda: next(left, False))


def rerate(start: datetime, end: datetime, zone: ZoneInfo, **options: Any) -> Rerating:
    """Rate [start, end) again, as `manage.py rerate --apply` does."""
    now = datetime.now(UTC)
    asked = operations.ask_rerate(start, end, zone, now=now, by="ada", **options)
    return Rerating.of(finished(asked, zone).result)


def finished(operation: Operation, zone: ZoneInfo = settings.REPORTING_ZONE) -> Operation:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not operation.finished_at:
        assert time.monotonic() < deadline, f"{operation} has not ended"
        work(zone)
        operation.refresh_from_db()
    return operation


def rebuild(start: datetime, end: datetime, zone: ZoneInfo, **options: Any) -> Operation:
    """Asked for, and not done yet."""
    return operations.ask_rebuild(start, end, zone, now=datetime.now(UTC), by="ada", **options)
