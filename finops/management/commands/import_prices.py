"""manage.py import_prices: a price file as the second source, beside the catalogue."""

from __future__ import annotations

import getpass
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from finops import price_sources
from finops.pricing import reference


class Command(BaseCommand):
    help = (
        "Import a price file in LiteLLM's format as the second source. Its prices are compared "
        "with the catalogue's on the page Prices, Sources; none is applied."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="such as model_prices_and_context_window.json")

    def handle(self, *, file: Path, **options: object) -> None:
        try:
            with file.open("rb") as stream:
                content = stream.read(reference.MAX_BYTES + 1)
            found = price_sources.import_reference(
                content, file.name, by=getpass.getuser(), now=timezone.now()
            )
        except (OSError, reference.InvalidFile) as problem:
            raise CommandError(str(problem)) from None
        for each in found.problems:
            self.stderr.write(f"left out: {each.name} {each.field} {each.message}")
        self.stdout.write(
            f"{found.entries} entries with prices: {len(found.models)} models are compared, "
            f"{found.unknown} entries are of models that the catalogue does not list."
        )
