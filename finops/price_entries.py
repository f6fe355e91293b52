"""New lines of the ledger, as people enter them: checked, compared, saved, on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import audit, ledger, operations
from finops.access import Reader
from finops.models import Price, RatingPreview, RatingRun
from finops.periods import Period
from finops.pricing.lines import BUCKETS
from finops.pricing.overlaps import Overlap, overlaps

COPIED = (
    *("kind", "provider", "model", "fleet", "cache", "service_tier", "context_over"),
    *("daily_from", "daily_to", "effective_from", "effective_to", "discount_percent"),
    "currency",
    *(f"{bucket}_price" for bucket in BUCKETS),
    *("source", "note"),
)


def terms_of(price: Price) -> dict[str, str]:
    """What `ledger.add` would make the same line of."""
    return {
        name: _text(value) for name in COPIED if (value := getattr(price, name)) not in (None, "")
    }


def ending(price: Price, at: str, reason: str) -> dict[str, str]:
    """The terms of a line that ends at a moment, which is written as `ledger.add` reads it."""
    note = "\n".join(filter(None, (price.note, reason)))
    return {**terms_of(price), "effective_to": at, **({"note": note} if note else {})}


def check(terms: Mapping[str, object], by: Reader, zone: ZoneInfo) -> Price:
    """The line that `save` would write. Raises ValidationError, naming each wrong field."""
    return ledger.draft(terms, author=audit.name_of(by), zone=zone)


def rivals(price: Price, replaces: int | None) -> list[Overlap]:
    """Lines in force that may hold for the same requests as one that is not saved yet."""
    line = replace(ledger.line_of(price), id=ledger.UNSAVED)
    return overlaps(line, [each for each in ledger.current_lines() if each.id != replaces])


def ask_preview(
    period: Period,
    *,
    by: Reader,
    now: datetime,
    only_unpriced: bool = False,
    terms: Mapping[str, str] | None = None,
    replaces: int | None = None,
) -> RatingPreview:
    """Have the worker find out what rating the period again would change."""
    return RatingPreview.objects.create(
        start=period.start,
        end=period.end,
        only_unpriced=only_unpriced,
        terms=dict(terms or {}),
        replaces=replaces,
        requested_by=audit.name_of(by),
        created_at=now,
    )


def save(
    preview: RatingPreview, *, by: Reader, zone: ZoneInfo, now: datetime, address: str
) -> Price:
    """Append the line of a preview, and supersede the one it replaces.

    Raises ValidationError, also where the same line is in force already, and Price.DoesNotExist
    when the replaced one is not in force any more.
    """
    with transaction.atomic():
        # A button that is pressed twice: the second press waits here and then finds the line.
        RatingPreview.objects.select_for_update().get(pk=preview.pk)
        before: dict[str, str] = {}
        if preview.replaces is not None:
            before = terms_of(Price.objects.get(pk=preview.replaces))
            ledger.supersede(preview.replaces, now, audit.name_of(by))
        _refuse_twin(check(preview.terms, by, zone))
        price = ledger.add(preview.terms, author=audit.name_of(by), zone=zone)
        audit.record(
            "price.add" if preview.replaces is None else "price.replace",
            f"#{price.pk} ({ledger.line_of(price).describe()})"
            + (f" for #{preview.replaces}" if preview.replaces is not None else ""),
            at=now,
            by=by,
            before=before,
            after=terms_of(price),
            reason=price.note,
            address=address,
        )
    return price


def _refuse_twin(price: Price) -> None:
    """Of two equal lines, the one that is left would go on when somebody ends the other."""
    same = {name: getattr(price, name) for name in COPIED}
    twin = Price.objects.filter(superseded_at=None, **same).first()
    if twin is not None:
        raise ValidationError(f"Line #{twin.pk} of the ledger says the same already.")


def ask_run(
    preview: RatingPreview, *, by: Reader, zone: ZoneInfo, now: datetime, reason: str, address: str
) -> RatingRun:
    """Have the worker rate the period of a preview again, and write it. Raises ZoneChanged."""
    with transaction.atomic():
        operation = operations.ask_rerate(
            preview.start,
            preview.end,
            zone,
            now=now,
            by=audit.name_of(by),
            only_unpriced=preview.only_unpriced,
            reason=reason,
        )
        run = RatingRun.objects.get(pk=operation.terms["run"])
        audit.record(
            "price.rerate",
            f"run #{run.pk}, {preview.start.isoformat()} to {preview.end.isoformat()}",
            at=now,
            by=by,
            after={"only_unpriced": preview.only_unpriced},
            reason=reason,
            address=address,
        )
    return run


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value.isoformat() if isinstance(value, datetime | time) else str(value)
