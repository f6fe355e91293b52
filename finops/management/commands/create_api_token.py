"""Make an API token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from finops.api_tokens import create_token


class Command(BaseCommand):
    help = "Make an API token with the rights of a user and print it, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["username"])
        except User.DoesNotExist:
            names = ", ".join(
                User.objects.order_by("username").values_list("username", flat=True)[:20]
            )
            known = f"there are {names}" if names else "the first visit of the pages makes one"
            raise CommandError(f"No user is named {options['username']!r}; {known}.") from None
        text = create_token(user, now=timezone.now(), by="manage.py create_api_token")
        self.stdout.write(text)
