"""What the OpenAPI document says of cost centers, rules and what is unattributed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from finops.api.budget_schema import GONE
from finops.api.schema import FILTERS, FRESHNESS, MONEY, PERIOD, PROBLEMS, parameter
from finops.csv_lines import MOST_LINES

LARGEST_PAGE = 1_000
CENTER_FIELDS: dict[str, Any] = {
    "code": serializers.CharField(max_length=200),
    "name": serializers.CharField(required=False, max_length=200, allow_blank=True),
    "gl_account": serializers.CharField(required=False, max_length=100, allow_blank=True),
    "owner_email": serializers.CharField(required=False, max_length=254, allow_blank=True),
    "is_active": serializers.BooleanField(required=False),
}
DAYS: dict[str, Any] = {
    "effective_from": serializers.DateField(
        required=False, allow_null=True, help_text="The first day of it; null: ever."
    ),
    "effective_to": serializers.DateField(
        required=False, allow_null=True, help_text="The first day not in it; null: for ever."
    ),
}
PLACE = serializers.IntegerField(
    required=False, allow_null=True, min_value=1, help_text="1 is the first; null: the last."
)
RULE_FIELDS: dict[str, Any] = {
    "conditions": serializers.DictField(
        child=serializers.CharField(),
        help_text="Dimension → value, all of which usage must have; `Unattributed` is no value. "
        "Every dimension but cost_center, and activated tags as `tag:<key>`; user only by itself.",
    ),
    "cost_center": serializers.CharField(help_text="The code of one that is in use."),
    **DAYS,
    "position": PLACE,
}
RULE = inline_serializer("OwnershipRule", {"id": serializers.IntegerField(), **RULE_FIELDS})
CENTER = inline_serializer("CostCenter", {**CENTER_FIELDS})

CENTERS_SCHEMA: dict[str, Any] = {
    "operation_id": "cost_centers",
    "summary": "Cost centers, by code",
    "responses": {
        (200, "application/json"): inline_serializer(
            "CostCenters",
            {"cost_centers": inline_serializer("CostCenterRow", {**CENTER_FIELDS}, many=True)},
        ),
        **PROBLEMS,
    },
}
KEEP_CENTER_SCHEMA: dict[str, Any] = {
    "operation_id": "keep_cost_center",
    "summary": "Make a cost center, or change the one of this code",
    "description": "What is not given is empty, and in use.",
    "request": {"application/json": inline_serializer("CostCenterTerms", {**CENTER_FIELDS})},
    "responses": {(200, "application/json"): CENTER, **PROBLEMS},
}
RULES_SCHEMA: dict[str, Any] = {
    "operation_id": "ownership_rules",
    "summary": "Rules on who bears which usage, in their order",
    "description": "Of those that hold for usage on its day the first one decides.",
    "parameters": [
        OpenApiParameter(
            "after",
            {"type": "integer", "minimum": 0},
            description="Only rules of higher positions.",
        ),
        OpenApiParameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 100}
        ),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "OwnershipRules",
            {
                "count": serializers.IntegerField(help_text="Of all rules."),
                "rules": inline_serializer(
                    "OwnershipRuleRow",
                    {"id": serializers.IntegerField(), **RULE_FIELDS},
                    many=True,
                ),
            },
        ),
        **PROBLEMS,
    },
}
MAKE_RULE_SCHEMA: dict[str, Any] = {
    "operation_id": "make_ownership_rule",
    "summary": "Make a rule",
    "description": "Refused where another one of the same conditions holds on one of its days, and "
    "where it would change a month whose books are closed.",
    "request": {"application/json": inline_serializer("OwnershipRuleTerms", {**RULE_FIELDS})},
    "responses": {(201, "application/json"): RULE, **PROBLEMS},
}
CHANGE_RULE_SCHEMA: dict[str, Any] = {
    "operation_id": "change_ownership_rule",
    "summary": "End a rule, or move it in the list",
    "request": {
        "application/json": inline_serializer(
            "OwnershipRuleChange", {"effective_to": DAYS["effective_to"], "position": PLACE}
        )
    },
    "responses": {(200, "application/json"): RULE, **PROBLEMS, **GONE},
}
REMOVE_RULE_SCHEMA: dict[str, Any] = {
    "operation_id": "remove_ownership_rule",
    "summary": "Remove a rule, as if it had never been there",
    "responses": {204: None, **PROBLEMS, **GONE},
}
EXPORT_SCHEMA: dict[str, Any] = {
    "operation_id": "export_ownership_rules",
    "summary": "All rules as CSV",
    "description": "A line a rule, in their order; a column for each dimension that one asks for, "
    "then cost_center, effective_from and effective_to.",
    "responses": {(200, "text/csv"): str, **PROBLEMS},
}
IMPORT_SCHEMA: dict[str, Any] = {
    "operation_id": "import_ownership_rules",
    "summary": "Let a CSV file take the place of all rules",
    "description": f"As the export has it, at most {MOST_LINES:,} lines, as the body. All or "
    "nothing: a wrong line is named by its number and column. With `preview=1` nothing is changed, "
    "and the answer says what would be.",
    "parameters": [parameter("preview", "1: only say what would change.", enum=["1"])],
    "request": {"text/csv": str},
    "responses": {
        (200, "application/json"): inline_serializer(
            "OwnershipImport",
            {
                "rules": serializers.IntegerField(),
                "preview": inline_serializer(
                    "OwnershipPreview",
                    {
                        "added": serializers.IntegerField(),
                        "removed": serializers.IntegerField(),
                        "kept": serializers.IntegerField(),
                        "start": serializers.DateField(),
                        "end": serializers.DateField(help_text="The last day."),
                        "moved": serializers.CharField(help_text=MONEY),
                        "cost_centers": inline_serializer(
                            "OwnershipMoved",
                            {
                                "cost_center": serializers.CharField(),
                                "before": serializers.CharField(),
                                "after": serializers.CharField(),
                            },
                            many=True,
                        ),
                    },
                    allow_null=True,
                ),
            },
        ),
        **PROBLEMS,
    },
}
UNATTRIBUTED_SCHEMA: dict[str, Any] = {
    "operation_id": "unattributed",
    "summary": "What no cost center bears, what it costs, and the percent that is allocated",
    "parameters": [
        *PERIOD,
        parameter("group_by", "At most 4 dimensions. Default team,feature,model."),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 1_000}),
        *FILTERS,
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "Unattributed",
            {
                "currency": serializers.CharField(),
                "allocated_percent": serializers.CharField(
                    allow_null=True, help_text="Of the cost; null where there is none."
                ),
                "total_cost": serializers.CharField(help_text=MONEY),
                "unattributed_cost": serializers.CharField(help_text=MONEY),
                "rows": serializers.ListField(
                    child=serializers.DictField(child=serializers.JSONField()),
                    help_text="As those of /api/v1/costs, which cost most first.",
                ),
                "freshness": FRESHNESS,
            },
        ),
        **PROBLEMS,
    },
}
