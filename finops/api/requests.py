"""GET /api/v1/requests, the events behind any figure; /requests/{id}, one with its trace."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import requests
from finops.api.costs import read_query
from finops.api.schema import REQUEST_SCHEMA, REQUESTS_SCHEMA, SORTS
from finops.api.values import instant, plain
from finops.exchange import Conversion
from finops.periods import InvalidQuery
from finops.query import is_text
from finops.requests import PriceVersion, RatingTrace, Settling, UsageRequest

PAGE_SIZE = 50
MAX_PAGE_SIZE = 500


class RequestsView(APIView):
    @extend_schema(**REQUESTS_SCHEMA)
    def get(self, request: Request) -> Response:
        query = read_query(request, without={"cursor", "sort"})
        sort = read_sort(request)
        size = query.limit or PAGE_SIZE
        if size > MAX_PAGE_SIZE:
            raise InvalidQuery("limit", f"a page has at most {MAX_PAGE_SIZE} requests")
        list_page = requests.costliest if sort == "cost" else requests.page
        page = list_page(query, request.query_params.get("cursor"), size)
        following = None
        if page.next_cursor:
            params = [*query.to_params(), ("cursor", page.next_cursor)]
            params += [("sort", sort)] if sort == "cost" else []
            following = request.build_absolute_uri(f"{request.path}?{urlencode(params)}")
        return Response(
            {
                "requests": [request_json(each) for each in page.rows],
                "next_cursor": page.next_cursor,
                "next": following,
            }
        )


class RequestView(APIView):
    @extend_schema(**REQUEST_SCHEMA)
    def get(self, request: Request, request_id: str) -> Response:
        day, source = read_narrowing(request)
        seen = read_query(request, without={"day", "source"})
        found = requests.get(request_id, day=day, source=source, filters=seen.filters)
        if not found:
            raise NotFound(f"No request has the id {request_id[:200]!r}.")
        first, *others = found
        settling = requests.settling_of(first, seen.filters)
        return Response(
            {
                **request_json(first),
                "counts": counts_json(requests.counting(first, settling)),
                "rating_trace": trace_json(first.trace) if first.trace else None,
                "settlement": settlement_json(settling),
                "same_id": [
                    {
                        "event_key": each.event_key,
                        "source": each.source,
                        "started_at": instant(each.started_at),
                    }
                    for each in others
                ],
            }
        )


def read_sort(request: Request) -> str:
    sort = request.query_params.get("sort") or SORTS[0]
    if sort not in SORTS:
        raise InvalidQuery("sort", f"{sort[:80]!r} is unknown; write {' or '.join(SORTS)}")
    return sort


def read_narrowing(request: Request) -> tuple[date | None, str | None]:
    for name in request.query_params:
        if name not in {"day", "source"}:
            raise InvalidQuery(name[:80], "is unknown here; known are day and source")
    day, source = request.query_params.get("day"), request.query_params.get("source")
    if source and not is_text(source):
        raise InvalidQuery("source", "must be text of at most 200 characters")
    try:
        return date.fromisoformat(day) if day else None, source
    except ValueError:
        raise InvalidQuery("day", f"{day!r} is no date like 2026-10-01") from None


def request_json(request: UsageRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "event_key": request.event_key,
        "source": request.source,
        "started_at": instant(request.started_at),
        "received_at": instant(request.received_at),
        "format": request.format,
        "kind": request.kind,
        "reverses_key": request.reverses_key,
        "corrects_key": request.corrects_key,
        **request.dimensions,
        "session": request.session,
        "tags": request.tags,
        "input_tokens": request.input_tokens,
        "output_tokens": request.output_tokens,
        "tokens": request.tokens,
        "latency_ms": request.latency_ms,
        "ttft_ms": request.ttft_ms,
        "stages_ms": request.stages_ms,
        "quality": request.quality,
        "gpu_seconds": amount(request.gpu_seconds),
        "prompt_hash": request.prompt_hash,
        "is_normalised": request.is_normalised,
        **{name: amount(cost) for name, cost in request.costs.items()},
        "reported_cost": amount(request.reported_cost),
        "is_priced": request.is_priced,
    }


def counts_json(row: UsageRequest | None) -> dict[str, Any] | None:
    """The figures that count now: of the record itself, or of what has settled it."""
    if row is None:
        return None
    return {
        "event_key": row.event_key,
        "id": row.id,
        "kind": row.kind,
        "status": row.dimensions["status"],
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "tokens": row.tokens,
        "effective_cost": amount(row.costs["effective_cost"]),
        "list_cost": amount(row.costs["list_cost"]),
        "is_priced": row.is_priced,
    }


def settlement_json(settling: Settling | None) -> dict[str, Any] | None:
    """The event, its reversals and settled rows, and what they change all together."""
    if settling is None:
        return None
    return {
        "original": settling.original.event_key,
        "in_force": settling.in_force.event_key,
        "rows": [
            {
                "kind": each.kind,
                "id": each.id,
                "event_key": each.event_key,
                "received_at": instant(each.received_at),
                "status": each.dimensions["status"],
                "tokens": each.tokens,
                "effective_cost": amount(each.costs["effective_cost"]),
                "list_cost": amount(each.costs["list_cost"]),
            }
            for each in settling.rows
        ],
        "adjustment": {
            "tokens": settling.tokens,
            "effective_cost": amount(settling.costs["effective_cost"]),
            "list_cost": amount(settling.costs["list_cost"]),
        },
    }


def trace_json(trace: RatingTrace) -> dict[str, Any]:
    return {
        "buckets": [
            {
                "bucket": each.bucket,
                "quantity": amount(each.quantity)
                if isinstance(each.quantity, Decimal)
                else each.quantity,
                "list_unit_price": amount(each.list_unit_price),
                "list_amount": amount(each.list_amount),
                "effective_unit_price": amount(each.effective_unit_price),
                "effective_amount": amount(each.effective_amount),
                "why": each.why,
            }
            for each in trace.buckets
        ],
        "list_cost": amount(trace.list_cost),
        "effective_cost": amount(trace.effective_cost),
        "agrees_with_stored_costs": trace.agrees,
        "list_price": price_json(trace.list_price),
        "contract_price": price_json(trace.contract_price),
        "conversions": [conversion_json(each) for each in trace.conversions],
        "note": trace.note,
    }


def conversion_json(found: Conversion) -> dict[str, str]:
    """How unit prices of one currency came into that of the costs."""
    return {
        "currency": found.currency,
        "into": found.into,
        "factor": plain(found.factor),
        "day": found.last.isoformat(),
        "source": found.source,
    }


def price_json(version: PriceVersion | None) -> dict[str, Any] | None:
    """The ledger line, its unit prices by bucket."""
    if version is None:
        return None
    line = {**asdict(version.line), "prices": version.line.prices._asdict()}
    prices = line.pop("prices")
    daily = {name: daily_text(line.pop(name)) for name in ("daily_from", "daily_to")}
    return {
        **line,
        **daily,
        "description": version.line.describe(),
        "effective_from": instant(version.line.effective_from),
        "effective_to": instant(version.line.effective_to),
        "discount_percent": amount(version.line.discount_percent),
        "unit_prices": {name: amount(price) for name, price in prices.items()},
        "currency": version.currency,
        "recorded_at": instant(version.recorded_at),
        "superseded_at": instant(version.superseded_at),
    }


def amount(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def daily_text(at: time | None) -> str | None:
    return at.isoformat("minutes") if at else None
