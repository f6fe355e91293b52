"""manage.py create_ingest_key SERVICE: a new key, printed once and never again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from finops import ingest_keys

ARGUMENTS = {
    "service": "SERVICE",
    "name": "--name",
    "team": "--team",
    "environment": "--environment",
}


class Command(BaseCommand):
    help = "Creates an ingest key for a service and prints only the key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("service")
        parser.add_argument("--team", default="", help="owner of its events unless they name one")
        parser.add_argument("--environment", default="", help="likewise, production for instance")
        parser.add_argument("--name", default="", help="what people call the key")

    def handle(
        self, *, service: str, team: str, environment: str, name: str, **options: Any
    ) -> None:
        terms = ingest_keys.Terms(service, name, team, environment)
        try:
            made = ingest_keys.make(terms, by="manage.py create_ingest_key", now=timezone.now())
        except ingest_keys.Refused as error:
            raise CommandError(f"{ARGUMENTS[error.field]}: {error.message}") from None
        self.stdout.write(made.text)
