"""manage.py revoke [PREFIX]: ends an ingest key or an API token; without PREFIX lists them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

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
        now = timezone.now()
        revoked = sum(
            model.objects.filter(prefix=name, revoked_at=None).update(revoked_at=now)
            for model in (IngestKey, ApiToken)
        )
        if not revoked:
            raise CommandError(
                f"No key or token in use has the prefix {name!r}; "
                "`manage.py revoke` without a prefix lists them."
            )
        self.stdout.write(f"{name} is revoked and stops working within 5 seconds.")


def described(each: IngestKey | ApiToken) -> str:
    """One line: prefix, whose, last use, whether revoked."""
    whose = f"service {each.service}" if isinstance(each, IngestKey) else f"user {each.user}"
    used = (
        f"last used {each.last_used_at:%Y-%m-%d %H:%M} UTC" if each.last_used_at else "never used"
    )
    state = f"revoked {each.revoked_at:%Y-%m-%d %H:%M} UTC" if each.revoked_at else "in use"
    return f"{each.prefix}  {whose}  {used}  {state}"
