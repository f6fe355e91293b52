"""Retention as an operation: the events of one UTC day, which are one partition, a step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
from django.db import transaction

from finops.conninfo import conninfo
from finops.locks import Lock, alone
from finops.models import Operation
from finops.operations.counts import requests_of
from finops.operations.steps import Busy, note
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
        expired = partitions.expired(connection, today, operation.terms["days"])
        total = max(operation.total, operation.done + len(expired))
        Operation.objects.filter(pk=operation.pk).update(total=total)
        if not expired:
            return False
        if not partitions.drop(connection, expired[0]):
            raise Busy
    after = datetime.combine(expired[0] + timedelta(days=1), datetime.min.time(), UTC)
    with transaction.atomic():
        note(operation, after, events=requests_of(expired[0]))
    return True
