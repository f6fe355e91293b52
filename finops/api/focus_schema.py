"""What the OpenAPI document says of a month as FOCUS has it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from finops.api.allocation_schema import GONE, MONTH
from finops.api.schema import MONEY, PROBLEMS
from finops.focus.metadata import SCHEMA_ID, VERSION

ABOUT = (
    f"FOCUS {VERSION}, with the columns of 1.3 that tell how shared cost was split. One row per "
    "day of the reporting time zone, labels, token type and price line, with the unit prices that "
    "rated them, in the reporting currency and, in the columns of PricingCurrency, in their own; "
    "one per cost center's share of each charge; one per correction of a closed month. "
    "EffectiveCost adds up to the total cost of the allocation to the last digit, and by "
    "`x_AllocationColumn` to each of its columns. Requests without a price are in no row: the "
    "metadata says how many there are. A closed month's file stays as it was closed. Requests "
    "whose single events are not kept any more are one row per line, without unit prices. Who sees "
    "some teams gets their rows, and what they bear of shared cost without its shares."
)
COLUMN = inline_serializer(
    "FocusColumn",
    {
        "ColumnName": serializers.CharField(),
        "DataType": serializers.ChoiceField(("STRING", "DECIMAL", "DATETIME", "JSON")),
        "StringEncoding": serializers.CharField(required=False),
        "x_About": serializers.CharField(required=False, help_text="Of our own columns."),
    },
    many=True,
)
METADATA: dict[str, Any] = {
    "DataGenerator": inline_serializer(
        "FocusDataGenerator", {"DataGenerator": serializers.CharField()}
    ),
    "Schema": inline_serializer(
        "FocusSchema",
        {
            "SchemaId": serializers.CharField(help_text=f"Now {SCHEMA_ID}."),
            "FocusVersion": serializers.CharField(),
            "CreationDate": serializers.DateTimeField(),
            "ColumnDefinition": COLUMN,
        },
    ),
    "x_Month": serializers.CharField(),
    "x_TimeZone": serializers.CharField(help_text="Whose days and months these are."),
    "x_Status": serializers.ChoiceField(("draft", "closed")),
    "x_StatementVersion": serializers.IntegerField(allow_null=True),
    "x_StatementChecksum": serializers.CharField(
        allow_null=True, help_text="Of the allocation CSV of the same statement."
    ),
    "x_EffectiveCost": serializers.CharField(help_text=MONEY),
    "x_PricedRequests": serializers.IntegerField(),
    "x_UnpricedRequests": serializers.IntegerField(help_text="Of unknown cost, in no row."),
    "x_IsNarrowed": serializers.BooleanField(help_text="To the teams that are seen."),
    "x_RolledUpTo": serializers.DateTimeField(allow_null=True),
    "x_PendingEvents": serializers.IntegerField(),
}
FOCUS_CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "allocation_focus_csv",
    "summary": "Who bears what of a month, as FOCUS CSV",
    "description": ABOUT,
    "parameters": [MONTH],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS, **GONE},
}
FOCUS_METADATA_SCHEMA: dict[str, Any] = {
    "operation_id": "allocation_focus_metadata",
    "summary": "What accompanies the FOCUS CSV",
    "description": "The version of the specification, the columns, when it was made, and of which "
    "statement it is. A closed month's was made when the month was closed.",
    "parameters": [MONTH],
    "responses": {
        (200, "application/json"): inline_serializer("FocusMetadata", METADATA),
        **PROBLEMS,
        **GONE,
    },
}
