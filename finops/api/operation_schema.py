"""How the OpenAPI document and the answers write an operation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from finops.api.values import instant
from finops.models import Operation

FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "kind": serializers.ChoiceField(Operation.Kind.values),
    "state": serializers.ChoiceField(Operation.State.values),
    "start": serializers.DateTimeField(allow_null=True, help_text="Of the usage worked on."),
    "end": serializers.DateTimeField(allow_null=True),
    "done": serializers.IntegerField(),
    "total": serializers.IntegerField(),
    "unit": serializers.CharField(help_text="What done and total count: days, events."),
}
WORKING = inline_serializer(
    "WorkingOperation",
    FIELDS,
    many=True,
    help_text="Re-ratings and rebuilds that run now and change figures of this period, a whole day "
    "at a time.",
)


def operation_json(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.pk,
        "kind": operation.kind,
        "state": operation.state,
        "start": instant(operation.start),
        "end": instant(operation.end),
        "done": operation.done,
        "total": operation.total,
        "unit": operation.unit,
    }
