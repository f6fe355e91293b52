"""What is known of one request, and why it cost what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops.costs import UNATTRIBUTED
from finops.exchange import Conversion
from finops.pricing.formula import RatedBucket
from finops.pricing.lines import PriceLine
from finops.query import TAG_PREFIX, Filter

# Disjoint: no token is in two of them.
INPUT_BUCKETS = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "input_audio_tokens",
)
OUTPUT_BUCKETS = ("text_output_tokens", "reasoning_output_tokens", "output_audio_tokens")
COSTS = (
    "input_cost",
    "cache_read_cost",
    "cache_creation_cost",
    "output_cost",
    "request_cost",
    "effective_cost",
    "list_cost",
)


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """One stored event. Costs are None while it is unpriced; times are UTC.

    `dimensions` has every dimension of a query but tags, "" where it is not given; `tokens` the
    disjoint buckets; `costs` the five parts, effective_cost and list_cost.
    """

    id: str
    event_key: str
    source: str
    started_at: datetime
    received_at: datetime
    format: str
    dimensions: dict[str, str]
    tags: dict[str, str]
    session: str
    tokens: dict[str, int]
    latency_ms: float | None
    ttft_ms: float | None
    stages_ms: dict[str, float]
    quality: float | None
    gpu_seconds: Decimal | None
    prompt_hash: str
    is_normalised: bool
    costs: dict[str, Decimal | None]
    reported_cost: Decimal | None
    price_id: int | None
    contract_price_id: int | None
    fixing_id: int | None = None  # the exchange rates it was rated with, where it needed some
    reverses_key: str | None = None  # of the event that this reversal takes back
    corrects_key: str | None = None  # of the event whose figures this settled row replaces
    trace: RatingTrace | None = None

    @property
    def input_tokens(self) -> int:
        return sum(self.tokens[name] for name in INPUT_BUCKETS)

    @property
    def output_tokens(self) -> int:
        return sum(self.tokens[name] for name in OUTPUT_BUCKETS)

    def passes(self, filters: Sequence[Filter]) -> bool:
        return all((self.label(each.dimension) in each.values) != each.exclude for each in filters)

    def label(self, dimension: str) -> str:
        """What the request is counted as in this dimension."""
        tag = dimension.removeprefix(TAG_PREFIX)
        value = self.dimensions[dimension] if tag == dimension else self.tags.get(tag)
        return value or UNATTRIBUTED

    @property
    def kind(self) -> str:
        """event, reversal or settled."""
        if self.reverses_key:
            return "reversal"
        return "settled" if self.corrects_key else "event"

    @property
    def is_priced(self) -> bool:
        return self.costs["effective_cost"] is not None


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """The ledger line that rated a request, and when it was written and superseded."""

    line: PriceLine
    currency: str
    recorded_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class RatingTrace:
    """Quantity × unit price = amount, bucket by bucket, in the reporting currency.

    The lines are in their own currencies; `conversions` says how their prices came into that.

    `agrees` is False where the ledger lines do not give the stored costs: something has changed
    what must not change, and the stored costs are what every figure counts.
    """

    buckets: tuple[RatedBucket, ...]
    list_price: PriceVersion | None
    contract_price: PriceVersion | None
    list_cost: Decimal | None
    effective_cost: Decimal | None
    agrees: bool
    note: str = ""
    conversions: tuple[Conversion, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestPage:
    """`next_cursor` is None on the last page."""

    rows: list[UsageRequest]
    next_cursor: str | None
