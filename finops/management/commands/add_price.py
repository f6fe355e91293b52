"""manage.py add_price: append a contract, self-hosted or cache-hit line to the ledger."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import RawDescriptionHelpFormatter
from datetime import datetime
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.db import DataError, transaction
from django.utils import timezone

from finops import audit, ledger
from finops.models import Price
from finops.pricing.overlaps import Overlap, overlaps

FIELDS = """\
Fields
  kind               contract, self_hosted or cache_hit; always needed

  which requests it holds for; left out means all
  provider, model    patterns such as openai or 'gpt-*'; case does not matter
  fleet              pattern over the fleets of self-hosted inference
  cache              memory, redis, semantic or database; cache_hit needs one
  service_tier       standard, batch, flex, priority or fast
  context_over       tokens; holds when the whole input is more than this
  daily_from         time of day in UTC such as 16:30, from which it holds each day
  daily_to           likewise, until which; both or neither
  effective_from     2026-10-01, a day of the reporting time zone, or 2026-10-01T08:00:00Z
  effective_to       likewise, exclusive

  what it costs, each a decimal number
  discount_percent   percent off the list price; contracts only
  NAME_price_per_million   per million tokens, or NAME_price, per single token, of
      uncached_input, cache_read_input, cache_creation_5m_input, cache_creation_1h_input,
      input_audio, text_output, reasoning_output, output_audio
  request_price      per request
  gpu_hour_price     per GPU-hour, or gpu_second_price, per GPU-second

  currency           of the prices, such as USD; by default that of all figures, into which the
                     rate of each request's day brings them
  source, note       where the price is written down; anything worth knowing

A contract leaves what it does not name at the list price. On own hardware a part costs what its
whole costs, and tokens are free where GPU time or requests are paid.

Examples
  manage.py add_price kind=contract provider=openai model='gpt-*' discount_percent=12.5 \\
      effective_from=2026-10-01
  manage.py add_price kind=contract provider=acme model=acme-large \\
      uncached_input_price_per_million=2.50 text_output_price_per_million=10
  manage.py add_price kind=self_hosted fleet=h100 gpu_hour_price=4.00
  manage.py add_price kind=cache_hit cache=redis request_price=0.0001 --supersedes 17
  echo '{"kind": "contract", "model": "*", "discount_percent": "5"}' | manage.py add_price
"""
HINTS = {"kind": " Write contract, self_hosted or cache_hit."}


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Leaves the table of fields as it is."""


class Command(BaseCommand):
    help = """\
Append a line to the price ledger and print its id. Fields are NAME=VALUE, or one JSON object on
standard input. Lines that may hold for the same requests are named, with which of them wins."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=HelpFormatter, epilog=FIELDS, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fields", nargs="*", metavar="NAME=VALUE")
        parser.add_argument("--supersedes", type=int, help="id of the line this one replaces")
        parser.add_argument("--author", default=getpass.getuser())

    def handle(
        self, *, fields: list[str], supersedes: int | None, author: str, **options: object
    ) -> None:
        try:
            terms = _pairs(fields) if fields else _object(sys.stdin)
            with transaction.atomic():
                if supersedes is not None:
                    ledger.supersede(supersedes, timezone.now(), author)
                price = ledger.add(terms, author=author, zone=settings.REPORTING_ZONE)
                audit.record(
                    "price.add",
                    f"#{price.pk}: {ledger.line_of(price).describe()}",
                    at=timezone.now(),
                    by="manage.py add_price",
                    before={} if supersedes is None else {"line": supersedes},
                    after={"line": price.pk, "author": author},
                )
        except ValidationError as problem:
            raise CommandError(_sentences(problem)) from None
        except (Price.DoesNotExist, ValueError, DataError) as problem:
            raise CommandError(str(problem)) from None
        for overlap in overlaps(ledger.line_of(price), ledger.current_lines()):
            self.stderr.write(self.style.WARNING(_warning(price.pk, overlap)))
        self.stdout.write(str(price.pk))


def _pairs(fields: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise ValueError(f"{field!r}: write NAME=VALUE; --help lists the names.")
        if name in pairs:
            raise ValueError(f"{name}: is there twice.")
        pairs[name] = value
    return pairs


def _object(source: IO[str]) -> dict[str, object]:
    if source.isatty():
        raise ValueError("Write the fields of the price as NAME=VALUE; --help lists them.")
    try:
        terms = json.load(source, parse_float=Decimal)
    except ValueError as problem:
        raise ValueError(
            "There are no fields. Write them as NAME=VALUE (--help lists them), or as a JSON "
            f"object on standard input, which is none: {problem}."
        ) from None
    if not isinstance(terms, dict):
        raise ValueError("Standard input: write one JSON object, its names those of --help.")
    return terms


def _sentences(problem: ValidationError) -> str:
    return "\n".join(
        message if name == "__all__" else f"{name}: {message}{HINTS.get(name, '')}"
        for name, messages in problem.message_dict.items()
        for message in messages
    )


def _warning(pk: int, overlap: Overlap) -> str:
    other = f"line #{overlap.other.id} ({overlap.other.describe()})"
    ends = f" until {_moment(overlap.ends)}" if overlap.ends else ""
    when = f"from {_moment(overlap.starts)}{ends}" if overlap.starts else f"always{ends}"
    if overlap.other_wins:
        wins = f"line #{overlap.other.id} wins, {when}: it is more specific or begins later."
    else:
        wins = f"the new line #{pk} wins, {when}. --supersedes would have ended the other one."
    return f"Warning: {other} is for some of the same requests. Where both hold, {wins}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(settings.REPORTING_ZONE):%Y-%m-%d %H:%M %Z}"
