"""GET /api/v1/projection: what a month of requests would cost."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import projections
from finops.api.schema import MONEY, PROBLEMS, parameter
from finops.api.values import plain

WHOLE = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999}
NUMBER = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,24})?$"}
AMOUNTS = {
    "request_cost": "One request that reaches the model.",
    "cost_per_request": "Any request, cached ones included.",
    "daily_cost": "One day.",
    "cached_cost": "The month's requests that the cache answers.",
    "model_cost": "The month's requests that reach the model.",
    "monthly_cost": "The month.",
}
SCHEMA: dict[str, Any] = {
    "operation_id": "projection",
    "summary": "What a month of requests would cost",
    "description": "monthly_cost = requests_per_day × days × (cached_percent × "
    "cost_per_cached_request + (100 − cached_percent) × request_cost) / 100, exact. The price of a "
    "request is typed in (input_price_per_million and output_price_per_million) or that of a model "
    "in the price ledger now, contracts included (model).",
    "parameters": [
        *(
            OpenApiParameter(name, WHOLE, required=True, description=text)
            for name, text in (
                ("requests_per_day", "Requests a day."),
                ("input_tokens", "Input tokens of a request."),
                ("output_tokens", "Output tokens of a request."),
            )
        ),
        OpenApiParameter(
            "cached_percent", NUMBER, description="Percent answered by the response cache: 0."
        ),
        OpenApiParameter(
            "cost_per_cached_request", NUMBER, description="In the reporting currency, for one: 0."
        ),
        OpenApiParameter(
            "days", {"type": "integer", "minimum": 1, "maximum": 366}, description="Of a month: 30."
        ),
        OpenApiParameter(
            "input_price_per_million", NUMBER, description="Per million input tokens."
        ),
        OpenApiParameter(
            "output_price_per_million", NUMBER, description="Per million output tokens."
        ),
        parameter("model", "Instead of typed-in prices: a model as clients name it."),
        parameter("provider", "Of the model."),
        parameter("service_tier", "Of the requests to the model: standard."),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "Projection",
            {
                "currency": serializers.CharField(),
                "requests_per_day": serializers.IntegerField(),
                "input_tokens": serializers.IntegerField(),
                "output_tokens": serializers.IntegerField(),
                "days": serializers.IntegerField(),
                "cached_percent": serializers.CharField(),
                "cost_per_cached_request": serializers.CharField(help_text=MONEY),
                **{
                    name: serializers.CharField(help_text=f"{text} {MONEY}")
                    for name, text in AMOUNTS.items()
                },
                "prices": serializers.ListField(
                    child=inline_serializer(
                        "ProjectionPrice",
                        {
                            "id": serializers.IntegerField(),
                            "kind": serializers.CharField(),
                            "terms": serializers.CharField(),
                            "source": serializers.CharField(),
                        },
                    ),
                    help_text="Lines of the ledger that gave the price; none when typed in.",
                ),
            },
        ),
        **PROBLEMS,
    },
}


class ProjectionView(APIView):
    http_method_names = ("get", "head")

    @extend_schema(**SCHEMA)
    def get(self, request: Request) -> Response:
        params = {name: request.query_params[name] for name in request.query_params}
        found = projections.answer(params, timezone.now())
        return Response(as_json(found))


def as_json(found: projections.Answer) -> dict[str, Any]:
    load = found.load
    return {
        "currency": settings.CURRENCY,
        "requests_per_day": load.requests_per_day,
        "input_tokens": load.input_tokens,
        "output_tokens": load.output_tokens,
        "days": load.days,
        "cached_percent": plain(load.cached_percent),
        "cost_per_cached_request": plain(found.cached_request_cost),
        **{name: plain(getattr(found.projection, name)) for name in AMOUNTS},
        "prices": [
            {"id": each.id, "kind": each.kind, "terms": each.describe(), "source": each.source}
            for each in found.lines
        ],
    }
