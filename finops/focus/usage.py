"""Rows of requests: what was used of one bucket on one day, at the prices that rated it.

Costs are linear, so that the sum of what requests of the same price lines used, rated with these
lines, is the sum of their costs: ListUnitPrice × PricingQuantity is ListCost to the last digit, and
the same of what was contracted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from finops.allocation import Line, LineKey
from finops.allocation.lines import ZERO
from finops.focus.months import (
    Month,
    Row,
    charged_during,
    costing,
    priced_at,
    provided_by,
)
from finops.focus.prices import Lines
from finops.pricing.formula import EXACT, Quantities, RatedBucket, Rating

# What each bucket is called, and the unit that it is counted and priced in.
METERS = {
    "uncached_input": ("Input Tokens", "Tokens"),
    "cache_read_input": ("Cached Input Tokens", "Tokens"),
    "cache_creation_5m_input": ("Cache Write Tokens", "Tokens"),
    "cache_creation_1h_input": ("One-Hour Cache Write Tokens", "Tokens"),
    "input_audio": ("Audio Input Tokens", "Tokens"),
    "text_output": ("Output Tokens", "Tokens"),
    "reasoning_output": ("Reasoning Output Tokens", "Tokens"),
    "output_audio": ("Audio Output Tokens", "Tokens"),
    "request": ("Requests", "Requests"),
    "gpu_second": ("GPU Time", "GPU-Seconds"),
}
SERVICE = "Model Inference"


class Labels(NamedTuple):
    """Of requests beside the key of their line; '' where nothing was given."""

    service: str = ""
    environment: str = ""
    region: str = ""
    service_tier: str = ""
    fleet: str = ""


@dataclass(frozen=True, slots=True)
class PricedUsage:
    """What the requests of one day, with the same key and labels, used at the same prices. Those
    without a price are not in it. `fixing_id` is of the exchange rates that prices in another
    currency were converted by."""

    day: date
    key: LineKey
    labels: Labels
    tags: Mapping[str, str]  # activated ones
    price_id: int
    contract_price_id: int | None
    fixing_id: int | None
    quantities: Quantities
    list_cost: Decimal
    effective_cost: Decimal


class Known(NamedTuple):
    """Of a line, as far as rows say it in detail."""

    requests: int = 0
    cost: Decimal = ZERO


class Detail:
    """Turns usage into rows, and keeps count of what they say of each line."""

    def __init__(self, month: Month, lines_of: Callable[[PricedUsage], Lines | None]) -> None:
        self.month, self.lines_of = month, lines_of
        self.known: dict[LineKey, Known] = {}

    def rows(self, used: Iterable[PricedUsage]) -> Iterator[Row]:
        for each in used:
            before = self.known.get(each.key, Known())
            self.known[each.key] = Known(
                before.requests + each.quantities.requests,
                EXACT.add(before.cost, each.effective_cost),
            )
            yield from self.rows_of(each)

    def rows_of(self, used: PricedUsage) -> Iterator[Row]:
        """One for each bucket; one in all where the price lines do not come to what it cost."""
        lines = self.lines_of(used)
        rating = self.rating(used, lines) if lines else None
        if lines is None or rating is None:
            yield self.undivided(used)
            return
        for bucket in rating.buckets:
            if bucket.quantity:
                yield {**self.row(used, bucket), **lines.in_own_currency(bucket)}

    def rating(self, used: PricedUsage, lines: Lines) -> Rating | None:
        """By these lines, if that comes to what the requests cost."""
        try:
            rating = lines.rate(used.quantities, self.month.currency)
        except KeyError:
            return None
        costs = (rating.list_cost, rating.effective_cost)
        return rating if costs == (used.list_cost, used.effective_cost) else None

    def row(self, used: PricedUsage, bucket: RatedBucket) -> Row:
        meter, unit = METERS[bucket.bucket]
        quantity, listed = Decimal(bucket.quantity or 0), bucket.list_unit_price or ZERO
        contracted = bucket.effective_unit_price or ZERO
        cost = bucket.effective_amount or ZERO
        return self.month.row(
            used.key.cost_center,
            **charged_during(self.month.day(used.day)),
            **of_usage(used.key, used.labels),
            **skus(used, bucket.bucket, meter),
            ChargeDescription=f"{used.key.model} {meter}",
            BilledCost=cost,
            EffectiveCost=cost,
            ContractedCost=cost,
            ListCost=bucket.list_amount,
            ListUnitPrice=listed,
            ContractedUnitPrice=contracted,
            PricingQuantity=quantity,
            PricingUnit=unit,
            ConsumedQuantity=quantity,
            ConsumedUnit=unit,
            Tags=tags_of(used),
            x_TokenType=bucket.bucket,
        )

    def undivided(self, used: PricedUsage) -> Row:
        cost = used.effective_cost
        return self.month.row(
            used.key.cost_center,
            **charged_during(self.month.day(used.day)),
            **of_usage(used.key, used.labels),
            **undivided_costs(used.list_cost, cost),
            **skus(used, "all", "Requests"),
            ChargeDescription=f"{used.key.model}, not divided by token type",
            ConsumedQuantity=Decimal(used.quantities.requests),
            ConsumedUnit="Requests",
            Tags=tags_of(used),
        )

    def rest(self, line: Line) -> Iterator[Row]:
        """What is known of a line beside what rows have said: single requests are kept for a time,
        sums for ever. One row for the month."""
        known = self.known.get(line.key, Known())
        if cost := EXACT.subtract(line.direct_cost, known.cost):
            requests = line.usage.requests - line.usage.unpriced_requests - known.requests
            yield self.rest_row(line.key, cost, requests)

    def rest_row(self, key: LineKey, cost: Decimal, requests: int) -> Row:
        sku = f"{key.provider}/{key.model}/all"
        return self.month.row(
            key.cost_center,
            **charged_during(self.month.whole),
            **of_usage(key, Labels()),
            **costing(cost),
            **priced_at(cost, "Statement Lines"),
            ChargeDescription=f"{key.model}, whose single requests are not kept",
            ConsumedQuantity=Decimal(requests),
            ConsumedUnit="Requests",
            SkuId=sku,
            SkuMeter="Requests",
            SkuPriceId=f"{sku}/{self.month.first:%Y-%m}",
            SkuPriceDetails={"x_Model": key.model},
            Tags={"team": key.team, "feature": key.feature},
        )


def of_usage(key: LineKey, labels: Labels) -> Row:
    return {
        **provided_by(key.provider),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "PricingCategory": "Standard",
        "ServiceName": SERVICE,
        "RegionId": labels.region,
        "RegionName": labels.region,
        "ResourceId": labels.fleet,
        "ResourceName": labels.fleet,
        "ResourceType": labels.fleet and "GPU Fleet",
        "x_AllocationColumn": "direct_cost",
        "x_Team": key.team,
        "x_Feature": key.feature,
        "x_Provider": key.provider,
        "x_Model": key.model,
        "x_Service": labels.service,
        "x_Environment": labels.environment,
        "x_Fleet": labels.fleet,
        "x_ServiceTier": labels.service_tier,
    }


def undivided_costs(list_cost: Decimal, cost: Decimal) -> Row:
    """One of what costs that at list, and that as contracted."""
    return {
        **costing(cost),
        **priced_at(cost or list_cost, "Statement Lines"),
        "ListCost": list_cost,
        "ListUnitPrice": EXACT.abs(list_cost),
        "ContractedUnitPrice": EXACT.abs(cost),
    }


def skus(used: PricedUsage, bucket: str, meter: str) -> Row:
    """A SKU stays the same whatever it costs; each price line is a price of it."""
    sku = f"{used.key.provider}/{used.key.model}/{bucket}"
    tier = used.labels.service_tier or "standard"
    return {
        "SkuId": sku,
        "SkuMeter": meter,
        "SkuPriceId": f"{sku}/{tier}/{used.price_id}",
        "SkuPriceDetails": {"x_Model": used.key.model, "x_ServiceTier": tier},
        "x_PriceLine": used.price_id,
        "x_ContractPriceLine": used.contract_price_id,
    }


def tags_of(used: PricedUsage) -> dict[str, str]:
    own = {
        "team": used.key.team,
        "feature": used.key.feature,
        "service": used.labels.service,
        "environment": used.labels.environment,
    }
    return {**used.tags, **{name: value for name, value in own.items() if value}}
