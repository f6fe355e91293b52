from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from finops import startup
from finops.supervisor import CannotStart


class Command(BaseCommand):
    help = "Runs every process of Farthing in the foreground; Ctrl-C stops them all."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load demonstration data")

    def handle(self, *, demo: bool, **options: Any) -> None:
        try:
            startup.up(demo=demo)
        except CannotStart as error:
            raise CommandError(str(error)) from None
