"""GET /api/v1/costs: any grouping, filter, period and metric, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access, costs, operations
from finops.api.costs_csv import csv_rows, file_name, header
from finops.api.operation_schema import operation_json
from finops.api.schema import COSTS_CSV_SCHEMA, COSTS_SCHEMA
from finops.api.tables import csv_response
from finops.api.values import instant, json_value
from finops.costs import CostResult, CostRow
from finops.organisation.calendar import fiscal_first_month
from finops.organisation.tags import activated
from finops.periods import InvalidQuery
from finops.query import CostQuery


class CsvRenderer(BaseRenderer):
    """Lets clients ask for text/csv; the view writes it itself, as a stream."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        raise NotImplementedError("CSV is streamed by the view")


class CostsView(APIView):
    # What REST framework says of itself to OPTIONS cannot be written as CSV.
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(**COSTS_SCHEMA)
    def get(self, request: Request, format: str = "") -> Response | StreamingHttpResponse:
        query = read_query(request)
        result = costs.run(query)
        if request.accepted_renderer.format == CsvRenderer.format:
            return csv_response(file_name(query), header(query), csv_rows(result))
        return Response(as_json(result))


class CostsCsvView(CostsView):
    @extend_schema(**COSTS_CSV_SCHEMA)
    def get(self, request: Request, format: str = "csv") -> Response | StreamingHttpResponse:
        return super().get(request, format)


def read_query(request: Request, without: Collection[str] = ()) -> CostQuery:
    """The query of the address, but for the parameters `without`, narrowed to what the reader may
    see. Raises InvalidQuery."""
    return query_of(dict(request.query_params.lists()), request.user, without)


def query_of(
    given: Mapping[str, list[str]], reader: access.Reader, without: Collection[str] = ()
) -> CostQuery:
    """The same of parameters."""
    params = {k: v for k, v in given.items() if k not in without}
    try:
        query = CostQuery.from_params(
            params,
            now=timezone.now(),
            zone=settings.REPORTING_ZONE,
            fiscal_month=fiscal_first_month(),
        )
    except InvalidQuery as error:
        if not error.message.startswith("unknown dimension"):
            raise
        keys = ", ".join(f"tag:{each.key}" for each in activated()) or "none is"
        message = f"{error.message}; or tag:<key> of an activated tag: {keys}"
        raise InvalidQuery(error.field, message) from None
    return access.narrow(query, reader)


def as_json(result: CostResult) -> dict[str, Any]:
    query = result.query
    answer: dict[str, Any] = {
        "query": query_json(query),
        "currency": result.currency,
        "rows": [row_json(row, query) for row in result.rows],
        "totals": {name: json_value(result.totals[name]) for name in query.metrics},
        "freshness": freshness_json(result),
        "coverage": {
            "priced_requests": result.coverage.priced_requests,
            "unpriced_requests": result.coverage.unpriced_requests,
        },
    }
    if result.previous:
        before = result.previous
        answer["previous"] = {
            "query": query_json(before.query),
            "rows": [row_json(row, before.query) for row in before.rows],
            "totals": {name: json_value(before.totals[name]) for name in query.metrics},
            "is_covered": costs.is_covered(before.query.period, result.freshness.recorded_since),
        }
    return answer


def freshness_json(result: CostResult) -> dict[str, Any]:
    freshness, period = result.freshness, result.query.period
    return {
        "rolled_up_to": instant(freshness.rolled_up_to),
        "pending_events": freshness.pending_events,
        "recorded_since": instant(freshness.recorded_since),
        "operations": [
            operation_json(each) for each in operations.working_on(period.start, period.end)
        ],
    }


def row_json(row: CostRow, query: CostQuery) -> dict[str, Any]:
    return {
        "start": instant(row.start, query.zone),
        **dict(zip(query.group_by, row.keys, strict=True)),
        **({"is_other": True} if row.is_other else {}),
        **{name: json_value(row.values[name]) for name in query.metrics},
    }


def query_json(query: CostQuery) -> dict[str, Any]:
    """Everything that was asked, defaults filled in."""
    filters: dict[str, list[str]] = {}
    for name, value in query.to_params():
        if name in {each.dimension for each in query.filters}:
            filters.setdefault(name, []).append(value)
    return {
        "period": query.period.label or None,
        "start": instant(query.period.start, query.zone),
        "end": instant(query.period.end, query.zone),
        "time_zone": query.zone.key,
        "granularity": query.granularity,
        "group_by": list(query.group_by),
        "filters": filters,
        "metrics": list(query.metrics),
        "limit": query.limit,
        "compare": "previous" if query.compare else None,
    }
