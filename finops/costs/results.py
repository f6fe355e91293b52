"""What a CostQuery answers: rows, totals, and how fresh and how complete they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops.query import UNATTRIBUTED as UNATTRIBUTED
from finops.query import CostQuery

Value = Decimal | int | float | None

OTHER = "Other"


@dataclass(frozen=True, slots=True)
class CostRow:
    """One group in one bucket.

    `start` is the bucket's first instant in UTC (None with granularity total), which may lie
    before the period where a week or month began earlier. `keys` follow the query's group_by.
    A value is None where nothing is known: a cost of requests of which none has a price.
    """

    start: datetime | None
    keys: tuple[str, ...]
    values: dict[str, Value]
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Freshness:
    """Everything committed before `rolled_up_to` is in the figures; None before the first event.

    `pending_events` are those of keys whose team the reader sees: a number of others' is theirs.
    `recorded_since` is the hour of the earliest usage that is in any figure.
    """

    rolled_up_to: datetime | None
    pending_events: int
    recorded_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    priced_requests: int
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class CostResult:
    """Rows exist only where there is usage; those of one metric add up to its total exactly."""

    query: CostQuery
    currency: str
    rows: list[CostRow]
    totals: dict[str, Value]
    freshness: Freshness
    coverage: Coverage
    previous: CostResult | None
