"""OpenAI's organization usage and cost reports, as the API answers them (pages of buckets).

Usage: `input_tokens` includes what was read from the cache and written to it. Costs: `amount.value`
is in dollars, `line_item` reads "gpt-4o-2024-08-06, cached input".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from finops.reconciliation.fields import Fields, objects
from finops.reconciliation.lines import (
    CACHE_CREATION,
    CACHE_READ,
    CREDIT,
    FEE,
    OUTPUT,
    REQUEST,
    UNCACHED_INPUT,
    USAGE,
    BillLine,
    kind_of,
)

PROVIDER = "openai"
PREFIX = "organization."
COSTS = "organization.costs.result"
# Each endpoint reports its own requests: their reports stand beside one another.
USAGE_REPORTS = "openai usage"
# What a result may be by; null where the report is not.
GROUPS = ("project_id", "api_key_id", "user_id", "model", "batch", "service_tier")
OF_COSTS = ("project_id", "api_key_id", "line_item")
ENDPOINT = re.compile(r"[a-z_]{1,30}")


def is_page(value: Mapping[str, Any]) -> bool:
    return any(
        str(result.get("object", "")).startswith(PREFIX)
        for bucket in objects(value.get("data"))
        for result in objects(bucket.get("results"))
    )


def lines(page: Mapping[str, Any], fields: Fields, where: str) -> Iterator[BillLine]:
    for number, bucket in enumerate(objects(page.get("data"))):
        place = f"{where}data[{number}]"
        span = fields.span(place, bucket.get("start_time"), bucket.get("end_time"))
        for at, result in enumerate(objects(bucket.get("results"))):
            inner = f"{place}.results[{at}]"
            if span is None:
                continue
            found = (
                [cost_line(result, span[0], fields, inner)]
                if result.get("object") == COSTS
                else usage_lines(result, span[0], fields, inner)
            )
            yield from (replace(each, slot=span[1]) for each in found)


def empty_days(page: Mapping[str, Any]) -> Iterator[date]:
    """Of a page of costs: what it says nothing was billed on."""
    buckets = objects(page.get("data"))
    if not any(
        result.get("object") == COSTS
        for bucket in buckets
        for result in objects(bucket.get("results"))
    ):
        return
    for bucket in buckets:
        quiet = Fields()
        span = quiet.span("", bucket.get("start_time"), bucket.get("end_time"))
        if bucket.get("results") == [] and span is not None and not span[1]:
            yield span[0]


def cost_line(result: Mapping[str, Any], day: date, fields: Fields, place: str) -> BillLine:
    amount = result.get("amount")
    held = amount if isinstance(amount, Mapping) else {}
    value = fields.number(f"{place}.amount.value", held.get("value"))
    if value is None:
        fields.wrong(f"{place}.amount", "has no value")
    item = fields.text(f"{place}.line_item", result.get("line_item"))
    model, _, words = item.partition(", ")
    kind = kind_of(words)
    category = USAGE if kind or not item else FEE
    return BillLine(
        PROVIDER,
        "openai costs",
        day,
        model=model if kind else "",
        kind=kind,
        account=account_of(result, fields, place),
        detail=item,
        amount=value,
        currency=fields.currency(f"{place}.amount.currency", held.get("currency")),
        category=CREDIT if value is not None and value < 0 else category,
        grouping=grouping(result, OF_COSTS),
    )


def usage_lines(
    result: Mapping[str, Any], day: date, fields: Fields, place: str
) -> Iterator[BillLine]:
    """A line by kind of tokens, and one of the requests. Results of what is not counted in tokens,
    as images, have that alone."""
    what = str(result.get("object", "")).removeprefix(PREFIX).removesuffix(".result")
    what = what.removeprefix("usage.")
    if not ENDPOINT.fullmatch(what):
        fields.wrong(f"{place}.object", "is no usage result of OpenAI's, as they are known here")
        return
    said = [
        f"{name}={fields.text(f'{place}.{name}', str(result[name]))}"
        for name in ("user_id", *GROUPS[4:])
        if result.get(name)
    ]
    detail = " ".join([what, *said])

    def count(name: str) -> Decimal | None:
        return fields.number(f"{place}.{name}", result.get(name))

    whole, read, written = (
        count(name) for name in ("input_tokens", "input_cached_tokens", "input_cache_write_tokens")
    )
    uncached = count("input_uncached_tokens")
    if uncached is None and whole is not None:
        uncached = whole - (read or 0) - (written or 0)
    for kind, quantity in (
        (UNCACHED_INPUT, uncached),
        (CACHE_READ, read),
        (CACHE_CREATION, written),
        (OUTPUT, count("output_tokens")),
        (REQUEST, count("num_model_requests")),
    ):
        if quantity is not None and quantity < 0:
            fields.wrong(place, f"has {quantity} tokens of {kind}: parts exceed the whole")
        elif quantity is not None:
            yield BillLine(
                PROVIDER,
                f"{USAGE_REPORTS} {what}",
                day,
                model=fields.text(f"{place}.model", result.get("model")),
                kind=kind,
                account=account_of(result, fields, place),
                detail=detail,
                quantity=quantity,
                grouping=grouping(result, GROUPS),
            )


def account_of(result: Mapping[str, Any], fields: Fields, place: str) -> str:
    """The key where the report is by key, else the project."""
    for name in ("api_key_id", "project_id"):
        if result.get(name):
            return fields.text(f"{place}.{name}", result[name])
    return ""


def grouping(result: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if result.get(name) is not None)
