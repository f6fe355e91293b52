"""What we saw of the days of UTC that providers bill by, in the terms that they bill in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from finops.bills.accounts import DIMENSIONS, target
from finops.costs import Together
from finops.periods import Period
from finops.pricing.formula import EXACT
from finops.query import UNATTRIBUTED, CostQuery
from finops.reconciliation import CellKey, Used, provider_name
from finops.reconciliation.lines import (
    CACHE_CREATION,
    CACHE_READ,
    OUTPUT,
    REQUEST,
    UNCACHED_INPUT,
)

ONE_DAY = timedelta(days=1)
COUNTS = (
    *("requests", "unpriced_requests", "input_tokens", "cache_read_input_tokens"),
    *("cache_creation_input_tokens", "output_tokens"),
)
COSTS = {
    "input_cost": UNCACHED_INPUT,
    "cache_read_cost": CACHE_READ,
    "cache_creation_cost": CACHE_CREATION,
    "output_cost": OUTPUT,
    "request_cost": REQUEST,
}


BY = ("provider", "model", "fleet")


@dataclass(slots=True)
class Seen:
    """`cells` by provider, model, account and day of UTC, where accounts are asked for; `names` are
    the providers as usage has them, of each as bills have it. Of `billable` ones some requests are
    of no fleet of our own."""

    cells: dict[CellKey, Used] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    billable: set[str] = field(default_factory=set)

    def add(self, day: date, keys: Sequence[str], account: str, sums: Sequence[Decimal]) -> None:
        provider, model, fleet = keys
        key = CellKey(provider_name(provider), model, account, day)
        self.cells.setdefault(key, Used()).add(used(sums))
        self.names.setdefault(key.provider, set()).add(provider)
        if fleet == UNATTRIBUTED:
            self.billable.add(key.provider)


def of_days(
    asked: Together, first: date, end: date, zone: ZoneInfo, targets: Collection[str] | None = None
) -> Seen:
    """Wherever the reporting zone's own days begin. `targets` are services and teams that bills
    have accounts of. Raises as Together.run: in a zone that is apart from UTC by part of an hour,
    of events that are gone."""
    by = BY if targets is None else (*BY, *DIMENSIONS)
    found = Seen()
    for day, keys, sums in rows(asked, first, end, zone, by):
        found.add(day, keys[: len(BY)], account_of(keys[len(BY) :], targets or ()), sums)
    return found


def rows(
    asked: Together, first: date, end: date, zone: ZoneInfo, by: tuple[str, ...]
) -> Iterator[tuple[date, tuple[Any, ...], list[Decimal]]]:
    """In one question where days are those of UTC."""
    columns = (*COUNTS, *COSTS)
    if zone.key in {"UTC", "Etc/UTC"}:
        for (day, keys), sums in asked.sums_by_day(of(first, end, zone, by), columns).items():
            yield day, keys, sums
        return
    for day in (first + timedelta(days=n) for n in range((end - first).days)):
        for keys, sums in asked.sums(of(day, day + ONE_DAY, zone, by), columns).items():
            yield day, keys, sums


def account_of(values: Sequence[str], targets: Collection[str]) -> str:
    """That of the service, or else of the team; "" of neither."""
    named = (target(*pair) for pair in zip(DIMENSIONS, values, strict=False))
    return next((each for each in named if each in targets), "")


def of(first: date, end: date, zone: ZoneInfo, by: tuple[str, ...]) -> CostQuery:
    start, stop = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, end))
    return CostQuery(
        period=Period(start, stop),
        granularity="total",
        group_by=by,
        filters=(),
        metrics=("effective_cost",),
        limit=None,
        compare=False,
        zone=zone,
    )


def used(sums: Sequence[Decimal]) -> Used:
    """Tokens of input that is neither read from a cache nor written to it are what is left."""
    requests, unpriced, whole, read, written, output = sums[: len(COUNTS)]
    quantities = {
        UNCACHED_INPUT: EXACT.subtract(whole, EXACT.add(read, written)),
        CACHE_READ: read,
        CACHE_CREATION: written,
        OUTPUT: output,
        REQUEST: requests,
    }
    costs = dict(zip(COSTS.values(), sums[len(COUNTS) :], strict=True))
    return Used(
        requests=int(requests),
        unpriced_requests=int(unpriced),
        quantities={kind: count for kind, count in quantities.items() if count},
        costs={kind: cost for kind, cost in costs.items() if cost},
    )
