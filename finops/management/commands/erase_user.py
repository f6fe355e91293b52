"""manage.py erase_user NAME: one user's history erased, with a certificate."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from finops import erasures
from finops.models import Erasure

PATIENCE_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Erases one user's history: the name goes from every table, requests and costs stay under "
        "a random name. Asks for the name to be typed again, waits until it is done and prints "
        "the certificate as JSON."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user's name, exactly as services send it")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--keep-mentions",
            action="store_true",
            help="leave the name where other records mention it as a word; the certificate lists "
            "them. For names that are everyday words, such as search or 1",
        )

    def handle(self, *args: Any, name: str, yes: bool, keep_mentions: bool, **_: Any) -> None:
        try:
            found = erasures.find(name)
            if not yes:
                self._ask(name, found)
            erasure = erasures.begin(
                name, "manage.py erase_user", timezone.now(), is_everywhere=not keep_mentions
            )
        except erasures.UnknownUser:
            raise CommandError("No user of exactly this name has sent anything.") from None
        self.stderr.write(f"The user is {erasure.label} now. The search for the name follows.")
        while not erasure.finished_at:
            # The worker may be at it; whoever comes first does a step.
            erasures.proceed(timezone.now())
            erasure = Erasure.objects.get(pk=erasure.pk)
            if not erasure.finished_at:
                time.sleep(PATIENCE_SECONDS)
        told = {**erasures.certificate(erasure), "sha256": erasure.digest}
        self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))

    def _ask(self, name: str, found: erasures.Found) -> None:
        self.stderr.write(f"Stored: {found.requests} requests. This cannot be undone.")
        for each in found.also:
            self.stderr.write(f"The same word also stands for {each}: see --keep-mentions.")
        try:
            typed = input("Type the name again to erase it: ")
        except EOFError:
            typed = ""
        if typed != name:
            raise CommandError("This is not the name. Nothing was changed.")
