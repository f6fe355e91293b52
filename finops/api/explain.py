"""GET /api/v1/explain: why costs differ between two periods, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops.api.costs import CsvRenderer, freshness_json, query_json, query_of
from finops.api.costs_csv import file_name
from finops.api.explain_schema import EXPLAIN_CSV_SCHEMA, EXPLAIN_SCHEMA
from finops.api.tables import csv_response
from finops.api.values import csv_value, instant, json_value, plain
from finops.cells import text_cell
from finops.compared_periods import AGAINST_PARAMETERS, parse_against
from finops.costs import CostResult
from finops.explained_anomalies import PARAMETER, Params, params_of
from finops.explanations import MOST_ROWS, Explanation, Row, explain, rows
from finops.organisation.calendar import fiscal_first_month
from finops.root_cause import Cause
from finops.variance_bridge import Group


class ExplainView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(**EXPLAIN_SCHEMA)
    def get(self, request: Request, format: str = "") -> Response | StreamingHttpResponse:
        found = read_explanation(request)
        shown = rows(found, found.query.limit or MOST_ROWS)
        if request.accepted_renderer.format == CsvRenderer.format:
            return csv_response(file_name(found.query, "change"), header(found), csv_rows(shown))
        return Response(as_json(found, shown))


class ExplainCsvView(ExplainView):
    @extend_schema(**EXPLAIN_CSV_SCHEMA)
    def get(self, request: Request, format: str = "csv") -> Response | StreamingHttpResponse:
        return super().get(request, format)


def read_explanation(request: Request) -> Explanation:
    """Raises InvalidQuery, or Http404 where there is no such anomaly."""
    params: Params | None = dict(request.query_params.lists())
    if PARAMETER in request.query_params:
        params = params_of(params or {}, request.user, settings.REPORTING_ZONE)
    if params is None:
        raise Http404
    query = query_of(params, request.user, AGAINST_PARAMETERS)
    given = {name: params[name] for name in AGAINST_PARAMETERS if name in params}
    now = timezone.now()
    against = parse_against(
        given,
        query.period,
        now=now,
        zone=settings.REPORTING_ZONE,
        fiscal_month=fiscal_first_month(),
    )
    return explain(query, against, now)


def as_json(found: Explanation, shown: list[Row]) -> dict[str, Any]:
    result, query = found.result, found.query
    whole = found.bridge.whole
    return {
        "query": query_json(query),
        "against": {
            "period": found.against.label or None,
            "query": query_json(found.before.query),
            "times": None if found.against.times is None else plain(found.against.times),
        },
        "currency": result.currency,
        "before": side_json(found.before, found.days[0]),
        "after": side_json(result, found.days[1]),
        "difference": json_value(whole.known_difference),
        "parts": parts_json(whole),
        "mixed": list(found.mixed),
        "rows": [
            {
                **dict(zip(query.group_by, row.keys, strict=True)),
                **({"is_other": True} if row.is_other else {}),
                "before": json_value(row.group.before.known_cost),
                "after": json_value(row.group.after.known_cost),
                "difference": json_value(row.group.known_difference),
                "parts": parts_json(row.group),
            }
            for row in shown
        ],
        "causes": [cause_json(each) for each in found.causes.causes],
        "localized_difference": json_value(found.causes.difference),
        "unexplained": json_value(found.causes.unexplained),
        "notes": list(found.causes.notes),
        "freshness": freshness_json(result),
    }


def side_json(result: CostResult, days: Any) -> dict[str, Any]:
    """What one of the periods came to."""
    coverage = result.coverage
    return {
        "start": instant(result.query.period.start, result.query.zone),
        "end": instant(result.query.period.end, result.query.zone),
        "elapsed_days": round(float(days), 6),
        **{name: json_value(value) for name, value in result.totals.items()},
        "priced_requests": coverage.priced_requests,
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    return {
        "elements": dict(cause.elements),
        "before": json_value(cause.expected),
        "after": json_value(cause.actual),
        "difference": plain(cause.difference),
        "share_of_difference": cause.share_of_difference,
        "reason": cause.reason,
    }


def parts_json(group: Group) -> dict[str, str | None]:
    is_known = group.known_difference is not None
    return {name: plain(amount) if is_known else None for name, amount in group.parts.items()}


def header(found: Explanation) -> list[str]:
    return [*found.query.group_by, "before", "after", "difference", *found.bridge.scheme.parts]


def csv_rows(shown: list[Row]) -> Iterator[list[str]]:
    for row in shown:
        group = row.group
        yield [
            *map(text_cell, row.keys),
            csv_value(group.before.known_cost),
            csv_value(group.after.known_cost),
            csv_value(group.known_difference),
            *(each or "" for each in parts_json(group).values()),
        ]
