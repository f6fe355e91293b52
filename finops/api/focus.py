"""GET /api/v1/allocations/2026-10.focus.csv: a month as FOCUS has it; .focus.json its metadata."""

from __future__ import annotations

from datetime import date

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access
from finops.api.allocations import refuse_parameters
from finops.api.costs import CsvRenderer
from finops.api.focus_schema import FOCUS_CSV_SCHEMA, FOCUS_METADATA_SCHEMA
from finops.api.tables import csv_response
from finops.books import charges
from finops.focus import cells
from finops.focus.columns import NAMES


class FocusCsvView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (CsvRenderer,)

    @extend_schema(**FOCUS_CSV_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> StreamingHttpResponse:
        refuse_parameters(request)
        teams = access.teams_seen(request.user)
        rows = cells.lines(charges.rows(month, now=timezone.now(), reader_teams=teams))
        return csv_response(f"allocation-{month:%Y-%m}.focus.csv", NAMES, rows)


class FocusMetadataView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer,)

    @extend_schema(**FOCUS_METADATA_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> Response:
        refuse_parameters(request)
        teams = access.teams_seen(request.user)
        return Response(charges.about(month, now=timezone.now(), reader_teams=teams))
