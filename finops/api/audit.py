"""The audit log as files: CSV for a spreadsheet, JSON lines for a program."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.conf import settings
from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from finops import audit_log
from finops.api.tables import csv_response
from finops.api.values import instant
from finops.audit_log import LogQuery
from finops.cells import text_cell
from finops.models import AuditRecord

COLUMNS = ("at", "actor", "action", "subject", "team", "before", "after", "reason", "address")


class AuditCsvView(APIView):
    schema = None

    def get(self, request: Request) -> StreamingHttpResponse:
        found = records(request)
        return csv_response("audit.csv", COLUMNS, map(csv_row, found))


class AuditLinesView(APIView):
    schema = None

    def get(self, request: Request) -> StreamingHttpResponse:
        found = records(request)
        return StreamingHttpResponse(
            (json.dumps(json_line(each), ensure_ascii=False) + "\n" for each in found),
            content_type="application/x-ndjson; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.jsonl"'},
        )


def records(request: Request) -> Iterator[AuditRecord]:
    query = LogQuery.from_params(request.query_params.dict())
    return audit_log.everything(query, settings.REPORTING_ZONE)


def json_line(record: AuditRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in COLUMNS} | {"at": instant(record.at)}


def csv_row(record: AuditRecord) -> list[str]:
    """Names are other people's, so each cell is made text; what changed is JSON."""
    cells = json_line(record)
    for name in ("before", "after"):
        cells[name] = json.dumps(cells[name], ensure_ascii=False) if cells[name] else ""
    return [text_cell(str(cells[name])) for name in COLUMNS]
