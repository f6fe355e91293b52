"""One line of the price ledger, as the formula and the resolution see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import NamedTuple


class UnitPrices(NamedTuple):
    """What a single unit of each disjoint bucket costs; None where there is no price."""

    uncached_input: Decimal | None = None
    cache_read_input: Decimal | None = None
    cache_creation_5m_input: Decimal | None = None
    cache_creation_1h_input: Decimal | None = None
    input_audio: Decimal | None = None
    text_output: Decimal | None = None
    reasoning_output: Decimal | None = None
    output_audio: Decimal | None = None
    request: Decimal | None = None
    gpu_second: Decimal | None = None


BUCKETS = UnitPrices._fields
TOKEN_BUCKETS = BUCKETS[:8]


@dataclass(frozen=True, slots=True)
class PriceLine:
    """An immutable line: unit prices or a discount, and the requests they hold for.

    `provider`, `model` and `fleet` are the catalogue's own names on catalogue lines and
    case-insensitive glob patterns on all others; empty is everything. An empty `service_tier` is
    every tier. `context_over` above 0 asks for more input tokens than that. The daily window is
    in UTC and may wrap around midnight; the effective range is half-open.
    """

    kind: str
    provider: str
    model: str
    prices: UnitPrices
    id: int = 0
    fleet: str = ""
    cache: str = ""
    service_tier: str = ""
    context_over: int = 0
    daily_from: time | None = None
    daily_to: time | None = None
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    discount_percent: Decimal | None = None
    source: str = ""
    author: str = ""
    note: str = ""
    currency: str = "USD"

    def holds(self, at: datetime, daily: time, input_tokens: int) -> bool:
        """Whether the line holds at an instant, at a UTC time of day, for this much input."""
        return (
            (self.effective_from is None or self.effective_from <= at)
            and (self.effective_to is None or at < self.effective_to)
            and (self.context_over == 0 or input_tokens > self.context_over)
            and self._holds_daily(daily)
        )

    def _holds_daily(self, daily: time) -> bool:
        if self.daily_from is None or self.daily_to is None:
            return True
        if self.daily_from < self.daily_to:
            return self.daily_from <= daily < self.daily_to
        return daily >= self.daily_from or daily < self.daily_to

    @property
    def has_prices(self) -> bool:
        return any(price is not None for price in self.prices)

    def tier_note(self, service_tier: str) -> str:
        """Why a request of this tier is rated with this line, where that is not plain."""
        if self.kind != "catalog" or self.service_tier or service_tier in ("", "standard"):
            return ""
        return f"No separate {service_tier} price is listed: standard price."

    def describe(self) -> str:
        """The line in words: "openai/gpt-5, flex, over 272000 input tokens, from 2026-10-12"."""
        name = f"cache hit ({self.cache})" if self.cache else f"{self.provider}/{self.model}"
        parts = [
            f"fleet {self.fleet}" if self.fleet else name,
            self.service_tier,
            f"over {self.context_over} input tokens" if self.context_over else "",
            f"{self.daily_from:%H:%M}–{self.daily_to:%H:%M} UTC" if self.daily_from else "",
            f"from {self.effective_from:%Y-%m-%d}" if self.effective_from else "",
            f"until {self.effective_to:%Y-%m-%d}" if self.effective_to else "",
            f"{self.discount_percent.normalize():f} % off" if self.discount_percent else "",
        ]
        return ", ".join(part for part in parts if part)
