"""What every row of a month says, and rows that are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from finops.periods import Period, add_months, days
from finops.pricing.formula import EXACT
from finops.query import UNATTRIBUTED

Row = dict[str, Any]
# Who charges for what names no provider: seats and overhead are the organization's own business.
OWN = "Own organization"
ACCOUNT = {
    "BillingAccountId": "farthing",
    "BillingAccountName": "Farthing",
    "BillingAccountType": "Organization",
}


@dataclass(frozen=True, slots=True)
class Month:
    """`version` is that of the statement it was closed as; None of a draft."""

    first: date
    zone: ZoneInfo
    currency: str
    version: int | None = None

    @property
    def status(self) -> str:
        return "draft" if self.version is None else "closed"

    @property
    def whole(self) -> Period:
        return days(self.first, add_months(self.first, 1), self.zone)

    def day(self, day: date) -> Period:
        return days(day, day + timedelta(days=1), self.zone)

    def row(self, cost_center: str, **values: Any) -> Row:
        """With what is the same in every row, and whose cost it is. Prices are in the currency of
        the books, unless the values say otherwise."""
        center = None if cost_center == UNATTRIBUTED else cost_center
        return {
            **ACCOUNT,
            "BillingCurrency": self.currency,
            "PricingCurrency": self.currency,
            "PricingCurrencyEffectiveCost": values["EffectiveCost"],
            "PricingCurrencyListUnitPrice": values.get("ListUnitPrice"),
            "PricingCurrencyContractedUnitPrice": values.get("ContractedUnitPrice"),
            "BillingPeriodStart": self.whole.start,
            "BillingPeriodEnd": self.whole.end,
            "ServiceCategory": "AI and Machine Learning",
            "ServiceSubcategory": "Generative AI",
            "SubAccountId": center,
            "SubAccountName": center,
            "SubAccountType": center and "Cost Center",
            "x_CostCenter": cost_center,
            "x_Status": self.status,
            "x_StatementVersion": self.version,
            **values,
        }


def charged_during(period: Period) -> Row:
    return {"ChargePeriodStart": period.start, "ChargePeriodEnd": period.end}


def costing(amount: Decimal) -> Row:
    """What has no price of its own costs the same by every measure."""
    return dict.fromkeys(("BilledCost", "EffectiveCost", "ContractedCost", "ListCost"), amount)


def provided_by(provider: str) -> Row:
    names = ("ProviderName", "PublisherName", "InvoiceIssuerName")
    return dict.fromkeys((*names, "ServiceProviderName", "HostProviderName"), provider)


def priced_at(amount: Decimal, unit: str) -> Row:
    """One of something that has no finer price; no price is negative, what is given back is."""
    return {
        "PricingQuantity": Decimal(-1 if amount < 0 else 1),
        "PricingUnit": unit,
        "ListUnitPrice": EXACT.abs(amount),
        "ContractedUnitPrice": EXACT.abs(amount),
    }


def utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
