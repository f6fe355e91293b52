"""What we saw of the days of UTC that providers bill by, in the terms that they bill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.costs import Together
from finops.periods import Period
from finops.pricing.formula import EXACT
from finops.query import CostQuery
from finops.reconciliation import CellKey, Used
from finops.reconciliation.cells import provider_name
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


@dataclass(slots=True)
class Seen:
    """`cells` by provider, model and day of UTC; `names` are the providers as usage has them, of
    each as bills have it."""

    cells: dict[CellKey, Used] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)


def of_days(asked: Together, days: Sequence[date], zone: ZoneInfo) -> Seen:
    """Wherever the reporting zone's own days begin. Raises as Together.run: in a zone that is apart
    from UTC by part of an hour, of events that are gone."""
    found = Seen()
    for day in days:
        for (provider, model), sums in asked.sums(of_day(day, zone), (*COUNTS, *COSTS)).items():
            key = CellKey(provider_name(provider), model, "", day)
            found.cells.setdefault(key, Used()).add(used(sums))
            found.names.setdefault(key.provider, set()).add(provider)
    return found


def of_day(day: date, zone: ZoneInfo) -> CostQuery:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return CostQuery(
        period=Period(start, start + ONE_DAY),
        granularity="total",
        group_by=("provider", "model"),
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
