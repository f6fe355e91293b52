"""Prices of the catalogue that are held for review: what they are judged by, and their records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from finops.models import PriceHold, ReferencePrice
from finops.pricing.lines import PriceLine, UnitPrices
from finops.pricing.matching import match
from finops.pricing.sanity import Finding, Held, Knowledge

# A model is in use that requests came for within this long.
IN_USE = timedelta(days=30)
Status = PriceHold.Status


def knowledge(current: Sequence[PriceLine], now: datetime) -> Knowledge:
    """What a new catalogue is judged by; `current` are the catalogue's lines in force."""
    accepted = PriceHold.objects.filter(status=Status.ACCEPTED)
    return Knowledge(
        current=current,
        references=references(),
        used=used(now),
        accepted=frozenset(accepted.values_list("fingerprint", flat=True)),
    )


def references() -> dict[tuple[str, str], UnitPrices]:
    """The second source's prices by the catalogue's (provider, model)."""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for row in ReferencePrice.objects.all():
        found.setdefault((row.provider, row.model), {})[row.bucket] = row.price
    return {name: UnitPrices(**prices) for name, prices in found.items()}


def used(now: datetime) -> frozenset[tuple[str, str]]:
    """The catalogue's models, (provider, model), that requests came for lately."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT attribution.provider, attribution.model
            FROM rollup_day JOIN attribution ON attribution.id = rollup_day.attribution_id
            WHERE rollup_day.day >= %(since)s
            """,
            {"since": (now - IN_USE).date()},
        )
        sent = cursor.fetchall()
    found = (match(provider, model) for provider, model in sent)
    return frozenset((each.owner, each.model) for each in found if each)


def keep(held: Sequence[Held], now: datetime) -> int:
    """Record what is held now, and that what is no longer listed needs no decision.

    A refusal is remembered: the same prices are not asked about again. Returns how many wait.
    """
    known = {hold.fingerprint: hold for hold in PriceHold.objects.all()}
    PriceHold.objects.bulk_create(
        [_record(each, now) for each in held if each.fingerprint not in known]
    )
    listed = [each.fingerprint for each in held]
    waiting = PriceHold.objects.filter(status=Status.WAITING)
    waiting.exclude(fingerprint__in=listed).update(status=Status.WITHDRAWN, decided_at=now)
    back = PriceHold.objects.filter(status=Status.WITHDRAWN, fingerprint__in=listed)
    back.update(status=Status.WAITING, decided_at=None, seen_at=now)
    return count_waiting()


def _record(held: Held, now: datetime) -> PriceHold:
    line = held.line
    return PriceHold(
        fingerprint=held.fingerprint,
        provider=line.provider,
        model=line.model,
        described=line.describe()[:600],
        effective_from=line.effective_from,
        source=line.source,
        findings=[_as_json(finding) for finding in held.findings],
        has_predecessor=held.instead is not None,
        seen_at=now,
    )


def _as_json(finding: Finding) -> dict[str, str | None]:
    return {
        name: value if value is None or isinstance(value, str) else f"{value:f}"
        for name, value in finding._asdict().items()
    }


def count_waiting() -> int:
    return PriceHold.objects.filter(status=Status.WAITING).count()


def waiting(search: str = "") -> QuerySet[PriceHold]:
    """What is to be decided, latest first."""
    found = PriceHold.objects.filter(status=Status.WAITING)
    return found.filter(described__icontains=search) if search else found


def most_urgent(search: str, in_use: frozenset[tuple[str, str]]) -> list[PriceHold]:
    """The same, models first that are in use, and of those the ones that have no price at all."""
    return sorted(
        waiting(search),
        key=lambda hold: ((hold.provider, hold.model) not in in_use, hold.has_predecessor),
    )


def without_price() -> frozenset[tuple[str, str]]:
    """The catalogue's models whose only price waits for a decision."""
    found = waiting().filter(has_predecessor=False)
    return frozenset(found.values_list("provider", "model"))


def decided(limit: int) -> list[PriceHold]:
    """The latest that are done with."""
    done = PriceHold.objects.exclude(status=Status.WAITING)
    return list(done.order_by("-decided_at", "-id")[:limit])
