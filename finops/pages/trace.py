"""A rating trace in words: tokens × unit price = amount, and the ledger lines behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops import formats, labels
from finops.exchange import Conversion
from finops.periods import local_day
from finops.pricing.formula import RatedBucket, list_price_name
from finops.pricing.lines import BUCKETS
from finops.requests import PriceVersion, RatingTrace

KINDS = {
    "catalog": "Public catalogue",
    "contract": "Contract",
    "self_hosted": "Self-hosted rate",
    "cache_hit": "Response-cache hit",
}
UNITS = {"request": "request", "gpu_second": "GPU-second"}


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One bucket; the titles give the price of a single unit."""

    bucket: str
    quantity: str
    list_price: str
    list_title: str
    list_amount: str
    price: str
    price_title: str
    amount: str
    why: str
    is_missing: bool


@dataclass(frozen=True, slots=True)
class PriceCard:
    """The ledger line behind a trace."""

    role: str
    kind: str
    terms: str
    pk: int
    source: str
    recorded: str
    note: str
    superseded: str
    converted: str


def trace_lines(trace: RatingTrace, currency: str) -> list[TraceLine]:
    list_amounts = exact_column(bucket.list_amount for bucket in trace.buckets)
    amounts = exact_column(bucket.effective_amount for bucket in trace.buckets)
    return [
        TraceLine(
            bucket=labels.BUCKETS[bucket.bucket],
            quantity=quantity_of(bucket),
            list_price=formats.unit_price_short(bucket.list_unit_price, unit, currency),
            list_title=formats.unit_price_long(bucket.list_unit_price, unit, currency),
            list_amount=list_amount,
            price=formats.unit_price_short(bucket.effective_unit_price, unit, currency),
            price_title=formats.unit_price_long(bucket.effective_unit_price, unit, currency),
            amount=amount,
            why=", ".join(filter(None, (bucket.why, own_price(bucket, trace)))),
            is_missing=bucket.effective_amount is None,
        )
        for bucket, list_amount, amount in zip(trace.buckets, list_amounts, amounts, strict=True)
        for unit in [UNITS.get(bucket.bucket, "token")]
    ]


def own_price(bucket: RatedBucket, trace: RatingTrace) -> str:
    """ "$2.50 / 1M tokens × 0.8678" where the price that counts is of another currency."""
    index, unit = BUCKETS.index(bucket.bucket), UNITS.get(bucket.bucket, "token")
    for version in (trace.contract_price, trace.list_price):
        if version is not None and (price := version.line.prices[index]) is not None:
            by = next((e for e in trace.conversions if e.currency == version.currency), None)
            own = formats.unit_price_short(price, unit, version.currency)
            return f"{own} × {by.factor:.6g}" if by else ""
    return ""


def exact_column(amounts: Iterable[Decimal | None]) -> list[str]:
    """Every digit of every amount, with the decimal points under each other."""
    texts = [formats.money_exact(amount, "") for amount in amounts]
    longest = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [
        text + "0" * (longest - len(text.partition(".")[2])) if "." in text else text
        for text in texts
    ]


def quantity_of(bucket: RatedBucket) -> str:
    if bucket.quantity is None:
        return formats.MISSING
    if bucket.bucket == "gpu_second":
        return f"{bucket.quantity:,f}{formats.SPACE}s"
    return formats.count_long(bucket.quantity)


def price_cards(trace: RatingTrace, zone: ZoneInfo, now: datetime) -> list[PriceCard]:
    listed = list_price_name(trace.list_price.line if trace.list_price else None).capitalize()
    versions = ((listed, trace.list_price), ("Contract", trace.contract_price))
    said = {each.currency: conversion_text(each) for each in trace.conversions}
    return [
        card(role, version, zone, now, said.get(version.currency, ""))
        for role, version in versions
        if version
    ]


def conversion_text(found: Conversion) -> str:
    """ "1 USD = 0.867829210275102 EUR, European Central Bank, 2026-11-20"."""
    return (
        f"1 {found.currency} = {found.factor:f} {found.into}, {found.source}, "
        f"{found.last.isoformat()}"
    )


def card(
    role: str, version: PriceVersion, zone: ZoneInfo, now: datetime, converted: str
) -> PriceCard:
    line, today = version.line, local_day(now, zone)
    recorded = formats.moment(version.recorded_at, zone, today)
    superseded = version.superseded_at
    return PriceCard(
        role=role,
        kind=KINDS.get(line.kind, line.kind),
        terms=f"#{line.id}: {line.describe()}",
        pk=line.id,
        source=line.source,
        recorded=f"{recorded} by {line.author}" if line.author else recorded,
        note=line.note,
        superseded=formats.moment(superseded, zone, today) if superseded else "",
        converted=converted,
    )


def missing(trace: RatingTrace) -> str:
    """The buckets that were used and have no price, in words."""
    return labels.buckets(each.bucket for each in trace.buckets if each.effective_amount is None)
