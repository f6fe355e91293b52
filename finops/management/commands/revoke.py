"""manage.py revoke [PREFIX]: ends an ingest key or an API token; without PREFIX lists them."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from finops import api_tokens, ingest_keys
from finops.models import ApiToken, IngestKey


class Command(BaseCommand):
    help = "Revokes an ingest key or API token by its prefix; without one lists them all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", nargs="?", help="the part before the second underscore")

    def handle(self, *, prefix: str | None, **options: Any) -> None:
        if prefix is None:
            for key in IngestKey.objects.order_by("id"):
                self.stdout.write(described(key))
            for token in ApiToken.objects.select_related("user").order_by("id"):
                self.stdout.write(described(token))
            return
        # Whoever pastes the whole key means the same; its secret part is not looked at.
        name = "_".join(prefix.split("_")[:2])
        if not self.revoked(name):
            raise CommandError(
                f"No key or token in use has the prefix {name!r}; "
                "`manage.py revoke` without a prefix lists them."
            )
        self.stdout.write(f"{name} is revoked and stops working within 5 seconds.")

    def revoked(self, name: str) -> bool:
        by, now = "manage.py revoke", timezone.now()
        with suppress(IngestKey.DoesNotExist):
            return ingest_keys.revoke(name, by=by, now=now)
        with suppress(ApiToken.DoesNotExist):
            return api_tokens.revoke_token(name, by=by, now=now)
        return False


def described(each: IngestKey | ApiToken) -> str:
    """One line: prefix, whose, last use, whether revoked."""
    whose = f"service {each.service}" if isinstance(each, IngestKey) else f"user {each.user}"
    used = (
        f"last used {each.last_used_at:%Y-%m-%d %H:%M} UTC" if each.last_used_at else "never used"
    )
    return f"{each.prefix}  {whose}  {used}  {ended(each)}"


def ended(each: IngestKey | ApiToken) -> str:
    if each.revoked_at:
        return f"revoked {each.revoked_at:%Y-%m-%d %H:%M} UTC"
    ends_at = each.stops_at if isinstance(each, IngestKey) else each.expires_at
    return f"in use until {ends_at:%Y-%m-%d %H:%M} UTC" if ends_at else "in use"
