"""Make an API token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from finops import audit
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
        with transaction.atomic():
            token = create_token(user)
            audit.record(
                "token.create",
                f"API token of {user.username}",
                at=timezone.now(),
                by="manage.py create_api_token",
                after={"prefix": "_".join(token.split("_")[:2])},
            )
        self.stdout.write(token)
