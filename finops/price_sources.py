"""The second source of prices beside the catalogue: imported and compared, never applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal, localcontext

from django.db import transaction

from finops import audit, ledger
from finops.access import Reader
from finops.models import Price, ReferencePrice
from finops.pricing import reference
from finops.pricing.lines import BUCKETS, PriceLine
from finops.pricing.reference import Reference

Name = tuple[str, str]
# Digits that binary floats leave behind are no disagreement.
TOLERANCE = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One bucket of one model, in USD per single unit. `ratio` is second source : catalogue, None
    where the catalogue says free. `cost` is what the model cost in 30 days, of what is seen."""

    provider: str
    model: str
    bucket: str
    catalog: Decimal
    reference: Decimal
    ratio: Decimal | None
    since: datetime
    source: str
    name: str
    cost: Decimal | None


def import_reference(
    content: bytes, source: str, *, by: Reader | str, now: datetime, address: str = ""
) -> Reference:
    """Replace the second source by this file's prices; equal ones keep their date.

    Raises reference.InvalidFile.
    """
    found = reference.read(content)
    with transaction.atomic():
        known = {
            (row.provider, row.model, row.bucket): row
            for row in ReferencePrice.objects.select_for_update()
        }
        rows = [
            ReferencePrice(
                provider=provider,
                model=model,
                bucket=bucket,
                name=entry.name,
                price=price,
                source=source[:200],
                since=_since(known.get((provider, model, bucket)), price, now),
            )
            for (provider, model), entry in found.models.items()
            for bucket, price in entry.prices.items()
        ]
        ReferencePrice.objects.all().delete()
        ReferencePrice.objects.bulk_create(rows, batch_size=1000)
        audit.record(
            "price.import",
            source,
            at=now,
            by=by,
            before={"prices": len(known)},
            after={"prices": len(rows), "models": len(found.models)},
            address=address,
        )
    return found


def _since(known: ReferencePrice | None, price: Decimal, now: datetime) -> datetime:
    return known.since if known is not None and known.price == price else now


def source_in_use() -> tuple[str, int]:
    """What was imported last, '' where nothing was, and its number of prices."""
    latest = ReferencePrice.objects.values_list("source", flat=True).first()
    return latest or "", ReferencePrice.objects.count()


def disagreements(
    now: datetime, costs: Mapping[Name, Decimal], search: str = ""
) -> list[Disagreement]:
    """Where the catalogue in force and the second source differ: models that cost most first."""
    listed = _listed(now)
    found = [
        each
        for row in ReferencePrice.objects.all()
        if (line := listed.get((row.provider, row.model)))
        and search.lower() in f"{row.provider}/{row.model}".lower()
        and (each := _compared(row, line, costs))
    ]
    return sorted(found, key=_by_stake)


def _listed(now: datetime) -> dict[Name, PriceLine]:
    """The catalogue's plain price of each model today: standard tier, any time, small input."""
    plain = Price.objects.filter(
        kind=Price.Kind.CATALOG,
        superseded_at=None,
        service_tier="",
        context_over=0,
        daily_from=None,
    )
    lines = (ledger.line_of(price) for price in plain)
    return {(line.provider, line.model): line for line in lines if line.holds(now, time(), 1)}


def _compared(
    row: ReferencePrice, line: PriceLine, costs: Mapping[Name, Decimal]
) -> Disagreement | None:
    ours: Decimal | None = getattr(line.prices, row.bucket)
    if ours is None or abs(row.price - ours) <= ours * TOLERANCE:
        return None
    return Disagreement(
        *(row.provider, row.model, row.bucket, ours, row.price),
        _ratio(row.price, ours),
        *(row.since, row.source, row.name),
        costs.get((row.provider, row.model)),
    )


def _ratio(price: Decimal, ours: Decimal) -> Decimal | None:
    with localcontext(prec=60):
        return price / ours if ours else None


def _by_stake(each: Disagreement) -> tuple[object, ...]:
    ratio = each.ratio
    apart = Decimal("Infinity") if not ratio else max(ratio, 1 / ratio)
    return -(each.cost or 0), -apart, each.provider, each.model, BUCKETS.index(each.bucket)
