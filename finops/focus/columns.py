"""The columns of the file: those of FOCUS 1.2 by name, then some of 1.3, then our own."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """`kind` is STRING, DECIMAL, DATETIME or JSON, as the specification's metadata name them."""

    name: str
    kind: str = "STRING"
    about: str = ""


MONEY = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
DECIMALS = {
    *MONEY,
    *("CommitmentDiscountQuantity", "ConsumedQuantity", "ContractedUnitPrice", "ListUnitPrice"),
    *("PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost"),
    *("PricingCurrencyListUnitPrice", "PricingQuantity"),
}
INSTANTS = {"BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart"}
JSON = {"SkuPriceDetails", "Tags", "AllocatedMethodDetails", "AllocatedTags"}
FOCUS_1_2 = (
    *("AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName"),
    *("BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart"),
    *("CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart"),
    *("CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName"),
    *("CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType"),
    *("CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedCost"),
    *("ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost"),
    *("ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingCurrencyContractedUnitPrice"),
    *("PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity"),
    *("PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId"),
    *("ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory"),
    *("SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName"),
    *("SubAccountType", "Tags"),
)
FOCUS_1_3 = (
    *("AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId"),
    *("AllocatedResourceName", "AllocatedTags", "HostProviderName", "ServiceProviderName"),
)
OWN = {
    "x_AllocationColumn": "The column of the allocation that the row is part of: direct_cost, "
    "shared_cost, idle_cost or adjustment.",
    "x_CostCenter": "As in the allocation; Unattributed where there is none.",
    "x_Team": "As in the allocation.",
    "x_Feature": "As in the allocation.",
    "x_Provider": "As in the allocation.",
    "x_Model": "As in the allocation.",
    "x_Service": "The service that made the requests.",
    "x_Environment": "Its environment.",
    "x_Fleet": "Of one's own GPUs that answered.",
    "x_ServiceTier": "Standard, batch, flex or priority.",
    "x_TokenType": "The disjoint part of usage that was priced.",
    "x_PriceLine": "The line of the price ledger that gave the list price.",
    "x_ContractPriceLine": "The line of the contract that changed it.",
    "x_CostItem": "What was paid beside requests.",
    "x_CorrectedMonth": "The closed month that the row corrects.",
    "x_CorrectedVersion": "Of its statements.",
    "x_Status": "Draft or closed.",
    "x_StatementVersion": "Of a closed month.",
}


def kind_of(name: str) -> str:
    if name in DECIMALS:
        return "DECIMAL"
    if name in INSTANTS:
        return "DATETIME"
    return "JSON" if name in JSON else "STRING"


COLUMNS = (
    *(Column(name, kind_of(name)) for name in (*FOCUS_1_2, *FOCUS_1_3)),
    *(Column(name, "STRING", about) for name, about in OWN.items()),
)
NAMES = tuple(column.name for column in COLUMNS)
