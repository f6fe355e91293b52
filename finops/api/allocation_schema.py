"""What the OpenAPI document says of a month's allocation and of cost items."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from finops.api.schema import MONEY, PROBLEMS, ProblemSerializer
from finops.cost_items.values import OPTIONS
from finops.models import CostItem

MONTH = OpenApiParameter(
    "month",
    {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"},
    OpenApiParameter.PATH,
    description="Of the reporting time zone, like 2026-10.",
)
JSON = "application/problem+json"
GONE = {(404, JSON): OpenApiResponse(ProblemSerializer, description="There is none.")}
ABOUT = (
    "Direct cost is that of the requests; shared cost is what is paid beside them, by the cost "
    "items in their order; idle cost is of capacity that was paid for and not used; adjustments "
    "are what closed months came to later. Each column adds up to its total to the last digit. "
    "Of a month that has not ended, capacity is that of its hours so far. Who sees some teams "
    "gets the lines of these teams, and what they bear of shared cost, without its shares."
)


def money(**options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=MONEY, **options)


FIGURES: dict[str, Any] = {
    **{name: serializers.IntegerField() for name in ("requests", "input_tokens", "output_tokens")},
    **{name: money() for name in ("direct_cost", "shared_cost", "idle_cost", "adjustment")},
    "total_cost": money(),
}
KEY: dict[str, Any] = {
    name: serializers.CharField()
    for name in ("cost_center", "team", "feature", "provider", "model")
}
SHARE: dict[str, Any] = {
    **{name: serializers.CharField() for name in ("item", "name", "column", "cost_center")},
    "amount": money(),
    "method": serializers.CharField(help_text="How it is shared out."),
    "measure": serializers.CharField(help_text="What a proportion is of."),
    "weight": serializers.CharField(help_text="The cost center's, of `of_weight` in all."),
    "of_weight": serializers.CharField(),
}
CAPACITY: dict[str, Any] = {
    **{name: serializers.CharField() for name in ("item", "name", "kind", "unit")},
    **{name: money() for name in ("fee", "used_fee", "unused_fee")},
    **{name: serializers.CharField() for name in ("capacity", "used", "beyond")},
    "covered": serializers.CharField(
        help_text="Direct cost of what was used of the capacity, which the fee pays for."
    ),
    "used_percent": serializers.CharField(allow_null=True),
    "until": serializers.DateTimeField(),
}
ALLOCATION = inline_serializer(
    "Allocation",
    {
        "month": serializers.CharField(),
        "status": serializers.ChoiceField(("draft", "closed", "sent")),
        "currency": serializers.CharField(),
        "is_running": serializers.BooleanField(),
        "is_narrowed": serializers.BooleanField(help_text="To the teams that are seen."),
        "rows": inline_serializer("AllocationLine", {**KEY, **FIGURES}, many=True),
        "totals": inline_serializer("AllocationTotals", FIGURES),
        "allocated_percent": serializers.CharField(
            allow_null=True, help_text="Of the cost, what has a cost center."
        ),
        "charges": inline_serializer(
            "AllocationCharge",
            {
                **{name: serializers.CharField() for name in ("item", "name", "column")},
                "amount": money(),
                "converted": serializers.CharField(
                    help_text="By which exchange rates, of an item in another currency."
                ),
            },
            many=True,
        ),
        "shares": inline_serializer("AllocationShare", SHARE, many=True),
        "capacity": inline_serializer("AllocationCapacity", CAPACITY, many=True),
        "adjustments": inline_serializer(
            "AllocationAdjustment",
            {
                **KEY,
                "amount": money(),
                "item": serializers.CharField(),
                "origin": serializers.CharField(help_text="The month that it corrects."),
                "version": serializers.IntegerField(),
                "reason": serializers.CharField(),
            },
            many=True,
        ),
        "freshness": inline_serializer(
            "AllocationFreshness",
            {
                "rolled_up_to": serializers.DateTimeField(allow_null=True),
                "pending_events": serializers.IntegerField(),
                "recorded_since": serializers.DateTimeField(allow_null=True),
            },
        ),
        "coverage": inline_serializer(
            "AllocationCoverage",
            {
                "priced_requests": serializers.IntegerField(),
                "unpriced_requests": serializers.IntegerField(),
            },
        ),
    },
)
JSON_SCHEMA: dict[str, Any] = {
    "operation_id": "allocation",
    "summary": "Who bears what of a month, and why",
    "description": ABOUT,
    "parameters": [MONTH],
    "responses": {(200, "application/json"): ALLOCATION, **PROBLEMS, **GONE},
}
CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "allocation_csv",
    "summary": "The same as CSV",
    "description": f"{ABOUT} One header row, then one row per cost center, team, feature, provider "
    "and model; a name that a spreadsheet would run as a formula has an apostrophe before it.",
    "parameters": [MONTH],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS, **GONE},
}
TEXT: dict[str, Any] = {"required": False, "allow_blank": True}
AMOUNT: dict[str, Any] = {"required": False, "allow_null": True, "help_text": MONEY}
DAY: dict[str, Any] = {"required": False, "allow_null": True}
SIZE = inline_serializer(
    "FleetSize",
    {
        "day": serializers.DateField(help_text="From this day on, until the option's next size."),
        "count": serializers.CharField(),
        "hour_price": serializers.CharField(help_text="Of one GPU."),
        "option": serializers.ChoiceField(tuple(OPTIONS), required=False),
    },
    many=True,
    required=False,
)
TERMS: dict[str, Any] = {
    "name": serializers.CharField(max_length=200),
    "kind": serializers.ChoiceField(CostItem.Kind.values),
    "effective_from": serializers.DateField(),
    "effective_to": serializers.DateField(**DAY, help_text="The first day without it."),
    "filters": serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="The usage that is meant or covered, as budgets have it. Empty: all; of a fleet "
        "that of its own name.",
    ),
    "method": serializers.ChoiceField(CostItem.Method.values, required=False),
    "measure": serializers.ChoiceField(CostItem.Measure.values, required=False),
    "weights": serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Cost center → percent or weight, of the methods fixed and weighted.",
    ),
    "targets": serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="The only cost centers that bear it; empty: all that have usage.",
    ),
    "fallback": serializers.CharField(
        **TEXT, help_text="Bears what nobody else does, instead of Unattributed."
    ),
    "currency": serializers.CharField(
        **TEXT,
        help_text="Of its amounts; by default the reporting currency. Another one is converted by "
        "the mean of the month's exchange rates.",
    ),
    "gl_account": serializers.CharField(**TEXT),
    "note": serializers.CharField(**TEXT),
    "amount": serializers.CharField(**AMOUNT),
    "percent": serializers.CharField(**DAY),
    "percent_of": serializers.ChoiceField(CostItem.Of.values, required=False),
    "term_start": serializers.DateField(**DAY),
    "term_end": serializers.DateField(**DAY),
    "hour_price": serializers.CharField(**AMOUNT),
    "capacity_unit": serializers.ChoiceField(CostItem.Unit.values, **TEXT),
    "capacity_per_hour": serializers.CharField(**DAY),
    "sizes": SIZE,
    "reference": serializers.CharField(**TEXT),
}
KEPT: dict[str, Any] = {
    "id": serializers.IntegerField(),
    **TERMS,
    "position": serializers.IntegerField(),
    "follows": serializers.IntegerField(allow_null=True, help_text="What it was before."),
    "version": serializers.IntegerField(),
    **{name: serializers.DateTimeField() for name in ("created_at", "changed_at")},
    **{name: serializers.CharField() for name in ("created_by", "changed_by")},
}
ITEM = inline_serializer("CostItem", KEPT)
OUTDATED = {
    (409, JSON): OpenApiResponse(
        ProblemSerializer, description="It has changed since the version that was given."
    )
}
