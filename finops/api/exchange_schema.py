"""What the OpenAPI document says of exchange rates."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from finops.api.schema import PROBLEMS, parameter
from finops.exchange import MOST_DAYS

RATES_SCHEMA: dict[str, Any] = {
    "operation_id": "exchange_rates",
    "summary": "Exchange rates by day, the latest first",
    "parameters": [
        parameter("start", "The first day; 31 days before the end."),
        parameter("end", "The first day that is not in it; after the last that is known."),
        parameter("superseded", "1: with rates that were corrected or completed later."),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "ExchangeRates",
            {
                "base": serializers.CharField(help_text="EUR: rates are units for one euro."),
                "currency": serializers.CharField(help_text="The reporting currency."),
                "rates": inline_serializer(
                    "ExchangeFixing",
                    {
                        "id": serializers.IntegerField(),
                        "day": serializers.DateField(),
                        "rates": serializers.DictField(
                            child=serializers.CharField(), help_text="By currency."
                        ),
                        "source": serializers.CharField(),
                        "imported_at": serializers.DateTimeField(),
                        "imported_by": serializers.CharField(),
                        "superseded_at": serializers.DateTimeField(allow_null=True),
                    },
                    many=True,
                ),
            },
        ),
        **PROBLEMS,
    },
}
IMPORTED = inline_serializer(
    "ExchangeRatesImported",
    {
        "first": serializers.DateField(),
        "last": serializers.DateField(),
        "days_added": serializers.IntegerField(),
        "days_completed": serializers.IntegerField(help_text="Which have further currencies."),
        "days_corrected": serializers.IntegerField(),
        "days_unchanged": serializers.IntegerField(),
    },
)
IMPORT_SCHEMA: dict[str, Any] = {
    "operation_id": "import_exchange_rates",
    "summary": "Import exchange rates",
    "description": "The body is a file of reference rates as the European Central Bank publishes "
    "them (eurofxref.csv, eurofxref-hist.csv), zipped or not, or a table of that shape. All or "
    "nothing: each cell that is wrong is named. What is known of a day is not changed, unless the "
    f"file corrects it. The rates of a day hold until the next, at most {MOST_DAYS} days.",
    "parameters": [
        parameter("source", "Whose rates they are; European Central Bank."),
        parameter("corrects", "1: where the file says otherwise than what is known, it is right."),
    ],
    "request": {"text/csv": str, "application/zip": OpenApiTypes.BINARY},
    "responses": {
        (200, "application/json"): IMPORTED,
        (201, "application/json"): IMPORTED,
        **PROBLEMS,
    },
}
