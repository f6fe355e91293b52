"""How a request and what settles it are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

_MONEY = "A decimal string; null where a price is not known."
KIND_FIELDS: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "kind": serializers.ChoiceField(
        choices=["event", "reversal", "settled"],
        help_text="A settlement replaces an event's figures by a reversal, every figure of which "
        "is that of the event below zero, and a settled row.",
    ),
    "reverses_key": serializers.CharField(
        allow_null=True, help_text="event_key of what a reversal takes back."
    ),
    "corrects_key": serializers.CharField(
        allow_null=True, help_text="event_key of the event whose figures a settled row replaces."
    ),
}
_TOKENS = serializers.DictField(child=serializers.IntegerField())
_AMOUNTS: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "tokens": _TOKENS,
    "effective_cost": serializers.CharField(allow_null=True, help_text=_MONEY),
    "list_cost": serializers.CharField(allow_null=True, help_text=_MONEY),
}
COUNTS = inline_serializer(
    "CountingFigures",
    {
        "event_key": serializers.CharField(help_text="Of the row whose figures count."),
        "id": serializers.CharField(),
        "kind": serializers.ChoiceField(
            choices=["event", "settled"], help_text="settled where a settlement replaced the event."
        ),
        "status": serializers.CharField(),
        "input_tokens": serializers.IntegerField(),
        "output_tokens": serializers.IntegerField(),
        **_AMOUNTS,
        "is_priced": serializers.BooleanField(),
    },
    allow_null=True,
    help_text="The figures that count now for this call: the record's own, or those of the settled "
    "row that replaced them. null where that row is of a team that you do not see.",
)
SETTLEMENT = inline_serializer(
    "Settlement",
    {
        "original": serializers.CharField(help_text="event_key of the event."),
        "in_force": serializers.CharField(help_text="event_key of the row whose figures count."),
        "rows": serializers.ListField(
            child=inline_serializer(
                "SettlementRow",
                {
                    "kind": serializers.CharField(),
                    "id": serializers.CharField(),
                    "event_key": serializers.CharField(),
                    "received_at": serializers.DateTimeField(),
                    "status": serializers.CharField(),
                    **_AMOUNTS,
                },
            )
        ),
        "adjustment": inline_serializer("Adjustment", _AMOUNTS),
    },
    allow_null=True,
)
CONVERSIONS = inline_serializer(
    "Conversion",
    {
        "currency": serializers.CharField(help_text="Of the prices of a line."),
        "into": serializers.CharField(help_text="Of the costs."),
        "factor": serializers.CharField(help_text="A decimal string."),
        "day": serializers.DateField(help_text="Of the exchange rates."),
        "source": serializers.CharField(),
    },
    many=True,
)
