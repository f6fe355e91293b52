"""Activated tags: of later events they are a dimension. Events keep all of their tags anyway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from finops.models import ActivatedTag
from finops.organisation.stored import Act, log
from finops.query import is_text
from finops.sql import statement

LONGEST = 200
# Each may multiply the combinations that figures are kept for.
MOST = 50
LOOKED_AT = 500
OFFERED = 20
ACTIVE = "This tag is activated already."


@dataclass(frozen=True, slots=True)
class Seen:
    """A key among the newest events, and on how many of them."""

    key: str
    events: int


def activated() -> list[ActivatedTag]:
    return list(ActivatedTag.objects.order_by("key"))


def seen_lately(now: datetime) -> list[Seen]:
    """Keys that are not activated, of the newest LOOKED_AT events since yesterday."""
    given: dict[str, date | int] = {
        "first_day": now.astimezone(UTC).date() - timedelta(days=1),
        "events": LOOKED_AT,
        "keys": OFFERED + MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("recent_tags"), given)
        rows = cursor.fetchall()
    active = {each.key for each in activated()}
    return [Seen(*row) for row in rows if row[0] not in active and not wrong(row[0])][:OFFERED]


def wrong(key: str) -> str:
    """Why a tag of this key cannot be a dimension; "" if it can."""
    if not key:
        return "Write the key of the tag, as events have it."
    if len(key) > LONGEST or not is_text(key):
        return f"Write at most {LONGEST} characters of plain text."
    if "," in key:
        return "A key with a comma cannot be grouped by: the comma parts the names in an address."
    return ""


def activate(key: str, act: Act) -> None:
    """Raises ValidationError."""
    if problem := wrong(key):
        raise ValidationError({"key": problem})
    if ActivatedTag.objects.filter(key=key).exists():
        raise ValidationError({"key": ACTIVE})
    if ActivatedTag.objects.count() >= MOST:
        raise ValidationError({"key": f"{MOST} tags are activated: deactivate one first."})
    try:
        with transaction.atomic():
            ActivatedTag.objects.create(key=key)
            log("tag.activate", key, act, after={"activated": True})
    except IntegrityError:
        raise ValidationError({"key": ACTIVE}) from None


def deactivate(tag_id: int, act: Act) -> None:
    """Raises ActivatedTag.DoesNotExist."""
    with transaction.atomic():
        tag = ActivatedTag.objects.select_for_update().get(pk=tag_id)
        since = tag.activated_at.isoformat(timespec="seconds")
        log("tag.deactivate", tag.key, act, before={"activated": since})
        tag.delete()
