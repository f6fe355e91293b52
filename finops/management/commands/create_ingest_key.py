"""manage.py create_ingest_key SERVICE: a new key, printed once and never again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from finops import audit
from finops.models import IngestKey
from ingest import keys

LONGEST = 200


class Command(BaseCommand):
    help = "Creates an ingest key for a service and prints only the key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("service")
        parser.add_argument("--team", default="", help="owner of its events unless they name one")
        parser.add_argument("--environment", default="", help="likewise, production for instance")

    def handle(self, *, service: str, team: str, environment: str, **options: Any) -> None:
        if not service.strip():
            raise CommandError("SERVICE: write the name of the service that will use the key.")
        for name, value in (("SERVICE", service), ("--team", team), ("--environment", environment)):
            if len(value.strip()) > LONGEST or "\x00" in value:
                raise CommandError(f"{name}: write at most {LONGEST} characters.")
        key = keys.generate()
        with transaction.atomic():
            made = IngestKey.objects.create(
                prefix=key.prefix,
                digest=key.digest,
                service=service.strip(),
                team=team.strip(),
                environment=environment.strip(),
            )
            audit.record(
                "key.create",
                str(made),
                at=timezone.now(),
                by="manage.py create_ingest_key",
                team=made.team,
                after={"service": made.service, "environment": made.environment},
            )
        self.stdout.write(key.text)
