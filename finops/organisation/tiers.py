"""Latency tiers: by their bounds an event that names no tier gets one, when it comes.

What events were given stays: a change of tiers concerns later events only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from finops.costs import OTHER, UNATTRIBUTED
from finops.models import LatencyTier
from finops.organisation.stored import Act, log
from finops.query import is_text
from ingest.cardinality import OVERFLOW
from ingest.events import MAX_MILLISECONDS

LONGEST = 200
MOST = 20
RESERVED = frozenset(name.lower() for name in (UNATTRIBUTED, OTHER, OVERFLOW))
MEANWHILE = "Somebody else changed the tiers at this moment. Look at them and send this again."


@dataclass(frozen=True, slots=True)
class Terms:
    """`max_latency_ms` is None for the last tier, `target_p95_ms` where there is no target."""

    name: str
    max_latency_ms: float | None
    target_p95_ms: float | None


def everything() -> list[LatencyTier]:
    """In rising order, the tier without a bound last."""
    return list(LatencyTier.objects.all())


def targets() -> dict[str, float]:
    """Tier → the p95 latency in milliseconds that its requests should keep."""
    held = LatencyTier.objects.exclude(target_p95_ms=None)
    return {name: target for name, target in held.values_list("name", "target_p95_ms") if target}


def add(terms: Terms, act: Act) -> None:
    """Raises ValidationError with everything that is wrong, by field."""
    with _written():
        _check(terms, everything())
        LatencyTier.objects.create(
            name=terms.name, max_latency_ms=terms.max_latency_ms, target_p95_ms=terms.target_p95_ms
        )
        log("latency_tier.add", terms.name, act, after=_described(terms))


def change(tier_id: int, terms: Terms, act: Act) -> bool:
    """Whether anything changed. Raises ValidationError and LatencyTier.DoesNotExist."""
    with _written():
        tier = LatencyTier.objects.select_for_update().get(pk=tier_id)
        before = terms_of(tier)
        _check(terms, [each for each in everything() if each.pk != tier.pk])
        if before == terms:
            return False
        tier.name, tier.max_latency_ms = terms.name, terms.max_latency_ms
        tier.target_p95_ms = terms.target_p95_ms
        tier.save()
        described = _described(before), _described(terms)
        log("latency_tier.change", before.name, act, before=described[0], after=described[1])
    return True


def remove(tier_id: int, act: Act) -> None:
    """Raises LatencyTier.DoesNotExist."""
    with transaction.atomic():
        tier = LatencyTier.objects.select_for_update().get(pk=tier_id)
        log("latency_tier.remove", tier.name, act, before=_described(terms_of(tier)))
        tier.delete()


def terms_of(tier: LatencyTier) -> Terms:
    return Terms(tier.name, tier.max_latency_ms, tier.target_p95_ms)


@contextmanager
def _written() -> Iterator[None]:
    """One transaction; two that would make one name, bound or last tier twice are told so."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError(MEANWHILE) from error


def problems(terms: Terms, others: list[LatencyTier]) -> dict[str, str]:
    """What is wrong with which field, beside the other tiers."""
    found = {
        "name": _wrong_name(terms.name, others),
        "max_latency_ms": _wrong_bound(terms.max_latency_ms, others),
        "target_p95_ms": _wrong_milliseconds(terms.target_p95_ms),
    }
    return {field: problem for field, problem in found.items() if problem}


def _check(terms: Terms, others: list[LatencyTier]) -> None:
    if wrong := problems(terms, others):
        raise ValidationError(wrong)
    if len(others) >= MOST:
        raise ValidationError(f"There are {MOST} tiers, which is as many as there may be.")


def _wrong_name(name: str, others: list[LatencyTier]) -> str:
    if not name:
        return "Write what the tier is called, such as interactive."
    if len(name) > LONGEST or not is_text(name):
        return f"Write at most {LONGEST} characters of plain text."
    if name.lower() in RESERVED:
        return f"{name} stands for requests of no single tier."
    if any(each.name == name for each in others):
        return "There is a tier of this name already."
    return ""


def _wrong_bound(bound: float | None, others: list[LatencyTier]) -> str:
    if problem := _wrong_milliseconds(bound):
        return problem
    same = next((each.name for each in others if each.max_latency_ms == bound), None)
    if same is None:
        return ""
    if bound is None:
        return f"{same} is the last tier already: write a bound here, or give {same} one first."
    return f"{same} ends there already."


def _wrong_milliseconds(value: float | None) -> str:
    if value is None or (math.isfinite(value) and 0 < value <= MAX_MILLISECONDS):
        return ""
    return f"Write milliseconds, more than 0 and at most {MAX_MILLISECONDS:,.0f}."


def _described(terms: Terms) -> Mapping[str, object]:
    return {
        "name": terms.name,
        "up to, ms": terms.max_latency_ms,
        "target p95, ms": terms.target_p95_ms,
    }
