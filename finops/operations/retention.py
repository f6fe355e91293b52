"""Retention as an operation: the events of one UTC day, which are one partition, a step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
from django.conf import settings
from django.db import transaction

from finops.conninfo import conninfo
from finops.locks import Lock, alone
from finops.models import Operation
from finops.operations.counts import events_of
from finops.operations.steps import Busy, note
from finops.organisation.retention import in_force
from ingest import partitions


def begin(operation: Operation, zone: ZoneInfo) -> None:
    """How many days there are is known when the first of them is dropped."""


def step(operation: Operation, now: datetime, zone: ZoneInfo) -> bool:
    with (
        alone(Lock.RERATING) as is_free,
        psycopg.connect(conninfo(), autocommit=True) as connection,
    ):
        if not is_free:
            raise Busy
        today = now.astimezone(UTC).date()
        # Whoever has raised it since wants to keep what is still there.
        kept_days = max(operation.terms["days"], in_force(settings.EVENT_RETENTION_DAYS))
        expired = partitions.expired(connection, today, kept_days)
        total = operation.done + len(expired)
        Operation.objects.filter(pk=operation.pk).update(total=total)
        if not expired:
            return False
        events = events_of(expired[0])
        if not partitions.drop(connection, expired[0]):
            raise Busy(f"Somebody reads the events of {expired[0]}; they are dropped afterwards.")
    after = datetime.combine(expired[0] + timedelta(days=1), datetime.min.time(), UTC)
    with transaction.atomic():
        note(operation, after, events=events)
    return True
