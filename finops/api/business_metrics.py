"""/api/v1/business-metrics: what the business counts, and its values."""

from __future__ import annotations

import json
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import business_metrics
from finops.api import unit_economics_schema as schema
from finops.api.budgets import body
from finops.api.ownership import act, receive
from finops.api.parameters import given
from finops.api.values import instant, plain
from finops.business_metrics import imports, storing
from finops.business_metrics.imports import Taken
from finops.models import BusinessMetric
from finops.periods import InvalidQuery, local_day, parse_period

PERIOD_PARAMETERS = ("period", "start", "end")


class BusinessMetricsView(APIView):
    @extend_schema(**schema.LIST_SCHEMA)
    def get(self, request: Request) -> Response:
        given(request, ())
        held = [metric_json(each) for each in BusinessMetric.objects.all()]
        return Response({"business_metrics": held})

    @extend_schema(**schema.MAKE_SCHEMA)
    def post(self, request: Request) -> Response:
        made = business_metrics.make(business_metrics.read(body(request)), act(request))
        return Response(metric_json(made), status=201)


class BusinessMetricView(APIView):
    @extend_schema(**schema.ONE_SCHEMA)
    def get(self, request: Request, key: str) -> Response:
        given(request, ())
        return Response(metric_json(find(key)))

    @extend_schema(**schema.CHANGE_SCHEMA)
    def patch(self, request: Request, key: str) -> Response:
        held = business_metrics.fields_of(business_metrics.draft_of(find(key)))
        draft = business_metrics.read({**held, **body(request)})
        try:
            return Response(metric_json(business_metrics.change(key, draft, act(request))))
        except BusinessMetric.DoesNotExist:  # somebody was quicker
            raise Http404 from None

    @extend_schema(**schema.REMOVE_SCHEMA)
    def delete(self, request: Request, key: str) -> HttpResponse:
        try:
            business_metrics.remove(key, act(request))
        except BusinessMetric.DoesNotExist:
            raise Http404 from None
        return HttpResponse(status=204)


class BusinessMetricValuesView(APIView):
    @extend_schema(**schema.VALUES_SCHEMA)
    def get(self, request: Request, key: str) -> Response:
        asked, metric = given(request, PERIOD_PARAMETERS), find(key)
        zone = settings.REPORTING_ZONE
        params = {name: [value] for name, value in asked.items()}
        period = parse_period(params, now=timezone.now(), zone=zone)
        first, end = local_day(period.start, zone), local_day(period.end, zone)
        return Response(
            {
                "values": [
                    {
                        "period": f"{each.day:%Y-%m}" if each.is_month else each.day.isoformat(),
                        **dict(zip(metric.dimensions, each.keys, strict=True)),
                        "value": plain(each.value),
                    }
                    for each in storing.values(metric, first, end)
                ]
            }
        )

    @extend_schema(**schema.SEND_SCHEMA)
    def post(self, request: Request, key: str) -> Response:
        asked, metric = given(request, ("name", "preview")), find(key)
        if asked.get("preview", "") not in {"", "1"}:
            raise InvalidQuery("preview", "is 1 or left out")
        is_preview = bool(asked.get("preview"))
        is_csv = (request.content_type or "").partition(";")[0].strip().lower() == "text/csv"
        with TemporaryFile() as file:
            receive(request, file)
            lines = imports.from_csv(metric, file) if is_csv else from_json(metric, file)
        source = asked.get("name") or "API"
        taken = imports.take(metric, lines, source, act(request), preview=is_preview)
        return Response({**taken_json(taken), "is_preview": is_preview})


def from_json(metric: BusinessMetric, file: IO[bytes]) -> Any:
    """Numbers as they were written, which no float holds. Raises ValidationError."""
    try:
        sent = json.load(file, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        raise ValidationError(
            {"values": 'Write JSON: {"values": [{"period": "2026-10-01", "value": "12"}]}; or send '
             "CSV with Content-Type: text/csv."}
        ) from None  # fmt: skip
    return imports.from_json(metric, sent.get("values") if isinstance(sent, dict) else None)


def find(key: str) -> BusinessMetric:
    found = BusinessMetric.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def metric_json(metric: BusinessMetric) -> dict[str, Any]:
    reach = storing.reach(metric)
    return {
        **business_metrics.fields_of(business_metrics.draft_of(metric)),
        "currency": metric.currency or None,
        "values": storing.count(metric),
        "first": reach[0].isoformat() if reach else None,
        "last": reach[1].isoformat() if reach else None,
        "created_at": instant(metric.created_at),
        "created_by": metric.created_by,
    }


def taken_json(taken: Taken) -> dict[str, Any]:
    return {
        "lines": taken.lines,
        "added": taken.added,
        "replaced": taken.replaced,
        "known": taken.known,
        "first": taken.first.isoformat(),
        "last": taken.last.isoformat(),
    }
