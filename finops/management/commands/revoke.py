"""manage.py revoke [PREFIX]: ends an ingest key or an API token; without PREFIX lists them."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from finops import audit
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
        if not end(name, now):
            raise CommandError(
                f"No key or token in use has the prefix {name!r}; "
                "`manage.py revoke` without a prefix lists them."
            )
        self.stdout.write(f"{name} is revoked and stops working within 5 seconds.")


def end(prefix: str, now: datetime) -> bool:
    """Whether there was a key or token in use to revoke."""
    with transaction.atomic():
        key = IngestKey.objects.select_for_update().filter(prefix=prefix, revoked_at=None).first()
        token = ApiToken.objects.select_for_update().filter(prefix=prefix, revoked_at=None).first()
        for action, found in (("key.revoke", key), ("token.revoke", token)):
            if found is None:
                continue
            found.revoked_at = now
            found.save(update_fields=["revoked_at"])
            team = found.team if isinstance(found, IngestKey) else ""
            audit.record(action, str(found), at=now, by="manage.py revoke", team=team)
        return bool(key or token)


def described(each: IngestKey | ApiToken) -> str:
    """One line: prefix, whose, last use, whether revoked."""
    whose = f"service {each.service}" if isinstance(each, IngestKey) else f"user {each.user}"
    used = (
        f"last used {each.last_used_at:%Y-%m-%d %H:%M} UTC" if each.last_used_at else "never used"
    )
    state = f"revoked {each.revoked_at:%Y-%m-%d %H:%M} UTC" if each.revoked_at else "in use"
    return f"{each.prefix}  {whose}  {used}  {state}"
