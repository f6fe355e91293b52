"""manage.py apply_retention: drop the single events that are past their retention, now."""

from __future__ import annotations

import getpass
from datetime import UTC
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from finops import operations
from finops.conninfo import conninfo
from finops.management.following import follow
from finops.organisation import retention
from ingest import partitions


class Command(BaseCommand):
    help = (
        "Drop the single events that are past their retention, a day at a time beside live "
        "traffic, as the worker does every night. Figures stay."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now, kept_days = timezone.now(), retention.in_force(settings.EVENT_RETENTION_DAYS)
        expired = partitions.maintain(conninfo(), now.astimezone(UTC).date(), kept_days)
        operation = operations.ask_retention(
            expired, kept_days, now=now, by=getpass.getuser(), may_resume=True
        )
        if operation is None:
            self.stdout.write(f"No single events are older than {kept_days:,} days.")
            return
        done = follow(operation, self.stderr)
        self.stdout.write(f"Events of {done.done:,} days dropped; their figures stay.")
