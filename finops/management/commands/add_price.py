"""manage.py add_price: append a contract, self-hosted or cache-hit line to the ledger."""

from __future__ import annotations

import getpass
import json
import sys
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from finops import ledger
from finops.models import Price


class Command(BaseCommand):
    help = (
        "Append a line to the price ledger and print its id. Fields come as NAME=VALUE, or as one "
        "JSON object on standard input. Examples: kind=contract provider=openai model='gpt-*' "
        "discount_percent=12.5 effective_from=2026-10-01; kind=self_hosted fleet=h100 "
        "gpu_hour_price=4.00; kind=cache_hit cache=redis request_price=0.0001."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fields", nargs="*", metavar="NAME=VALUE")
        parser.add_argument("--supersedes", type=int, help="id of the line this one replaces")
        parser.add_argument("--author", default=getpass.getuser())

    def handle(
        self, *, fields: list[str], supersedes: int | None, author: str, **options: object
    ) -> None:
        try:
            terms = _pairs(fields) if fields else json.load(sys.stdin, parse_float=Decimal)
            with transaction.atomic():
                if supersedes is not None:
                    ledger.supersede(supersedes, timezone.now())
                price = ledger.add(terms, author=author, zone=settings.REPORTING_ZONE)
        except ValidationError as problem:
            raise CommandError(_sentences(problem)) from None
        except (Price.DoesNotExist, ValueError) as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(str(price.pk))


def _pairs(fields: list[str]) -> dict[str, str]:
    if wrong := [field for field in fields if "=" not in field]:
        raise ValueError(f"{wrong[0]!r}: write NAME=VALUE.")
    return dict(field.split("=", 1) for field in fields)


def _sentences(problem: ValidationError) -> str:
    return "\n".join(
        message if name == "__all__" else f"{name}: {message}"
        for name, messages in problem.message_dict.items()
        for message in messages
    )
