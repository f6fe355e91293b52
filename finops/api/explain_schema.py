"""What the OpenAPI document says of /api/v1/explain."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from finops.api.schema import (
    FILTERS,
    FRESHNESS,
    MONEY,
    PERIOD,
    PROBLEMS,
    QUERY,
    ProblemSerializer,
    parameter,
)
from finops.compared_periods import PREVIOUS, WEEKS_BEFORE
from finops.explanations import MIXED, MOST_ROWS, MOST_USERS
from finops.periods import PERIODS_TEXT
from finops.query import DIMENSIONS
from finops.variance_bridge import BY_BUCKET, BY_TOKEN

PARTS = {
    "days": "One period is longer than the other, or has not ended yet.",
    "volume": "More or fewer requests a day.",
    "mix": "Other shares of the requests for the groups of `mixed`: dearer models, say. A group "
    "that is new, or gone, is in volume and mix.",
    "input_length": "Input tokens of a request.",
    "output_length": "Output tokens of a request.",
    "length": "Input and output tokens of a request, where users are told apart.",
    "cache": "The shares of the input that are read from the provider's cache and written to it.",
    "price": "List prices of tokens.",
    "rate": "The list cost of a token, where users are told apart: prices, the cache, and how much "
    "of the tokens is output.",
    "discount": "What is paid of the list prices, by contract prices and discounts: above zero "
    "where a contract asks more than it did, too.",
    "per_request": "What is priced by the request or by GPU time.",
    "unpriced": "Requests that have a price now and had none, and the other way round.",
    "rest": "Costs that no request or token goes with, as corrections may leave them.",
}


def money(text: str = "") -> serializers.CharField:
    return serializers.CharField(help_text=f"{text} {MONEY}".strip())


def parts() -> Any:
    names = dict.fromkeys((*BY_BUCKET.parts, *BY_TOKEN.parts))
    return inline_serializer(
        "ExplainParts",
        {
            name: serializers.CharField(
                help_text=f"{PARTS[name]} {MONEY}", required=is_shared(name), allow_null=True
            )
            for name in names
        },
    )


def is_shared(part: str) -> bool:
    """Whether it is in every answer."""
    return part in BY_BUCKET.parts and part in BY_TOKEN.parts


def side(name: str) -> Any:
    return inline_serializer(
        name,
        {
            "start": serializers.DateTimeField(),
            "end": serializers.DateTimeField(),
            "elapsed_days": serializers.FloatField(help_text="How many had gone by."),
            "effective_cost": serializers.CharField(
                allow_null=True, help_text=f"{MONEY} null where nothing has a price."
            ),
            "requests": serializers.IntegerField(),
            "cost_per_request": serializers.CharField(
                allow_null=True, help_text="Of those with a price; null without any."
            ),
            "input_tokens": serializers.IntegerField(),
            "output_tokens": serializers.IntegerField(),
            "unpriced_requests": serializers.IntegerField(
                help_text="Their costs are unknown and in no figure."
            ),
            "priced_requests": serializers.IntegerField(),
        },
    )


CAUSE = inline_serializer(
    "ExplainCause",
    {
        "elements": serializers.DictField(
            child=serializers.CharField(), help_text="Dimension → value, of all that hold at once."
        ),
        "before": money("Without what causes before it hold."),
        "after": money("Likewise."),
        "difference": money(),
        "share_of_difference": serializers.FloatField(allow_null=True),
        "reason": serializers.CharField(),
    },
)
EXPLANATION = inline_serializer(
    "Explanation",
    {
        "query": QUERY,
        "against": inline_serializer(
            "ExplainAgainst",
            {
                "period": serializers.CharField(allow_null=True),
                "query": QUERY,
                "times": serializers.CharField(
                    allow_null=True, help_text="against_times; `before` is taken so many times."
                ),
            },
        ),
        "currency": serializers.CharField(),
        "before": side("ExplainBefore"),
        "after": side("ExplainAfter"),
        "difference": serializers.CharField(
            allow_null=True,
            help_text="After less before: the sum of `parts`, and of the rows' differences; null, "
            f"as they are, where no request of either period has a price. {MONEY}",
        ),
        "parts": parts(),
        "mixed": serializers.ListField(
            child=serializers.CharField(),
            help_text="The dimensions among whose values requests shift in `mix`.",
        ),
        "rows": serializers.ListField(
            child=serializers.DictField(
                child=serializers.JSONField(),
                help_text="A group of group_by: a member for each dimension, before, after, "
                "difference, and parts, which add up to it. Where no request has a price before or "
                "after is null, and counts for nothing; where none has on either side difference "
                "and parts are null. Rows add up to the answer, part by "
                "part. The remainder `Other` has is_other: true.",
            )
        ),
        "causes": serializers.ListField(child=CAUSE),
        "localized_difference": serializers.CharField(
            allow_null=True,
            help_text="What the differences of `causes` and `unexplained` add up to: `difference`, "
            "or where the periods are of unlike lengths, which `notes` say, that of like ones.",
        ),
        "unexplained": serializers.CharField(
            allow_null=True,
            help_text="What the causes leave; null where they were not looked "
            "for, which `notes` say.",
        ),
        "notes": serializers.ListField(child=serializers.CharField()),
        "freshness": FRESHNESS,
    },
)
ANSWERS = {
    **PROBLEMS,
    (404, "application/problem+json"): OpenApiResponse(
        ProblemSerializer, description="There is no such anomaly, or it is of other teams."
    ),
}
PARAMETERS = [
    *PERIOD,
    parameter(
        "against",
        f"The period to set it against: {PREVIOUS} (the default: as many days before, the same "
        f"days of the month before, the month before), {WEEKS_BEFORE} (the same time of the week, "
        f"one week or more before), or {PERIODS_TEXT}.",
    ),
    parameter("against_start", "Instead of against: its first instant, written like start."),
    parameter("against_end", "Its first instant not included."),
    parameter(
        "against_times",
        "Its usage is taken so many times (0.25, say), as what was expected of the period: "
        "requests and tokens in proportion, prices as they were. The length is then no part.",
    ),
    parameter(
        "anomaly",
        "Instead of both periods: the number of an anomaly. Its usage in the hours that it touches "
        "is set against that of the same hours a week before; with against=expected its cost "
        "in just its time against what was expected, parted as usage was in the week before.",
    ),
    parameter("group_by", f"Comma-separated: {', '.join(DIMENSIONS)}, tag:<key>."),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        description="Only the groups that changed most; the rest is `Other`, in a row that has "
        f"`is_other: true`. Of users, the {MOST_USERS} that cost most in either period.",
    ),
    *FILTERS,
]
DESCRIPTION = (
    "An exact variance bridge of the effective cost: parts add up to the difference to the last "
    "digit, in every row and in all. Costs are split into days × requests a day × share of the "
    f"requests of each group of {', '.join(MIXED)} and of group_by × priced share × (tokens × "
    "share of the bucket × list price, added up over the buckets, and what is priced by the "
    "request) × paid share of list. The difference of a product is shared out by halves, level "
    "by level (Bennet's indicator; the Owen value), so that no order of the parts matters. Where "
    "users are grouped or filtered by, buckets are not known: `length` and `rate` then stand for "
    "input_length, output_length, cache and price. `metrics`, `granularity` and `compare` are "
    "understood where they ask for effective_cost, and change nothing."
)
EXPLAIN_SCHEMA: dict[str, Any] = {
    "operation_id": "explain",
    "summary": "Why costs differ between two periods",
    "description": DESCRIPTION,
    "parameters": PARAMETERS,
    "responses": {
        (200, "application/json"): EXPLANATION,
        (200, "text/csv"): OpenApiTypes.STR,
        **ANSWERS,
    },
}
EXPLAIN_CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "explain_csv",
    "summary": "The same rows as CSV",
    "description": "One header row: the dimensions of group_by, before, after, difference, and the "
    "parts. Columns add up to the answer. Text that a spreadsheet would run as a formula has an "
    "apostrophe before it.",
    "parameters": PARAMETERS,
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **ANSWERS},
}
