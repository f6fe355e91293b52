"""What the OpenAPI document says of users."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from finops import power_users
from finops.api.schema import FILTERS, MONEY, PERIOD, PROBLEMS, ProblemSerializer, parameter

LARGEST_PAGE = 1_000


def money(**options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=MONEY, **options)


def ratio() -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text="A decimal from 0 to 1.")


LABEL: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "label": serializers.ChoiceField(list(power_users.NAMES)),
    "evidence": serializers.CharField(help_text="Why, in words and numbers."),
}
LABELS = inline_serializer("UserLabel", LABEL, many=True, required=False, allow_null=True)
FRESHNESS = inline_serializer(
    "UserFreshness",
    {
        "rolled_up_to": serializers.DateTimeField(allow_null=True),
        "pending_events": serializers.IntegerField(),
        "recorded_since": serializers.DateTimeField(allow_null=True),
    },
)
ASKED: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "query": serializers.DictField(child=serializers.JSONField(allow_null=True)),
    "currency": serializers.CharField(),
    "freshness": FRESHNESS,
}
USER: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "user": serializers.CharField(),
    "place": serializers.IntegerField(help_text="1 is the user that cost most."),
    "effective_cost": money(allow_null=True),
    "share": ratio(),
    "requests": serializers.IntegerField(),
    "unpriced_requests": serializers.IntegerField(),
}
NOBODY = inline_serializer(
    "UsageOfNobody",
    {
        "name": serializers.CharField(),
        "effective_cost": money(allow_null=True),
        "requests": serializers.IntegerField(),
    },
    many=True,
)
TOP = inline_serializer(
    "TopUsers",
    {
        "percent": serializers.IntegerField(),
        "users": serializers.IntegerField(),
        "effective_cost": money(),
        "share": ratio(),
    },
    many=True,
)
CURVE = inline_serializer(
    "ParetoPoint",
    {"users": serializers.IntegerField(), "effective_cost": money(), "share": ratio()},
    many=True,
)
CONCENTRATION: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "users": serializers.IntegerField(help_text="With a known cost; shares are of these."),
    "users_without_known_cost": serializers.IntegerField(),
    "effective_cost": money(),
    "gini": serializers.CharField(
        allow_null=True, help_text="0: all cost the same. Null where it is not defined."
    ),
    "gini_reason": serializers.CharField(help_text="Why gini is null, or empty."),
    "top": TOP,
    "curve": CURVE,
    "nobody": NOBODY,
}
SAVING = inline_serializer(
    "LimitSaving",
    {
        "start": serializers.DateTimeField(),
        "end": serializers.DateTimeField(),
        "saved": money(),
        "share_of_cost": ratio(),
        "users": serializers.IntegerField(),
        "user_steps": serializers.IntegerField(help_text="Users' days or months beyond it."),
        "share_of_requests": ratio(),
    },
    many=True,
)


def answered(name: str, fields: dict[str, serializers.Field[Any, Any, Any, Any]]) -> dict[Any, Any]:
    return {(200, "application/json"): inline_serializer(name, fields), **PROBLEMS}


USERS_SCHEMA: dict[str, Any] = {
    "operation_id": "users",
    "summary": "End users by cost",
    "description": "Those that cost most first; those without a known cost last. Labels are looked "
    "for on pages of at most 50 users, else they are null. Usage without a user is in `nobody`.",
    "parameters": [
        *PERIOD,
        *FILTERS,
        parameter("q", "Only users with this in their name, or of exactly this hashed name."),
        parameter("cursor", "next_cursor of the page before."),
        OpenApiParameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": power_users.PAGE},
        ),
    ],
    "responses": answered(
        "Users",
        {
            **ASKED,
            "users": inline_serializer(
                "User", {**USER, "cumulated_share": ratio(), "labels": LABELS}, many=True
            ),
            "nobody": NOBODY,
            "note": serializers.CharField(help_text="Which labels could not be looked for."),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    ),
}
CONCENTRATION_SCHEMA: dict[str, Any] = {
    "operation_id": "users_concentration",
    "summary": "How much of the cost few users make",
    "description": "Shares of the top 1, 5 and 20 percent of users, the Pareto curve by percent of "
    "users, and the Gini coefficient, exactly.",
    "parameters": [*PERIOD, *FILTERS],
    "responses": answered("UserConcentration", {**ASKED, **CONCENTRATION}),
}
LIMITS_SCHEMA: dict[str, Any] = {
    "operation_id": "users_limits",
    "summary": "What a limit for each user would have saved",
    "description": "Of round amounts, and of `amount`: over the last 30 and 90 whole days, or the "
    "last 1 and 3 whole months.",
    "parameters": [
        parameter("span", "What the limit is for.", enum=list(power_users.SPANS), default="day"),
        parameter("amount", "Another amount, above 0."),
        *FILTERS,
    ],
    "responses": answered(
        "UserLimits",
        {
            "span": serializers.ChoiceField(list(power_users.SPANS)),
            "currency": serializers.CharField(),
            "freshness": FRESHNESS,
            "users": serializers.IntegerField(),
            "limits": inline_serializer(
                "UserLimit",
                {"amount": money(), "is_proposed": serializers.BooleanField(), "savings": SAVING},
                many=True,
            ),
            "reason": serializers.CharField(help_text="Why none is proposed, or empty."),
        },
    ),
}
USER_SCHEMA: dict[str, Any] = {
    "operation_id": "user",
    "summary": "One end user among the others",
    "description": "By name, or by the name that a hash is stored of. A name that begins with ! or "
    "\\, or is that of another address here, has a \\ before it.",
    "parameters": [
        OpenApiParameter("user", OpenApiTypes.STR, OpenApiParameter.PATH),
        *PERIOD,
        *(each for each in FILTERS if each.name != "user"),
    ],
    "responses": {
        **answered(
            "UserPicture",
            {
                **ASKED,
                **USER,
                "users": serializers.IntegerField(),
                "median_user_cost": money(allow_null=True),
                "labels": LABELS,
                "note": serializers.CharField(),
                "days": inline_serializer(
                    "UserDay",
                    {
                        "day": serializers.DateField(),
                        "effective_cost": money(),
                        "requests": serializers.IntegerField(),
                        "unpriced_requests": serializers.IntegerField(),
                    },
                    many=True,
                ),
                "parts": serializers.DictField(
                    child=inline_serializer(
                        "UserPart",
                        {
                            "name": serializers.CharField(),
                            "effective_cost": money(allow_null=True),
                            "requests": serializers.IntegerField(),
                        },
                        many=True,
                    )
                ),
                "proposed_daily_limit": money(allow_null=True),
            },
        ),
        (404, "application/problem+json"): OpenApiResponse(
            ProblemSerializer, description="Nobody of this name used anything that is seen."
        ),
    },
}
