"""Rows of what is paid beside requests: one for each cost center's share of each charge, with how
it was split; and of what closed months came to later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops.allocation import Adjustment, Line, LineKey, Share, split
from finops.allocation.capacity import FINEST, Utilization
from finops.allocation.lines import ZERO
from finops.focus.months import OWN, Month, Row, charged_during, costing, priced_at, provided_by
from finops.focus.usage import SERVICE
from finops.periods import add_months, days
from finops.query import UNATTRIBUTED

# Of each kind of cost item: what FOCUS calls the charge, and how often it comes. What is paid by
# the month is used in it: a Purchase is of what covers later charges, and has no effective cost.
CATEGORIES = {
    "fixed": ("Usage", "Recurring"),
    "overhead": ("Adjustment", "Recurring"),
    "commitment": ("Usage", "Usage-Based"),
    "fleet": ("Usage", "Usage-Based"),
    "credit": ("Credit", "Recurring"),
    "tax": ("Tax", "Recurring"),
    "true_up": ("Adjustment", "One-Time"),
}
RESOURCES = {
    "fixed": "Platform",
    "overhead": "Overhead",
    "commitment": "Capacity",
    "fleet": "GPU Fleet",
    "credit": "Credit",
    "tax": "Tax",
    "true_up": "True-Up",
}
UNITS = {"tokens": "Tokens", "requests": "Requests", "gpu_seconds": "GPU-Seconds"}
# What a proportion is of, in FOCUS's units; money is in the currency of the books.
MEASURES = {"requests": "Requests", "tokens": "Tokens"}
METHODS = {"even": "Shares", "fixed": "Percent", "weighted": "Weights"}


@dataclass(frozen=True, slots=True)
class Item:
    """What a cost item was in the month; `unit` and `use` are those of paid capacity."""

    kind: str = ""
    name: str = ""
    unit: str = ""
    use: Utilization | None = None


def share_rows(month: Month, shares: Sequence[Share], items: Mapping[str, Item]) -> Iterator[Row]:
    charges: dict[tuple[str, str], list[Share]] = {}
    for share in shares:
        charges.setdefault((share.item, share.column), []).append(share)
    for (key, column), parts in charges.items():
        item = items.get(key, Item())
        # Each of a charge's shares once: what they are split by, none of which may be all.
        weights = {n: each.weight for n, each in enumerate(parts)}
        ratios = split(Decimal(1), weights, FINEST)
        units = capacity_of(item, column)
        quantities = split(units, weights, FINEST) if units else dict.fromkeys(weights, ZERO)
        for n, share in enumerate(parts):
            row = share_row(month, share, item, ratios.get(n, ZERO))
            yield row | capacity_columns(share, item, quantities.get(n, ZERO))


def share_row(month: Month, share: Share, item: Item, ratio: Decimal) -> Row:
    category, frequency = CATEGORIES.get(item.kind, ("Adjustment", "Recurring"))
    name, resource = item.name or share.name, f"cost-item-{share.item}"
    return month.row(
        share.cost_center,
        **charged_during(month.whole),
        **costing(share.amount),
        **provided_by(OWN),
        **(prices_of(month, share) if category == "Usage" else {}),
        **split_by(share, ratio, month.currency),
        ChargeCategory=category,
        ChargeFrequency=frequency,
        ChargeDescription=share.name,
        ServiceName=name,
        ResourceId=resource,
        ResourceName=name,
        ResourceType=RESOURCES.get(item.kind, "Cost Item"),
        x_AllocationColumn=share.column,
        x_CostItem=share.name,
    )


def prices_of(month: Month, share: Share) -> Row:
    sku = f"cost-item-{share.item}/{share.column}"
    return {
        **priced_at(share.amount, "Shares"),
        "ConsumedQuantity": Decimal(1),
        "ConsumedUnit": "Shares",
        "PricingCategory": "Standard",
        "SkuId": sku,
        "SkuMeter": "Shares",
        "SkuPriceId": f"{sku}/{month.first:%Y-%m}",
        "SkuPriceDetails": {"x_Charge": share.name},
    }


def split_by(share: Share, ratio: Decimal, currency: str) -> Row:
    """How the charge was split: ratios of one charge add up to 1. What has no cost center is what
    the split left."""
    if share.cost_center == UNATTRIBUTED:
        return {}
    unit = METHODS.get(share.method) or MEASURES.get(share.measure, currency)
    is_proportion = share.method == "proportional"
    details = {"AllocatedRatio": ratio, "UsageUnit": unit, "UsageQuantity": share.weight}
    return {
        "AllocatedMethodId": f"{share.method}:{share.measure}" if is_proportion else share.method,
        "AllocatedMethodDetails": {"Elements": [details]},
        "AllocatedResourceId": share.cost_center,
        "AllocatedResourceName": share.cost_center,
        "AllocatedTags": {"cost_center": share.cost_center},
    }


def capacity_of(item: Item, column: str) -> Decimal:
    """How much of the capacity the charge is about."""
    if item.use is None:
        return ZERO
    return item.use.used if column == "shared_cost" else item.use.capacity - item.use.used


def capacity_columns(share: Share, item: Item, quantity: Decimal) -> Row:
    """Of capacity, used and not. Tokens and requests are consumed once, in rows of their own."""
    if item.use is None:
        return {}
    is_used, unit = share.column == "shared_cost", UNITS[item.unit]
    if item.kind == "fleet":
        return {"ConsumedQuantity": ZERO if is_used else quantity, "ConsumedUnit": unit}
    is_gpu = item.unit == "gpu_seconds"
    return {
        "ConsumedQuantity": ZERO if is_used else None,
        "ConsumedUnit": unit if is_used else None,
        "PricingCategory": "Committed",
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": f"cost-item-{share.item}",
        "CommitmentDiscountName": item.name,
        "CommitmentDiscountType": "Reserved GPUs" if is_gpu else "Provisioned Throughput",
        "CommitmentDiscountStatus": "Used" if is_used else "Unused",
        "CommitmentDiscountQuantity": quantity,
        "CommitmentDiscountUnit": unit,
    }


def borne_rows(month: Month, line: Line) -> Iterator[Row]:
    """What a line bears of what was shared out, for who sees some teams: no shares are told."""
    for column, amount in (("shared_cost", line.shared_cost), ("idle_cost", line.idle_cost)):
        if amount:
            yield month.row(
                line.key.cost_center,
                **charged_during(month.whole),
                **costing(amount),
                **provided_by(OWN),
                **line_names(line.key),
                ChargeCategory="Adjustment",
                ChargeFrequency="Recurring",
                ChargeDescription="Shared cost" if column == "shared_cost" else "Idle cost",
                ServiceName=SERVICE,
                x_AllocationColumn=column,
            )


def correction_rows(month: Month, adjustments: Iterable[Adjustment]) -> Iterator[Row]:
    """Of the period that they correct; billed in this one."""
    for each in adjustments:
        corrected = days(each.month, add_months(each.month, 1), month.zone)
        yield month.row(
            each.key.cost_center or UNATTRIBUTED,
            **charged_during(corrected),
            **costing(each.amount),
            **provided_by(each.key.provider or OWN),
            ChargeCategory="Adjustment" if each.item else "Usage",
            ChargeClass="Correction",
            ChargeFrequency="One-Time",
            ChargeDescription=f"{each.month:%B %Y}, version {each.version}: {each.reason}",
            ServiceName=SERVICE,
            x_AllocationColumn="adjustment",
            x_CorrectedMonth=f"{each.month:%Y-%m}",
            x_CorrectedVersion=each.version,
            **line_names(each.key),
        )


def line_names(key: LineKey) -> Row:
    return {
        "x_Team": key.team,
        "x_Feature": key.feature,
        "x_Provider": key.provider,
        "x_Model": key.model,
    }
