"""GET /api/v1/requests.csv: the events behind any figure, all of them, as they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from finops import requests
from finops.api.costs import CsvRenderer, read_query
from finops.api.costs_csv import file_name
from finops.api.export_schema import REQUESTS_CSV_SCHEMA
from finops.api.tables import csv_response
from finops.api.values import instant, plain
from finops.cells import text_cell
from finops.periods import InvalidQuery
from finops.query import DIMENSIONS
from finops.requests import UsageRequest
from finops.requests.results import COSTS, INPUT_BUCKETS, OUTPUT_BUCKETS

HEADER = (
    *("id", "event_key", "source", "started_at", "received_at"),
    *("kind", "reverses_key", "corrects_key"),
    *DIMENSIONS,
    *("session", "tags", "input_tokens", "output_tokens", *INPUT_BUCKETS, *OUTPUT_BUCKETS),
    *("latency_ms", "ttft_ms", "quality", "gpu_seconds", "prompt_hash"),
    *(*COSTS, "currency", "reported_cost_usd", "price_id", "contract_price_id"),
)


class RequestsCsvView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (CsvRenderer,)

    @extend_schema(**REQUESTS_CSV_SCHEMA)
    def get(self, request: Request, format: str = "csv") -> StreamingHttpResponse:
        query = read_query(request)
        if query.limit:
            raise InvalidQuery("limit", "is for pages: the file has all requests; leave it out")
        query = query.replace(group_by=())
        rows = csv_rows(requests.stream(query), settings.CURRENCY)
        return csv_response(file_name(query, "requests"), HEADER, rows)


def csv_rows(found: Iterator[UsageRequest], currency: str) -> Iterator[list[str]]:
    for each in found:
        yield [
            *map(text_cell, (each.id, each.event_key, each.source)),
            *(instant(each.started_at) or "", instant(each.received_at) or ""),
            *(each.kind, each.reverses_key or "", each.corrects_key or ""),
            *(text_cell(each.dimensions[name]) for name in DIMENSIONS),
            text_cell(each.session),
            json.dumps(each.tags, ensure_ascii=False, sort_keys=True) if each.tags else "",
            *(str(each.input_tokens), str(each.output_tokens)),
            *(str(each.tokens[name]) for name in (*INPUT_BUCKETS, *OUTPUT_BUCKETS)),
            *map(number, (each.latency_ms, each.ttft_ms, each.quality)),
            amount(each.gpu_seconds),
            text_cell(each.prompt_hash),
            *(amount(each.costs[name]) for name in COSTS),
            currency,
            amount(each.reported_cost),
            *(str(held or "") for held in (each.price_id, each.contract_price_id)),
        ]


def amount(value: Decimal | None) -> str:
    """Unknown is empty, and never 0."""
    return "" if value is None else plain(value)


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"
