"""What the OpenAPI document says of business metrics and of what an outcome costs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from finops.api.allocation_schema import GONE, money
from finops.api.schema import FILTERS, FRESHNESS, PERIOD, PROBLEMS, parameter
from finops.business_metrics.imports import MOST_BYTES
from finops.csv_lines import MOST_LINES
from finops.unit_economics import BASES, STATES

KEY = OpenApiParameter(
    "key",
    {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,59}$"},
    OpenApiParameter.PATH,
    description="Of the metric, like tickets_resolved.",
)
TERMS: dict[str, Any] = {
    "key": serializers.CharField(help_text="Small letters, digits, _ and -."),
    "name": serializers.CharField(),
    "unit": serializers.CharField(help_text="One of what is counted: ticket. Not of money."),
    "kind": serializers.CharField(help_text="count or money."),
    "adds_up": serializers.BooleanField(
        help_text="Whether values of several days, teams or customers are added. Active users are "
        "not: then a month's value is its own."
    ),
    "absent_is_zero": serializers.BooleanField(
        help_text="Whether, on a day or in a month that has any value, who has none had none. "
        "Without it that is unknown."
    ),
    "dimensions": serializers.ListField(
        child=serializers.CharField(),
        help_text="What values are by, at most three dimensions of usage: team, tag:customer.",
    ),
    "filters": serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The usage that it is about, as the query API filters.",
    ),
}
METRIC: dict[str, Any] = {
    **TERMS,
    "currency": serializers.CharField(allow_null=True, help_text="Of money."),
    "values": serializers.IntegerField(help_text="How many are in force."),
    "first": serializers.DateField(allow_null=True),
    "last": serializers.DateField(allow_null=True),
    "created_at": serializers.DateTimeField(),
    "created_by": serializers.CharField(),
}
ONE = inline_serializer("BusinessMetric", METRIC)
LIST_SCHEMA: dict[str, Any] = {
    "operation_id": "business_metrics",
    "summary": "What the business counts",
    "responses": {
        (200, "application/json"): inline_serializer(
            "BusinessMetrics",
            {"business_metrics": inline_serializer("BusinessMetricOf", METRIC, many=True)},
        ),
        **PROBLEMS,
    },
}
MAKE_SCHEMA: dict[str, Any] = {
    "operation_id": "make_business_metric",
    "summary": "Make a business metric",
    "request": {"application/json": inline_serializer("BusinessMetricTerms", TERMS, partial=True)},
    "responses": {(201, "application/json"): ONE, **PROBLEMS},
}
ONE_SCHEMA: dict[str, Any] = {
    "operation_id": "business_metric",
    "summary": "One business metric",
    "parameters": [KEY],
    "responses": {(200, "application/json"): ONE, **PROBLEMS, **GONE},
}
CHANGE_SCHEMA: dict[str, Any] = {
    "operation_id": "change_business_metric",
    "summary": "Change a business metric",
    "description": "What is not given stays. Its key, kind, dimensions and whether it adds up stay "
    "as they were made: values would mean something else.",
    "parameters": [KEY],
    "request": {"application/json": inline_serializer("BusinessMetricChange", TERMS, partial=True)},
    "responses": {(200, "application/json"): ONE, **PROBLEMS, **GONE},
}
REMOVE_SCHEMA: dict[str, Any] = {
    "operation_id": "remove_business_metric",
    "summary": "Remove a business metric with its values",
    "parameters": [KEY],
    "responses": {204: None, **PROBLEMS, **GONE},
}
VALUE: dict[str, Any] = {
    "period": serializers.CharField(help_text="A day like 2026-10-01, or a month like 2026-10."),
    "value": serializers.CharField(help_text="A plain decimal."),
}
VALUES_SCHEMA: dict[str, Any] = {
    "operation_id": "business_metric_values",
    "summary": "The values that are in force",
    "description": "Each with the value of every dimension, under its name.",
    "parameters": [KEY, *PERIOD],
    "responses": {
        (200, "application/json"): inline_serializer(
            "BusinessMetricValues",
            {"values": serializers.ListField(child=serializers.DictField())},
        ),
        **PROBLEMS,
        **GONE,
    },
}
SEND_SCHEMA: dict[str, Any] = {
    "operation_id": "send_business_metric_values",
    "summary": "Send values",
    "description": "JSON, or CSV with a header line: `period`, `value` and each dimension; at most "
    f"{MOST_LINES:,} lines and {MOST_BYTES // 2**20} MiB. All or nothing: each line that is wrong "
    "is named. A value of the same day or month and the same dimensions takes the place of the one "
    "before, which stays on record; sending the same again changes nothing. `null` (in CSV "
    "`unknown`) takes a value back. Money may name its `currency`, which is the reporting one.",
    "parameters": [
        KEY,
        parameter("name", "The name of the file, for the record."),
        parameter("preview", "1: only say what it would change.", enum=["1"]),
    ],
    "request": {
        "application/json": inline_serializer(
            "BusinessMetricSent",
            {"values": inline_serializer("BusinessMetricValue", VALUE, many=True)},
        ),
        "text/csv": str,
    },
    "responses": {
        (200, "application/json"): inline_serializer(
            "BusinessMetricTaken",
            {
                **{
                    name: serializers.IntegerField()
                    for name in ("lines", "added", "replaced", "known")
                },
                "first": serializers.DateField(),
                "last": serializers.DateField(),
                "is_preview": serializers.BooleanField(),
            },
        ),
        **PROBLEMS,
        **GONE,
    },
}
ABOUT = (
    "Cost is that of the usage that the metric is about, the same as `/api/v1/costs` answers, or, "
    "with basis=fully_loaded, what each whole month's allocation gives to it. A cost per unit, and "
    "a margin, is of what is `matched` alone: days (or months) that are over, of which both sides "
    "are known. `cost_by_state` says of the rest why it is in none: it is still running, usage was "
    "not recorded yet, no value was sent, or no request has a price. The states add up to `cost`. "
    "With compare=previous, `change` says how much of the difference is due to cost and how much "
    "to the number of outcomes; both add up to it."
)
ASKED = [
    parameter("metric", "The key of the metric.", required=True),
    parameter("basis", "Default direct.", enum=BASES),
    *PERIOD,
    parameter(
        "granularity", "Default: what suits the period.", enum=("day", "week", "month", "total")
    ),
    parameter("group_by", "Comma-separated: dimensions that the metric has."),
    parameter("compare", "Also the period before.", enum=["previous"]),
    *FILTERS,
]
FIGURE: dict[str, Any] = {
    "cost": money(allow_null=True),
    "value": serializers.CharField(allow_null=True),
    "matched_cost": money(allow_null=True),
    "matched_value": serializers.CharField(allow_null=True),
    "cost_per_unit": money(allow_null=True),
    "margin": money(allow_null=True, required=False),
    "margin_percent": serializers.CharField(allow_null=True, required=False),
    "reason": serializers.ChoiceField(
        (*STATES[1:], "no_outcomes", "nothing"),
        allow_null=True,
        help_text="Why there is no cost per unit.",
    ),
    "cost_by_state": serializers.DictField(child=money()),
    "unpriced_requests": serializers.IntegerField(),
}
ROWS = serializers.ListField(
    child=serializers.DictField(child=serializers.JSONField()),
    help_text="start (a day, null without steps), a member for each dimension of group_by, the "
    "members of totals, and is_partial.",
)
CHANGE = inline_serializer(
    "UnitCostChange",
    {name: money() for name in ("before", "after", "difference", "due_to_cost", "due_to_outcomes")},
    allow_null=True,
    required=False,
)
JSON_SCHEMA: dict[str, Any] = {
    "operation_id": "unit_economics",
    "summary": "What an outcome costs, or what is left of money",
    "description": ABOUT,
    "parameters": ASKED,
    "responses": {
        (200, "application/json"): inline_serializer(
            "UnitEconomics",
            {
                "query": serializers.DictField(),
                "metric": serializers.DictField(),
                "currency": serializers.CharField(),
                "rows": ROWS,
                "totals": inline_serializer("UnitEconomicsFigure", FIGURE),
                "freshness": FRESHNESS,
                "coverage": serializers.DictField(child=serializers.IntegerField()),
                "previous": serializers.DictField(required=False, allow_null=True),
                "change": CHANGE,
                "not_compared_because": serializers.CharField(required=False, allow_null=True),
            },
        ),
        (200, "text/csv"): OpenApiTypes.STR,
        **PROBLEMS,
    },
}
CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "unit_economics_csv",
    "summary": "The same rows as CSV",
    "description": ABOUT,
    "parameters": ASKED,
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS},
}
