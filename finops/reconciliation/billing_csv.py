"""Bills as tables: FOCUS (1.0 to 1.3), AWS cost and usage reports, and any CSV with a mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from finops.pricing.formula import EXACT
from finops.reconciliation.fields import Fields
from finops.reconciliation.lines import CREDIT, FEE, REQUEST, TAX, USAGE, BillLine, kind_of

FOCUS_COLUMNS = {"BilledCost", "ChargeCategory", "ChargePeriodStart"}
CUR_COLUMNS = {"line_item_usage_start_date", "line_item_unblended_cost"}
# FOCUS says what a charge is; what is bought ahead or adjusted is no usage.
CATEGORIES = {"usage": USAGE, "credit": CREDIT, "tax": TAX}
CUR_CATEGORIES = {
    "usage": USAGE,
    "discountedusage": USAGE,
    "savingsplancoveredusage": USAGE,
    "credit": CREDIT,
    "refund": CREDIT,
    "tax": TAX,
}
UNITS = re.compile(r"^\s*(\d+(?:\.\d+)?)?\s*([KMB]?)\s*tokens?\b", re.IGNORECASE)
TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
# "USE1-Claude3.5Sonnet-input-tokens-batch"
CUR_USAGE = re.compile(r"^(?:[A-Z]{2,4}\d?-)?(?P<model>.+?)-(?:input|output|cache|prompt).*$", re.I)
MAPPED = ("day", "provider", "model", "kind", "account", "quantity", "amount", "currency", "detail")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column of a table of one's own is what; "" of what it has not. `provider` and
    `currency` may be given instead of a column. `unit` is how many tokens one of the quantity
    is."""

    columns: Mapping[str, str]
    provider: str = ""
    currency: str = "USD"
    unit: Decimal = Decimal(1)


def focus_line(row: Mapping[str, str], fields: Fields, place: str) -> BillLine | None:
    """FOCUS has a charge a row; the model is where providers write it."""
    day = fields.day(f"{place}, ChargePeriodStart", row.get("ChargePeriodStart", ""))
    amount = fields.number(f"{place}, BilledCost", row.get("BilledCost", ""))
    if amount is None:
        fields.wrong(f"{place}, BilledCost", "is empty")
    details = sku_details(row.get("SkuPriceDetails", ""))
    meter = " ".join(
        row.get(name, "") for name in ("x_TokenType", "SkuMeter", "ChargeDescription", "SkuId")
    )
    kind = kind_of(details.get("x_TokenType", "") or meter)
    quantity = fields.number(f"{place}, ConsumedQuantity", row.get("ConsumedQuantity", ""))
    times = tokens_in(row.get("ConsumedUnit", ""))
    provider = row.get("ServiceProviderName") or row.get("ProviderName") or ""
    category = CATEGORIES.get(row.get("ChargeCategory", "").strip().lower(), FEE)
    if day is None:
        return None
    return BillLine(
        fields.text(f"{place}, ProviderName", provider).lower(),
        "focus",
        day,
        model=fields.text(place, details.get("x_Model") or row.get("x_Model")),
        kind=kind if times else "",
        account=fields.text(place, row.get("SubAccountId") or row.get("BillingAccountId")),
        detail=fields.text(
            place, f"{row.get('ChargePeriodStart', '')[:13]} {row.get('SkuPriceId', '')}".strip()
        ),
        quantity=EXACT.multiply(quantity, times) if quantity is not None and times else None,
        amount=amount,
        currency=fields.currency(f"{place}, BillingCurrency", row.get("BillingCurrency")),
        category=category,
        grouping=("focus",),
    )


def sku_details(text: str) -> dict[str, str]:
    """SkuPriceDetails, a JSON object in a cell."""
    try:
        held = json.loads(text) if text.strip() else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in held.items()} if isinstance(held, dict) else {}


def tokens_in(unit: str) -> Decimal | None:
    """How many tokens one of the unit is: "Tokens", "1K tokens", "1000000 Tokens"; else None."""
    found = UNITS.match(unit)
    if not found:
        return None
    return Decimal(found[1] or 1) * TIMES[found[2].upper()]


def cur_line(row: Mapping[str, str], fields: Fields, place: str) -> BillLine | None:
    """Of AWS's own report, whose columns are written with / or _ between their words."""
    start = row.get("line_item_usage_start_date", "")
    day = fields.day(f"{place}, line_item_usage_start_date", start)
    amount = fields.number(f"{place}, unblended cost", row.get("line_item_unblended_cost", ""))
    usage = row.get("line_item_usage_type", "")
    kind, found = kind_of(usage), CUR_USAGE.match(usage)
    quantity = fields.number(f"{place}, usage amount", row.get("line_item_usage_amount", ""))
    times = tokens_in(row.get("pricing_unit", "")) or (Decimal(1_000) if kind else None)
    if day is None:
        return None
    return BillLine(
        "aws",
        "aws cost and usage",
        day,
        model=fields.text(place, found["model"] if kind and found else ""),
        kind=kind,
        account=fields.text(place, row.get("line_item_usage_account_id")),
        detail=fields.text(
            place, " ".join([start[:13], row.get("line_item_product_code", ""), usage]).strip()
        ),
        quantity=EXACT.multiply(quantity, times)
        if kind and quantity is not None and times
        else None,
        amount=amount,
        currency=fields.currency(f"{place}, currency code", row.get("line_item_currency_code")),
        category=CUR_CATEGORIES.get(row.get("line_item_line_item_type", "").lower(), FEE),
        grouping=("cur",),
    )


def cur_names(row: Mapping[str, str]) -> dict[str, str]:
    """lineItem/UsageStartDate and line_item_usage_start_date are one."""
    return {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("/", "_")).lower(): value
        for name, value in row.items()
    }


def mapped_lines(
    row: Mapping[str, str], mapping: ColumnMapping, fields: Fields, place: str
) -> Iterator[BillLine]:
    """Of a row of any other table."""

    def cell(name: str) -> str:
        return row.get(mapping.columns.get(name, ""), "")

    day = fields.day(f"{place}, {mapping.columns.get('day', 'day')}", cell("day"))
    quantity, amount = (
        fields.number(f"{place}, {mapping.columns.get(name, name)}", cell(name))
        for name in ("quantity", "amount")
    )
    if quantity is None and amount is None:
        fields.wrong(place, "has neither a quantity nor an amount")
    provider = cell("provider") or mapping.provider
    if not provider:
        fields.wrong(place, "names no provider; name a column or one for all lines")
    words = cell("kind").strip().lower()
    kind = REQUEST if words in {"request", "requests"} else kind_of(words)
    if day is None:
        return
    yield BillLine(
        fields.text(place, provider).lower(),
        "csv",
        day,
        model=fields.text(place, cell("model")),
        kind=kind,
        account=fields.text(place, cell("account")),
        detail=fields.text(place, f"{cell('detail')} {words if not kind else ''}".strip()),
        quantity=quantity
        if quantity is None or kind == REQUEST
        else EXACT.multiply(quantity, mapping.unit),
        amount=amount,
        currency=fields.currency(place, cell("currency") or mapping.currency),
        category=CREDIT if amount is not None and amount < 0 else USAGE,
        grouping=tuple(name for name in MAPPED if mapping.columns.get(name)),
    )
