"""manage.py prepare: database and browser files as this release needs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from finops import reporting_currency, static_files


class Command(BaseCommand):
    help = "Brings tables, prices and browser files up to date; a second run changes nothing."

    def handle(self, **options: object) -> None:
        # One process for all: starting one takes longer than the work.
        with ThreadPoolExecutor(1) as beside:
            collected = beside.submit(static_files.collect, settings.COLLECTED_STATIC)
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
            try:
                reporting_currency.refuse_other(connection)
            except reporting_currency.CurrencyChanged as problem:
                raise CommandError(str(problem)) from None
            call_command("sync_prices", stdout=self.stdout)
            collected.result()
