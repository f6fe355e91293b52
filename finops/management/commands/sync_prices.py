"""manage.py sync_prices: bring the installed price catalogue into the ledger."""

from __future__ import annotations

from django.core.management.base import BaseCommand
from django.utils import timezone

from finops import ledger


class Command(BaseCommand):
    help = "Bring the installed price catalogue into the ledger; running it again changes nothing."

    def handle(self, **options: object) -> None:
        sync = ledger.sync_catalog(timezone.now())
        self.stdout.write(
            f"Price catalogue: {sync.added} lines added, {sync.superseded} superseded, "
            f"{sync.unchanged} unchanged, {sync.held} held for review."
        )
