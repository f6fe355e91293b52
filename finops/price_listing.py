"""Reading the ledger: found by name and kind, page by page; one model's lines with their use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from finops import ledger
from finops.models import Price
from finops.pricing.matching import match
from finops.pricing.resolution import ANY, Names, Pattern
from finops.timed_reads import rows_within

PAGE_SIZE = 50
USE_DAYS = 30
USE_TIMEOUT_MILLISECONDS = 4_000


@dataclass(frozen=True, slots=True)
class Search:
    """Empty is everything. `everything` shows what was superseded, ended or not begun, too."""

    text: str = ""
    provider: str = ""
    kind: str = ""
    service_tier: str = ""
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """What was rated with a line: requests and their effective cost (None: all unpriced)."""

    requests: int
    cost: Decimal | None


def search(wanted: Search, now: datetime, page: str = "") -> Page[Price]:
    """A page of lines by provider and model; a page that is none is the nearest."""
    found = Price.objects.all() if wanted.everything else in_force(now)
    for word in wanted.text.split():
        names = Q(provider__icontains=word) | Q(model__icontains=word) | Q(fleet__icontains=word)
        found = found.filter(names | Q(cache__icontains=word))
    exact = {"provider": wanted.provider, "kind": wanted.kind}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if wanted.service_tier == "standard":
        found = found.filter(service_tier__in=("", "standard"))
    elif wanted.service_tier:
        found = found.filter(service_tier=wanted.service_tier)
    ordered = found.order_by("provider", "model", "service_tier", "context_over", "id")
    return Paginator(ordered, PAGE_SIZE).get_page(page)


def in_force(now: datetime) -> QuerySet[Price]:
    """Lines that hold now."""
    return Price.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=now),
        Q(effective_to=None) | Q(effective_to__gt=now),
        superseded_at=None,
    )


def providers() -> list[str]:
    """Every provider of a line."""
    names = Price.objects.exclude(provider="").order_by("provider")
    return list(names.values_list("provider", flat=True).distinct())


def of_model(provider: str, model: str) -> list[Price]:
    """Every line ever that is for this model by name, newest first.

    Lines that name neither a provider nor a model (a fleet's, a cache's) are not about it.
    """
    found = match(provider, model)
    names = Names(
        frozenset({provider.lower(), *([found.provider] if found else [])}),
        frozenset({model.lower(), *([found.model.lower()] if found else [])}),
        "",
    )
    catalog = Q(kind="catalog", provider=provider, model=model)
    if found:
        catalog |= Q(kind="catalog", provider=found.owner, model=found.model)
    lines = Price.objects.filter(catalog | ~Q(kind="catalog")).order_by("-recorded_at", "-id")
    return [each for each in lines if each.kind == "catalog" or _is_for(each, names)]


def _is_for(price: Price, names: Names) -> bool:
    if price.kind != Price.Kind.CONTRACT and {price.provider, price.model} <= ANY:
        return False
    line = ledger.line_of(price)
    return not line.fleet and Pattern.of(line).matches(names, line.service_tier)


def use_of(
    ids: Iterable[int], now: datetime, teams: frozenset[str] | None
) -> dict[int, Use] | None:
    """Line → what was rated with it in the last 30 days, of these teams (None: all).

    None where counting takes longer than anybody should wait: it reads the events themselves.
    """
    parameters: dict[str, Any] = {
        "ids": list(ids),
        "first_day": (now - timedelta(days=USE_DAYS)).date(),
        "start": now - timedelta(days=USE_DAYS),
        "teams": None if teams is None else sorted(teams),
    }
    rows = rows_within(USE_TIMEOUT_MILLISECONDS, "rated_with", parameters)
    if rows is None:
        return None
    return {pk: Use(requests, cost) for pk, requests, cost in rows}
