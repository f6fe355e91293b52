"""GET /api/v1/operations: long work that runs beside live traffic, and how far it is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import operations
from finops.api.operation_schema import FIELDS, operation_json
from finops.api.schema import PROBLEMS
from finops.api.values import instant
from finops.models import Operation
from finops.operations.wording import progress

ALSO: dict[str, Any] = {
    "what": serializers.CharField(),
    "events": serializers.IntegerField(help_text="Handled so far."),
    "progress": serializers.CharField(help_text="In words, with rate and time left."),
    "requested_by": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
    "started_at": serializers.DateTimeField(allow_null=True),
    "finished_at": serializers.DateTimeField(allow_null=True),
    "message": serializers.CharField(help_text="Why it was stopped or waits, if it was or does."),
}
SCHEMA: dict[str, Any] = {
    "operation_id": "operations",
    "summary": "Re-ratings, rebuilds, drops and loads, running and recent",
    "description": "Those that have not ended, in the order they are done, then the last that did.",
    "responses": {
        (200, "application/json"): inline_serializer(
            "Operations",
            {"operations": inline_serializer("Operation", {**FIELDS, **ALSO}, many=True)},
        ),
        **PROBLEMS,
    },
}


class OperationsView(APIView):
    @extend_schema(**SCHEMA)
    def get(self, request: Request) -> Response:
        return Response({"operations": [whole_json(each) for each in operations.recent()]})


def whole_json(operation: Operation) -> dict[str, Any]:
    return {
        **operation_json(operation),
        "what": operation.what,
        "events": operation.events,
        "progress": progress(operation),
        "requested_by": operation.requested_by,
        "created_at": instant(operation.created_at),
        "started_at": instant(operation.started_at),
        "finished_at": instant(operation.finished_at),
        "message": operation.message,
    }
