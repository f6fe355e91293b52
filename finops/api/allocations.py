"""GET /api/v1/allocations/2026-10.csv and .json: who bears what of a month, and why."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access
from finops.allocation import Adjustment, Line, Share
from finops.api.allocation_schema import CSV_SCHEMA, JSON_SCHEMA
from finops.api.costs import CsvRenderer
from finops.api.export_schema import JOURNAL_SCHEMA, XLSX_SCHEMA
from finops.api.ownership import act
from finops.api.parameters import given
from finops.api.tables import csv_response
from finops.api.values import instant, plain
from finops.books import drafts, streaming
from finops.cells import text_cell
from finops.cost_items import CapacityUse, MonthAllocation
from finops.cost_items.table import HEADER, money
from finops.exports import journal, journals, months, workbook
from finops.periods import InvalidQuery


class AllocationView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer,)

    @extend_schema(**JSON_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> Response:
        return Response(as_json(read_month(request, month)))


class XlsxRenderer(BaseRenderer):
    """Lets clients ask for a workbook; the view writes it itself, as a file."""

    media_type = workbook.CONTENT_TYPE
    format = "xlsx"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        raise NotImplementedError("the view answers with the file")


class AllocationXlsxView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (XlsxRenderer,)

    @extend_schema(**XLSX_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> FileResponse:
        refuse_parameters(request)
        teams = access.teams_seen(request.user)
        found = months.of_month(month, now=timezone.now(), reader_teams=teams)
        file = workbook.file_of(found)
        name = f"allocation-{month:%Y-%m}.xlsx"
        kind = workbook.CONTENT_TYPE
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind)


class AllocationCsvView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (CsvRenderer,)

    @extend_schema(**CSV_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> StreamingHttpResponse:
        refuse_parameters(request)
        teams = access.teams_seen(request.user)
        rows = streaming.rows_of_month(month, now=timezone.now(), reader_teams=teams)
        return csv_response(f"allocation-{month:%Y-%m}.csv", HEADER, rows)


class JournalView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (CsvRenderer,)

    @extend_schema(**JOURNAL_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> StreamingHttpResponse:
        since = given(request, ("since",)).get("since", "")
        rows = journals.of_month(month, since, act(request))
        name = f"journal-{month:%Y-%m}" + (f"-since-v{since}" if since not in {"", "0"} else "")
        found = ([text_cell(cell) for cell in row] for row in rows)
        return csv_response(f"{name}.csv", journal.HEADER, found)


def read_month(request: Request, month: date) -> MonthAllocation:
    """The part of it that the reader may see. Raises InvalidQuery and PermissionDenied."""
    refuse_parameters(request)
    teams = access.teams_seen(request.user)
    return drafts.of_month(month, now=timezone.now(), reader_teams=teams)


def refuse_parameters(request: Request) -> None:
    """Raises InvalidQuery."""
    for name in request.query_params:
        raise InvalidQuery(name, "is no parameter: the address names the month, and that is all")


def as_json(found: MonthAllocation) -> dict[str, Any]:
    allocated = found.allocation.allocated_percent()
    return {
        "month": f"{found.month:%Y-%m}",
        "status": found.status,
        "currency": found.currency,
        "is_running": found.is_running,
        "is_narrowed": found.is_narrowed,
        "rows": [{**found_key(line), **figures(line)} for line in found.allocation.lines],
        "totals": figures(found.allocation.totals),
        "allocated_percent": None if allocated is None else f"{allocated:.4f}",
        "charges": [written(dataclasses.asdict(each)) for each in found.charges],
        "shares": [share_json(each) for each in found.allocation.shares],
        "capacity": [capacity_json(each) for each in found.capacity],
        "adjustments": [adjustment_json(each) for each in found.allocation.adjustments],
        "freshness": {
            "rolled_up_to": instant(found.freshness.rolled_up_to),
            "pending_events": found.freshness.pending_events,
            "recorded_since": instant(found.freshness.recorded_since),
        },
        "coverage": dataclasses.asdict(found.coverage),
    }


def found_key(line: Line) -> dict[str, str]:
    return line.key._asdict()


def figures(line: Line) -> dict[str, Any]:
    names = ("requests", "input_tokens", "output_tokens")
    counts: dict[str, Any] = dict(zip(names, line.usage.counts, strict=True))
    return {**counts, **written(money(line))}


def share_json(share: Share) -> dict[str, Any]:
    return written(dataclasses.asdict(share))


def capacity_json(use: CapacityUse) -> dict[str, Any]:
    held = use.utilization
    return written(
        {
            **{name: getattr(use, name) for name in ("item", "name", "kind", "unit")},
            **{name: getattr(held, name) for name in ("fee", "used_fee", "unused_fee")},
            **{name: getattr(held, name) for name in ("capacity", "used", "beyond", "covered")},
            "used_percent": None if held.percent is None else f"{held.percent:.4f}",
            "until": instant(use.until),
        }
    )


def adjustment_json(each: Adjustment) -> dict[str, Any]:
    own = {"origin": f"{each.month:%Y-%m}", "version": each.version, "reason": each.reason}
    return {**each.key._asdict(), "amount": plain(each.amount), "item": each.item, **own}


def written(values: Any) -> dict[str, Any]:
    """With money as plain decimals."""
    return {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in values.items()
    }
