"""Deciding about prices that are held: accepted ones enter the ledger, refused ones stay out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from finops import audit, ledger
from finops.access import Reader
from finops.models import PriceHold
from finops.pricing.lines import PriceLine


def accept(
    pk: int,
    *,
    by: Reader,
    now: datetime,
    reason: str = "",
    address: str = "",
    lines: Iterable[PriceLine] | None = None,
) -> PriceHold:
    """Let the held prices into the ledger, from the date that the catalogue gives them.

    Events that are rated already keep their rating. `lines` is the catalogue, by default the
    installed one. Raises PriceHold.DoesNotExist unless the hold waits.
    """
    with transaction.atomic():
        hold = _decide(pk, PriceHold.Status.ACCEPTED, by, now, reason, address)
        ledger.sync_catalog(now, lines)
    return hold


def refuse(pk: int, *, by: Reader, now: datetime, reason: str = "", address: str = "") -> PriceHold:
    """Keep the held prices out for good; raises PriceHold.DoesNotExist unless the hold waits."""
    with transaction.atomic():
        return _decide(pk, PriceHold.Status.REFUSED, by, now, reason, address)


def _decide(
    pk: int, status: str, by: Reader, now: datetime, reason: str, address: str
) -> PriceHold:
    waiting = PriceHold.objects.select_for_update().filter(status=PriceHold.Status.WAITING)
    hold = waiting.get(pk=pk)
    hold.status, hold.decided_at = status, now
    hold.decided_by, hold.reason = audit.name_of(by), reason
    hold.save()
    verb = "accept" if status == PriceHold.Status.ACCEPTED else "refuse"
    audit.record(
        f"price.{verb}",
        hold.described,
        at=now,
        by=by,
        before={each["bucket"]: each["old"] for each in hold.findings},
        after={each["bucket"]: each["new"] for each in hold.findings},
        reason=reason,
        address=address,
    )
    return hold
