"""What enforcement does about a budget now, in the answer that says how it stands."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from finops.api.schema import MONEY
from finops.api.values import instant, json_value
from finops.enforcement import Acts
from finops.models import Budget

SLOWED = (
    "Calls are spread from so much of the amount on, at most 100. Where nothing is said, a budget "
    "that throttles does so from 100 on, and one that blocks never does."
)
ACTS: dict[str, Any] = {
    "policy": serializers.ChoiceField([Budget.Enforcement.THROTTLE, Budget.Enforcement.BLOCK]),
    "refusing": serializers.BooleanField(
        help_text="Calls are refused: any, as nothing is left, or some within the last 2 minutes."
    ),
    "slowing": serializers.BooleanField(help_text="Calls are let in one after another."),
    "reserved": serializers.CharField(help_text=f"For calls under way. {MONEY}"),
    "refused": serializers.IntegerField(
        help_text="Calls of this period; of a rolling budget those of the last 31 days."
    ),
    "slowed": serializers.IntegerField(),
    "last_refused_at": serializers.DateTimeField(allow_null=True),
    "last_slowed_at": serializers.DateTimeField(allow_null=True),
    "as_of": serializers.DateTimeField(
        allow_null=True,
        help_text="Usage that was committed before is in the figures that it goes by. Calls are "
        "counted some two seconds later.",
    ),
}
ENFORCEMENT = inline_serializer(
    "BudgetActs", ACTS, allow_null=True, help_text="null of a budget that is not enforced."
)


def acts_json(acts: Acts | None, value: str) -> dict[str, Any] | None:
    if acts is None:
        return None
    acting = acts.of(value)
    return {
        "policy": acts.terms.policy,
        "refusing": acting.is_refusing,
        "slowing": acting.is_slowing,
        "reserved": json_value(acting.reserved),
        "refused": acting.refused,
        "slowed": acting.slowed,
        "last_refused_at": instant(acting.refused_at),
        "last_slowed_at": instant(acting.slowed_at),
        "as_of": instant(acts.as_of),
    }
