"""Anthropic's usage and cost reports (Admin API) and the CSV of its console.

`uncached_input_tokens` leaves the cache out. Amounts of the cost report are text in the smallest
coin: "123.45" in USD is $1.2345.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from finops.pricing.formula import EXACT
from finops.reconciliation.fields import Fields, objects
from finops.reconciliation.lines import (
    CACHE_CREATION,
    CACHE_READ,
    CREDIT,
    FEE,
    OUTPUT,
    UNCACHED_INPUT,
    USAGE,
    BillLine,
    kind_of,
)

PROVIDER = "anthropic"
GROUPS = (
    *("workspace_id", "api_key_id", "model", "service_tier", "context_window"),
    *("inference_geo", "description"),
)
CSV_COLUMNS = {"usage_date_utc", "model_version", "usage_input_tokens_no_cache"}
TOKENS = {
    "usage_input_tokens_no_cache": UNCACHED_INPUT,
    "usage_input_tokens_cache_write_5m": CACHE_CREATION,
    "usage_input_tokens_cache_write_1h": CACHE_CREATION,
    "usage_input_tokens_cache_read": CACHE_READ,
    "usage_output_tokens": OUTPUT,
}
WRITTEN = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
DETAILS = ("usage_type", "context_window", "inference_geo", "speed")


def is_usage(result: Mapping[str, Any]) -> bool:
    return "uncached_input_tokens" in result


def is_cost(result: Mapping[str, Any]) -> bool:
    return isinstance(result.get("amount"), str)


def is_page(value: Mapping[str, Any]) -> bool:
    return any(
        is_usage(result) or is_cost(result)
        for bucket in objects(value.get("data"))
        for result in objects(bucket.get("results"))
    )


def lines(page: Mapping[str, Any], fields: Fields, where: str) -> Iterator[BillLine]:
    for number, bucket in enumerate(objects(page.get("data"))):
        place = f"{where}data[{number}]"
        span = fields.span(place, bucket.get("starting_at"), bucket.get("ending_at"))
        for at, result in enumerate(objects(bucket.get("results"))):
            if span is not None:
                for each in result_lines(result, span[0], fields, f"{place}.results[{at}]"):
                    yield replace(each, slot=span[1])


def empty_days(page: Mapping[str, Any]) -> Iterator[date]:
    """Of a page of costs: what it says nothing was billed on."""
    buckets = objects(page.get("data"))
    if not any(is_cost(result) for bucket in buckets for result in objects(bucket.get("results"))):
        return
    for bucket in buckets:
        span = Fields().span("", bucket.get("starting_at"), bucket.get("ending_at"))
        if bucket.get("results") == [] and span is not None and not span[1]:
            yield span[0]


def result_lines(
    result: Mapping[str, Any], day: date, fields: Fields, place: str
) -> Iterator[BillLine]:
    if is_usage(result):
        yield from usage_lines(result, day, fields, place)
    else:
        yield cost_line(result, day, fields, place)


def usage_lines(
    result: Mapping[str, Any], day: date, fields: Fields, place: str
) -> Iterator[BillLine]:
    written = result.get("cache_creation")
    parts = written if isinstance(written, Mapping) else {}
    counts = [
        (UNCACHED_INPUT, "uncached_input_tokens", result.get("uncached_input_tokens"), ""),
        (CACHE_READ, "cache_read_input_tokens", result.get("cache_read_input_tokens"), ""),
        (OUTPUT, "output_tokens", result.get("output_tokens"), ""),
        *((CACHE_CREATION, name, parts.get(name), name) for name in WRITTEN),
    ]
    for kind, name, given, part in counts:
        quantity = fields.number(f"{place}.{name}", given)
        if quantity is not None:
            yield BillLine(
                PROVIDER,
                "anthropic usage",
                day,
                model=fields.text(f"{place}.model", result.get("model")),
                kind=kind,
                account=account_of(result, fields, place),
                detail=" ".join([*details(result, fields, place), *([part] if part else [])]),
                quantity=quantity,
                grouping=grouping(result),
            )


def cost_line(result: Mapping[str, Any], day: date, fields: Fields, place: str) -> BillLine:
    cents = fields.number(f"{place}.amount", result.get("amount"))
    if cents is None:
        fields.wrong(place, "has no amount")
    token_type = fields.text(f"{place}.token_type", result.get("token_type"))
    kind = kind_of(token_type)
    is_usage = result.get("cost_type") in (None, "tokens")
    return BillLine(
        PROVIDER,
        "anthropic costs",
        day,
        model=fields.text(f"{place}.model", result.get("model")),
        kind=kind,
        account=account_of(result, fields, place),
        detail=" ".join([*details(result, fields, place), token_type]).strip(),
        amount=None if cents is None else EXACT.scaleb(cents, -2),
        currency=fields.currency(f"{place}.currency", result.get("currency")),
        category=CREDIT if cents is not None and cents < 0 else USAGE if is_usage else FEE,
        grouping=grouping(result),
    )


def csv_lines(row: Mapping[str, str], fields: Fields, place: str) -> Iterator[BillLine]:
    """Of one row of the console's CSV."""
    day = fields.day(f"{place}, usage_date_utc", row.get("usage_date_utc", ""))
    for column, kind in TOKENS.items():
        quantity = fields.number(f"{place}, {column}", row.get(column, ""))
        if day is not None and quantity is not None:
            yield BillLine(
                PROVIDER,
                "anthropic usage",
                day,
                model=fields.text(f"{place}, model_version", row.get("model_version")),
                kind=kind,
                account=fields.text(place, row.get("api_key") or row.get("workspace")),
                detail=fields.text(
                    place, " ".join([*(row.get(name) or "-" for name in DETAILS), column[-2:]])
                ),
                quantity=quantity,
                grouping=("api_key", "model_version", *DETAILS),
            )


def account_of(result: Mapping[str, Any], fields: Fields, place: str) -> str:
    """The key where the report is by key, else the workspace."""
    for name in ("api_key_id", "workspace_id"):
        if result.get(name):
            return fields.text(f"{place}.{name}", result[name])
    return ""


def details(result: Mapping[str, Any], fields: Fields, place: str) -> list[str]:
    return [fields.text(f"{place}.{name}", result[name]) for name in GROUPS[3:] if result.get(name)]


def grouping(result: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in GROUPS if result.get(name) is not None)
