"""manage.py prepare: the database as this release needs it."""

from __future__ import annotations

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Brings tables and public prices up to date; running it again changes nothing."

    def handle(self, **options: object) -> None:
        # One process for both: starting one takes longer than the work.
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        call_command("sync_prices", stdout=self.stdout)
