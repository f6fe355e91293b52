"""/api/v1/budgets/{number}/status: how a budget stands, the values that cost most first."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import budgets, enforcement
from finops.alerts.log import whole_number
from finops.api import parameters
from finops.api.budget_acts import acts_json
from finops.api.budget_schema import (
    DECIMAL,
    GONE,
    LARGEST_PAGE,
    STANDING,
    THRESHOLD,
    answers,
    standing_json,
)
from finops.api.budgets import find
from finops.api.schema import parameter
from finops.api.values import instant, json_value, plain
from finops.models import BudgetStatus, Crossing, Threshold
from finops.periods import InvalidQuery

CROSSINGS = 100
CROSSED: dict[str, Any] = {
    "value": serializers.CharField(),
    "basis": serializers.ChoiceField(Crossing.Basis.values),
    "threshold": serializers.IntegerField(
        allow_null=True,
        help_text="The same number for each crossing of one.",
    ),
    "terms": inline_serializer(
        "CrossedThreshold", THRESHOLD, allow_null=True, help_text="The threshold; null of a breach."
    ),
    "generation": serializers.IntegerField(),
    "line": serializers.CharField(**DECIMAL),
    "actual": serializers.CharField(**DECIMAL),
    "crossed_at": serializers.DateTimeField(),
    "is_told": serializers.BooleanField(help_text="False where a higher one was told."),
    "rearmed_at": serializers.DateTimeField(allow_null=True),
}
STATUS = inline_serializer(
    "BudgetStatus",
    {
        "budget": serializers.IntegerField(),
        "status": inline_serializer("BudgetStanding", STANDING, allow_null=True),
        "values": inline_serializer("BudgetValueStanding", STANDING, many=True),
        "next_cursor": serializers.CharField(
            allow_null=True, help_text="The `cursor` of the values after these."
        ),
        "crossings": inline_serializer("BudgetCrossing", CROSSED, many=True),
        "note": serializers.CharField(
            help_text="Where there are no figures yet, when they come; else empty."
        ),
    },
)
STATUS_SCHEMA: dict[str, Any] = {
    "operation_id": "budget_status",
    "summary": "How a budget stands",
    "description": "As of the last evaluation, with what was crossed in the last periods. A "
    "budget is evaluated at once when it is made or changed, or, where its figures take long to "
    "read, within 20 seconds: until then `status` is null and `note` says so. Of a budget for "
    "each value those that cost most come first, 1,000 at once.",
    "parameters": [
        parameter("cursor", "next_cursor of the page before."),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    ],
    "responses": answers(200, STATUS, GONE),
}


class BudgetStatusView(APIView):
    @extend_schema(**STATUS_SCHEMA)
    def get(self, request: Request, number: int) -> Response:
        budget = find(request, number)
        params = parameters.given(request, ("cursor", "limit"))
        begin, size = whole_number(params, "cursor") or 0, whole_number(params, "limit")
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise InvalidQuery("limit", f"must be from 1 to {LARGEST_PAGE:,}")
        end = begin + (size or LARGEST_PAGE)
        whole = budget.statuses.filter(value="").first()
        of_values = budget.statuses.exclude(value="").order_by("-actual", "value")
        rows = list(of_values[begin : end + 1])
        shown = rows[: end - begin]
        named = {row.value for row in shown}
        acts = enforcement.read([budget.pk], timezone.now(), named).get(budget.pk)

        def stand(row: BudgetStatus) -> dict[str, Any]:
            return {**standing_json(row, whole), "enforcement": acts_json(acts, row.value)}

        crossings = budget.crossings.select_related("threshold").order_by("-pk")[:CROSSINGS]
        return Response(
            {
                "budget": budget.pk,
                "status": stand(whole) if whole else None,
                "values": [stand(row) for row in shown],
                "next_cursor": str(end) if len(rows) > len(shown) else None,
                "crossings": [crossing_json(row) for row in crossings],
                "note": "" if whole else budgets.FIRST,
            }
        )


def crossing_json(row: Crossing) -> dict[str, Any]:
    return {
        "value": row.value,
        "basis": row.basis,
        "threshold": row.threshold_id,
        "terms": terms_json(row.threshold) if row.threshold else None,
        "generation": row.generation,
        "line": json_value(row.line),
        "actual": json_value(row.actual),
        "crossed_at": instant(row.crossed_at),
        "is_told": row.is_told,
        "rearmed_at": instant(row.rearmed_at),
    }


def terms_json(held: Threshold) -> dict[str, Any]:
    """As the budget has it."""
    return {
        "basis": held.basis,
        "kind": held.kind,
        "value": plain(held.value),
        "window_hours": held.window_hours,
        "severity": held.severity,
    }
