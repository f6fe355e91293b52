"""Bills as tables: FOCUS (1.0 to 1.3), AWS cost and usage reports, and any CSV with a mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops.pricing.formula import EXACT
from finops.reconciliation.fields import Fields
from finops.reconciliation.inference import is_cloud, is_inference
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
UNITS = re.compile(r"^\s*(\d{1,12}(?:\.\d{1,9})?)?\s*([KMB]?)\s*tokens?\b", re.IGNORECASE)
TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
# "USE1-Claude3.5Sonnet-input-tokens-batch"
CUR_USAGE = re.compile(r"^(?:[A-Z]{2,4}\d?-)?(?P<model>.+?)-(?:input|output|cache|prompt).*$", re.I)
KINDS = "write input, output, cache read, cache write or requests"
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
    """FOCUS has a charge a row; the model is where providers write it. None of what is no
    inference, or of a row that is wrong."""
    provider = row.get("ServiceProviderName") or row.get("ProviderName") or ""
    details = sku_details(row.get("SkuPriceDetails", ""))
    model = details.get("x_Model") or row.get("x_Model") or ""
    unit, currency = row.get("ConsumedUnit", ""), row.get("BillingCurrency")
    amount = fields.number(f"{place}, BilledCost", row.get("BilledCost", ""))
    named = [row.get(name, "") for name in ("ServiceName", "ServiceSubcategory", "x_ServiceCode")]
    metered = [unit, row.get("PricingUnit", ""), row.get("SkuMeter", "")]
    if (
        is_cloud(provider)
        and not model
        and not is_inference(named, metered, row.get("ServiceCategory", ""))
    ):
        fields.left_out.add(amount, fields.currency(f"{place}, BillingCurrency", currency))
        return None
    if amount is None:
        fields.wrong(f"{place}, BilledCost", "is empty")
    category = CATEGORIES.get(row.get("ChargeCategory", "").strip().lower(), FEE)
    span = span_of(row, category, fields, place)
    meter = " ".join(
        row.get(name, "") for name in ("x_TokenType", "SkuMeter", "ChargeDescription", "SkuId")
    )
    kind = kind_of(details.get("x_TokenType", "") or meter)
    quantity = fields.number(f"{place}, ConsumedQuantity", row.get("ConsumedQuantity", ""))
    times = tokens_in(unit)
    if span is None:
        return None
    return BillLine(
        fields.provider(f"{place}, ProviderName", provider),
        "focus",
        span[0],
        model=fields.text(f"{place}, x_Model", model),
        kind=kind if times else "",
        account=fields.text(
            f"{place}, SubAccountId", row.get("SubAccountId") or row.get("BillingAccountId")
        ),
        detail=fields.text(f"{place}, SkuPriceId", row.get("SkuPriceId", "")),
        quantity=EXACT.multiply(quantity, times) if quantity is not None and times else None,
        amount=amount,
        currency=fields.currency(f"{place}, BillingCurrency", currency),
        category=category,
        grouping=("focus",),
        slot=span[1],
    )


def span_of(
    row: Mapping[str, str], category: str, fields: Fields, place: str
) -> tuple[date, str] | None:
    """The day of a charge. Usage of several days is refused, as nobody knows how it is spread; what
    is no usage (a tax, a fee of the month) stands on the first day of what it is for."""
    start, end = row.get("ChargePeriodStart", ""), row.get("ChargePeriodEnd", "")
    if category == USAGE:
        return fields.span(f"{place}, ChargePeriodStart", start, end)
    day = fields.day(f"{place}, ChargePeriodStart", start)
    return None if day is None else (day, "")


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
    """Of AWS's own report. None of what is no inference, or of a row that is wrong."""
    start, end = (row.get(f"line_item_usage_{name}_date", "") for name in ("start", "end"))
    amount = fields.number(f"{place}, unblended cost", row.get("line_item_unblended_cost", ""))
    usage, code = row.get("line_item_usage_type", ""), row.get("line_item_product_code", "")
    currency = fields.currency(f"{place}, currency code", row.get("line_item_currency_code"))
    named = [code, row.get("product_product_name", ""), row.get("line_item_legal_entity", "")]
    described = row.get("line_item_line_item_description", "")
    unit = row.get("pricing_unit", "")
    if not is_inference([*named, described], [unit, usage]):
        fields.left_out.add(amount, currency)
        return None
    category = CUR_CATEGORIES.get(row.get("line_item_line_item_type", "").lower(), FEE)
    where = f"{place}, line_item_usage_start_date"
    if category == USAGE:
        span = fields.span(where, start, end)
    else:
        day = fields.day(where, start)
        span = None if day is None else (day, "")
    kind, found = kind_of(usage), CUR_USAGE.match(usage)
    quantity = fields.number(f"{place}, usage amount", row.get("line_item_usage_amount", ""))
    times = tokens_in(unit) or (Decimal(1_000) if kind else None)
    if span is None:
        return None
    return BillLine(
        "aws",
        "aws cost and usage",
        span[0],
        model=fields.text(f"{place}, usage type", found["model"] if kind and found else ""),
        kind=kind,
        account=fields.text(f"{place}, usage account", row.get("line_item_usage_account_id")),
        detail=fields.text(f"{place}, usage type", f"{code} {usage}".strip()),
        quantity=EXACT.multiply(quantity, times)
        if kind and quantity is not None and times
        else None,
        amount=amount,
        currency=currency,
        category=category,
        grouping=("cur",),
        slot=span[1],
    )


def cur_name(name: str) -> str:
    """lineItem/UsageStartDate and line_item_usage_start_date are one."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("/", "_")).lower()


def mapped_lines(
    row: Mapping[str, str], mapping: ColumnMapping, fields: Fields, place: str
) -> Iterator[BillLine]:
    """Of a row of any other table."""

    def cell(name: str) -> str:
        return row.get(mapping.columns.get(name, ""), "")

    def where(name: str) -> str:
        return f"{place}, {mapping.columns.get(name, name)}"

    before = len(fields.problems)
    day = fields.day(where("day"), cell("day"))
    quantity, amount = (fields.number(where(name), cell(name)) for name in ("quantity", "amount"))
    if quantity is None and amount is None and len(fields.problems) == before:
        fields.wrong(place, "has neither a quantity nor an amount")
    provider = cell("provider") or mapping.provider
    if not provider:
        fields.wrong(place, "names no provider; name a column or one for all lines")
    words = cell("kind").strip().lower()
    kind = REQUEST if words in {"request", "requests"} else kind_of(words)
    if quantity is not None and not kind:
        fields.wrong(where("kind"), f"{words[:40]!r} says not what the quantity is of: {KINDS}")
    line = BillLine(
        fields.provider(where("provider"), provider),
        "csv",
        day or date.min,
        model=fields.text(where("model"), cell("model")),
        kind=kind,
        account=fields.text(where("account"), cell("account")),
        detail=fields.text(where("detail"), f"{cell('detail')} {'' if kind else words}".strip()),
        quantity=quantity
        if quantity is None or kind == REQUEST
        else EXACT.multiply(quantity, mapping.unit),
        amount=amount,
        currency=fields.currency(where("currency"), cell("currency") or mapping.currency),
        category=CREDIT if amount is not None and amount < 0 else USAGE,
        grouping=tuple(name for name in MAPPED if mapping.columns.get(name)),
    )
    if day is not None:
        yield line
