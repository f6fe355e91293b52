"""What may be said of a scheduled export, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from finops.channels import addresses, guard
from finops.channels.addresses import mailboxes
from finops.models import Channel, ExportSchedule
from finops.periods import MONTH, add_months, local_day

Format, Occasion = ExportSchedule.Format, ExportSchedule.Occasion
Destination = ExportSchedule.Destination
CHOICES = {"format": Format, "occasion": Occasion, "destination": Destination}
BOUNDS = {"day": (1, 28), "hour": (0, 23)}
# By the rules of S3, without dots, which certificates of a bucket's host do not cover.
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
REGION = re.compile(r"[a-z0-9-]{2,64}")
PREFIX = re.compile(r"[A-Za-z0-9!_.*'()/=-]*")
KEY = re.compile(r"[!-~]+")
LENGTHS = {
    "name": 100,
    "endpoint": 500,
    "prefix": 500,
    "access_key_id": 128,
    "secret_access_key": 1_000,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """An empty `secret_access_key` leaves the one that is stored; an empty `endpoint` is that of
    AWS. `day` is of the month, of what is monthly; `hour` of the reporting zone."""

    name: str = ""
    format: str = Format.CSV
    occasion: str = Occasion.CLOSE
    day: int | None = None
    hour: int = 6
    destination: str = Destination.EMAIL
    addresses: tuple[str, ...] = ()
    endpoint: str = ""
    region: str = ""
    bucket: str = ""
    prefix: str = ""
    path_style: bool = False
    access_key_id: str = ""
    secret_access_key: str = ""


NAMES = tuple(each.name for each in fields(Terms))
OF_BUCKET = ("endpoint", "region", "bucket", "prefix", "access_key_id", "secret_access_key")


def read(given: Mapping[str, Any], *, is_new: bool = True) -> Terms:
    """Raises ValidationError by field."""
    wrong = {name: "There is no such field." for name in given if name not in NAMES}
    held: dict[str, Any] = {}
    for name, value in given.items():
        if name in NAMES and value is not None:
            try:
                held[name] = plain(name, value)
            except ValidationError as error:
                wrong[name] = str(error.message)
    if wrong:
        raise ValidationError(wrong)
    terms = Terms(**held)
    wrong = problems(terms, is_new=is_new)
    if wrong:
        raise ValidationError(wrong)
    return terms


def plain(name: str, value: object) -> Any:
    """Raises ValidationError."""
    if name in BOUNDS:
        return number(name, value)
    if name == "path_style":
        if not isinstance(value, bool):
            raise ValidationError("Write true or false.")
        return value
    if name == "addresses":
        return tuple(mailboxes(lines(value)))
    if not isinstance(value, str) or not value.strip().isprintable():
        raise ValidationError("Write plain text, in one line.")
    if len(value.strip()) > LENGTHS.get(name, 64):
        raise ValidationError(f"Write at most {LENGTHS.get(name, 64):,} characters.")
    return value.strip()


def number(name: str, value: object) -> int:
    least, most = BOUNDS[name]
    text = value.strip() if isinstance(value, str) else value
    is_whole = isinstance(text, int) and not isinstance(text, bool)
    if isinstance(text, str) and text.isdecimal() and text.isascii() and len(text) < 4:
        text, is_whole = int(text), True
    if not is_whole or not least <= text <= most:  # type: ignore[operator]
        raise ValidationError(f"Write a whole number from {least} to {most}.")
    return text  # type: ignore[return-value]


def lines(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    raise ValidationError("Write a list of e-mail addresses.")


def problems(terms: Terms, *, is_new: bool) -> dict[str, str]:
    found = {}
    if not terms.name:
        found["name"] = "Write what people call it."
    for name, known in CHOICES.items():
        if getattr(terms, name) not in known.values:
            found[name] = f"Choose one of {', '.join(known.values)}."
    if (terms.occasion == Occasion.MONTHLY) != (terms.day is not None):
        found["day"] = (
            "Write a day from 1 to 28."
            if terms.day is None
            else "Only what goes out once a month has a day."
        )
    if terms.destination == Destination.EMAIL:
        found |= {name: "Only of a bucket." for name in OF_BUCKET if getattr(terms, name)}
        told = addresses.problems(
            Channel.Kind.EMAIL, "\n".join(terms.addresses), is_new=True, may_be_none=False
        )
        return found | ({"addresses": told["address"]} if told else {})
    if terms.destination == Destination.BUCKET:
        found |= problems_of_bucket(terms, is_new)
    return found


def problems_of_bucket(terms: Terms, is_new: bool) -> dict[str, str]:
    found = {}
    if terms.addresses:
        found["addresses"] = "Only of e-mail."
    if not BUCKET.fullmatch(terms.bucket):
        found["bucket"] = (
            "Write the bucket's name: 3 to 63 small letters, digits and hyphens, such as "
            "acme-finops."
        )
    if not REGION.fullmatch(terms.region):
        found["region"] = (
            "Write its region, such as eu-central-1; of a server of your own us-east-1."
        )
    if not PREFIX.fullmatch(terms.prefix) or ".." in terms.prefix.split("/"):
        found["prefix"] = "Write letters, digits and - _ . = / only, such as farthing/allocation."
    if terms.endpoint and (wrong := problem_of_endpoint(terms.endpoint)):
        found["endpoint"] = wrong
    for name in ("access_key_id", "secret_access_key"):
        held = getattr(terms, name)
        is_kept = name == "secret_access_key" and not is_new and not held
        if not is_kept and not KEY.fullmatch(held):
            found[name] = "Write it as the bucket's owner gave it, without blanks."
    return found


def month_of(text: object, now: datetime, zone: ZoneInfo) -> date:
    """A month that has begun; "" is the one before the present one. Raises ValidationError."""
    present = local_day(now, zone).replace(day=1)
    if text in (None, ""):
        return add_months(present, -1)
    found = MONTH.fullmatch(text) if isinstance(text, str) else None
    month = date(int(found[1]), int(found[2]), 1) if found else None
    if month is None or month > present:
        raise ValidationError({"month": f"Write a month that has begun, like {present:%Y-%m}."})
    return month


def problem_of_endpoint(endpoint: str) -> str:
    if not re.match(r"https?://[^/?#]+/?$", endpoint):
        return "Write scheme and host alone, such as https://minio.example.org."
    return guard.problem(endpoint)
