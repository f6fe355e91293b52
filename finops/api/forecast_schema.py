"""What the OpenAPI document says of forecasts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from finops.api.budget_schema import GONE
from finops.api.schema import FILTERS, MONEY, PROBLEMS, parameter
from finops.forecasts import METHODS
from finops.forecasts.changes import PLANNED, PRICE
from finops.prospects import COSTS
from finops.query import DIMENSIONS

# Of a CostQuery, but not of a forecast.
NO_PARAMETERS = ("period", "start", "end", "granularity", "compare", "limit")

BOUNDS: dict[str, Any] = {
    name: serializers.CharField(allow_null=True, help_text=f"{text} {MONEY}")
    for name, text in (
        ("low", "One outcome in ten is meant to be less."),
        ("expected", "What was spent, and what is expected of the rest."),
        ("high", "One outcome in ten is meant to be more."),
    )
}
SPAN: dict[str, Any] = {
    "start": serializers.DateField(help_text="The first day."),
    "end": serializers.DateField(help_text="The day after the last one."),
}
OUTLOOK: dict[str, Any] = {
    "method": serializers.CharField(help_text=f"One of {', '.join(METHODS)}."),
    "reason": serializers.CharField(help_text="Why so, or why there is none, in words."),
    "periods": inline_serializer(
        "ForecastPeriod",
        {**SPAN, "spent": serializers.CharField(help_text=MONEY), **BOUNDS},
        many=True,
        help_text="This month and the next three, or the present period of the budget.",
    ),
}
FORECAST = inline_serializer(
    "Forecast",
    {
        "query": inline_serializer(
            "ForecastQuery",
            {
                "metric": serializers.ChoiceField(COSTS),
                "group_by": serializers.ListField(child=serializers.CharField()),
                "filters": serializers.DictField(
                    child=serializers.ListField(child=serializers.CharField())
                ),
                "time_zone": serializers.CharField(),
                "budget": serializers.IntegerField(allow_null=True),
            },
        ),
        "as_of": serializers.DateTimeField(),
        "currency": serializers.CharField(),
        **OUTLOOK,
        "days": inline_serializer(
            "ForecastDay",
            {"day": serializers.DateField(), **BOUNDS},
            many=True,
            help_text="Each day from today on; of today what is spent is in all three.",
        ),
        "back_tests": inline_serializer(
            "ForecastBackTest",
            {
                **SPAN,
                **BOUNDS,
                "actual": serializers.CharField(help_text=MONEY),
                "is_covered": serializers.BooleanField(),
            },
            many=True,
            help_text="Four weeks each, forecast with what was known then, the oldest first.",
        ),
        "models": inline_serializer(
            "ForecastModel",
            {
                "name": serializers.CharField(),
                "error": serializers.FloatField(help_text="Of a day, as a part of the mean day."),
                "is_used": serializers.BooleanField(),
            },
            many=True,
        ),
        "changes": inline_serializer(
            "ForecastChange",
            {
                "kind": serializers.ChoiceField([PLANNED, PRICE]),
                "text": serializers.CharField(),
                "start": serializers.DateField(),
                "end": serializers.DateField(allow_null=True),
                "factor": serializers.CharField(
                    allow_null=True,
                    help_text="Times what a day is expected to cost; of prices null for who may "
                    "not see them.",
                ),
                "amount": serializers.CharField(
                    allow_null=True, help_text=f"Added to each day; likewise. {MONEY}"
                ),
            },
            many=True,
            help_text="Planned events and prices of later days that were taken in.",
        ),
        "groups": inline_serializer(
            "ForecastGroup",
            {
                "name": serializers.CharField(),
                "is_other": serializers.BooleanField(),
                **OUTLOOK,
            },
            many=True,
            help_text="Each by itself: they need not add up to the whole.",
        ),
        "freshness": inline_serializer(
            "ForecastFreshness",
            {
                "rolled_up_to": serializers.DateTimeField(allow_null=True),
                "pending_events": serializers.IntegerField(),
                "recorded_since": serializers.DateTimeField(allow_null=True),
            },
        ),
        "coverage": inline_serializer(
            "ForecastCoverage",
            {
                "priced_requests": serializers.IntegerField(),
                "unpriced_requests": serializers.IntegerField(
                    help_text="Of the days that are known; they are in no amount."
                ),
            },
        ),
    },
)
FORECAST_SCHEMA: dict[str, Any] = {
    "operation_id": "forecast",
    "summary": "What this month and the next three will come to",
    "description": "By models that are chosen for each series by how they did on its past, with "
    "low and high. With `budget` it is of what that counts, in its present period.",
    "parameters": [
        parameter("group_by", f"One of {', '.join(DIMENSIONS)}, tag:<key>: its largest values."),
        parameter("metrics", "Which cost. Default effective_cost.", enum=list(COSTS)),
        OpenApiParameter(
            "budget",
            {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
            description="The number of a budget, instead of filters.",
        ),
        *FILTERS,
    ],
    "responses": {(200, "application/json"): FORECAST, **PROBLEMS, **GONE},
}
