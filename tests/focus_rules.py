"""What FOCUS 1.2 asks of a row, as far as it concerns rows like ours: each rule in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

Row = dict[str, str]
MANDATORY = (
    *("BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodStart"),
    *("BillingPeriodEnd", "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd"),
    *("ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ProviderName"),
    *("PublisherName", "ServiceCategory", "ServiceName"),
    *("PricingCurrency", "PricingCurrencyEffectiveCost"),
    *("ServiceProviderName", "HostProviderName"),  # of 1.3
)
COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
NUMBERS = (
    *COSTS,
    *("ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity"),
    *("CommitmentDiscountQuantity", "PricingCurrencyListUnitPrice"),
    *("PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost"),
)
INSTANTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
SKU = ("SkuId", "SkuPriceId", "ListUnitPrice", "ContractedUnitPrice")
PRICED = (*SKU, "PricingQuantity", "PricingUnit", "PricingCategory")
DECIMAL = re.compile(r"-?\d+\.\d+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CATEGORIES = {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
TOGETHER = (
    ("RegionId", "RegionName"),
    ("ResourceId", "ResourceName"),
    ("ResourceId", "ResourceType"),
    ("SubAccountId", "SubAccountName"),
    ("SubAccountId", "SubAccountType"),
    ("PricingQuantity", "PricingUnit"),
    ("ConsumedQuantity", "ConsumedUnit"),
    ("CommitmentDiscountQuantity", "CommitmentDiscountUnit"),
    ("CommitmentDiscountId", "CommitmentDiscountType"),
    ("AllocatedMethodId", "AllocatedResourceId"),
    ("AllocatedMethodId", "AllocatedMethodDetails"),
)


def problems_of(row: Row) -> list[str]:
    return [
        *of_format(row),
        *of_nulls(row),
        *of_commitments(row),
        *of_products(row),
    ]


def of_format(row: Row) -> Iterator[str]:
    for name in NUMBERS:
        if row[name] and not DECIMAL.fullmatch(row[name]):
            yield f"{name} is no decimal with a point: {row[name]}"
    for name in INSTANTS:
        if not INSTANT.fullmatch(row[name]):
            yield f"{name} is no instant of UTC: {row[name]}"
    for name in ("Tags", "SkuPriceDetails", "AllocatedTags"):
        if row[name] and any(isinstance(each, dict | list) for each in json_of(row, name)):
            yield f"{name} has more than scalars"
    if any(not name.startswith("x_") for name in json.loads(row["SkuPriceDetails"] or "{}")):
        yield "SkuPriceDetails has names of its own without x_"
    if row["ChargeCategory"] not in CATEGORIES or row["ChargeClass"] not in {"", "Correction"}:
        yield "ChargeCategory or ChargeClass has an unknown value"
    if row["ChargePeriodStart"] >= row["ChargePeriodEnd"]:
        yield "the charge period is empty"
    if any(value in {"N/A", "NULL", "None", "null", "-"} for value in row.values()):
        yield "null is an empty field, and nothing else"


def json_of(row: Row, name: str) -> list[object]:
    return list(json.loads(row[name]).values())


def of_nulls(row: Row) -> Iterator[str]:
    for name in MANDATORY:
        if not row[name]:
            yield f"{name} is null"
    for one, other in TOGETHER:
        if bool(row[one]) != bool(row[other]):
            yield f"{one} and {other} are null together or not at all"
    is_correction = row["ChargeClass"] == "Correction"
    if row["ChargeCategory"] in {"Usage", "Purchase"} and not is_correction:
        yield from (f"{name} is null" for name in PRICED if not row[name])
    if row["ChargeCategory"] == "Tax":
        yield from (f"{name} is not null of a tax" for name in PRICED if row[name])
    if row["SkuPriceDetails"] and not row["SkuPriceId"]:
        yield "SkuPriceDetails without SkuPriceId"
    is_unused = row["CommitmentDiscountStatus"] == "Unused"
    wants_quantity = row["ChargeCategory"] == "Usage" and not is_correction and not is_unused
    if wants_quantity and not row["ConsumedQuantity"]:
        yield "ConsumedQuantity is null of usage"
    if row["ConsumedQuantity"] and (row["ChargeCategory"] != "Usage" or is_unused):
        yield "ConsumedQuantity is not null of what was not consumed"
    if row["ChargeCategory"] == "Purchase" and row["ChargeFrequency"] == "Usage-Based":
        yield "a purchase is not usage-based"
    if row["ChargeCategory"] == "Purchase" and Decimal(row["EffectiveCost"]):
        yield "a purchase that covers later charges has no effective cost"


def of_commitments(row: Row) -> Iterator[str]:
    is_usage = row["ChargeCategory"] == "Usage"
    if bool(row["CommitmentDiscountStatus"]) != bool(row["CommitmentDiscountId"] and is_usage):
        yield "CommitmentDiscountStatus is of usage of a commitment, and of nothing else"
    if row["CommitmentDiscountId"] and row["PricingCategory"] != "Committed":
        yield "usage of a commitment is priced as Committed"


def of_products(row: Row) -> Iterator[str]:
    if row["ChargeClass"] == "Correction" or not row["PricingQuantity"]:
        return
    quantity = Decimal(row["PricingQuantity"])
    for price, cost in (("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")):
        if Decimal(row[price]) < 0:
            yield f"{price} is negative"
        if Decimal(row[price]) * quantity != Decimal(row[cost]):
            yield f"{price} × PricingQuantity is not {cost}"
    own = Decimal(row["PricingCurrencyContractedUnitPrice"]) * quantity
    if own != Decimal(row["PricingCurrencyEffectiveCost"]):
        yield "PricingCurrencyContractedUnitPrice × PricingQuantity is not the cost in it"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
