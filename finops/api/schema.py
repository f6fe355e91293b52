"""What the OpenAPI document says of the query API; views carry it as their schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from finops.api.operation_schema import WORKING
from finops.api.settlement_schema import CONVERSIONS, COUNTS, KIND_FIELDS, SETTLEMENT
from finops.periods import GRANULARITIES, PERIODS_TEXT
from finops.query import DIMENSIONS, MAX_LIMIT, METRICS


class FieldErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


MONEY = "A plain decimal, exact to the last digit."


def parameter(name: str, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=description, **options)


PERIOD = [
    parameter("period", f"{PERIODS_TEXT}. Default 30d."),
    parameter("start", "First instant: a date of the reporting time zone, or RFC 3339."),
    parameter("end", "First instant not included, written like start."),
]
FILTERS = [
    OpenApiParameter(
        name,
        OpenApiTypes.STR,
        many=True,
        description="Keep only these values; `!` before a value excludes it. `Unattributed` is "
        "the requests without one. `tag:<key>` filters activated tags the same way.",
    )
    for name in DIMENSIONS
]
SHAPE = [
    parameter("granularity", "Default: what suits the period.", enum=GRANULARITIES),
    parameter("group_by", f"Comma-separated: {', '.join(DIMENSIONS)}, tag:<key>."),
    parameter(
        "metrics",
        f"Comma-separated: {', '.join(METRICS)}. cost_per_user is the effective cost of the "
        "requests that name a user, divided by the number of these users.",
    ),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        description="Only the largest groups by the first metric; the rest is `Other`, in rows "
        "that have `is_other: true`.",
    ),
    parameter(
        "compare",
        "Also the period before: in JSON as `previous`, with its own rows and totals; in CSV as "
        "`previous_start` and a `previous_<metric>` for each metric, beside the same group in the "
        "same step. `previous.is_covered` is false where usage was not yet recorded for all of it "
        "(see `freshness.recorded_since`), so that a change means little.",
        enum=["previous"],
    ),
]
PROBLEMS = {
    (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, description=why)
    for status, why in (
        (400, "A parameter is wrong; `errors` names it."),
        (401, "No valid token or session."),
        (403, "The account may not see this."),
        (405, "Another method is answered here; `Allow` says which."),
        (406, "`Accept` asks for a format that there is none of."),
        (503, "The database is away, or the question too large."),
    )
}
QUERY = inline_serializer(
    "CanonicalQuery",
    {
        "period": serializers.CharField(allow_null=True),
        "start": serializers.DateTimeField(),
        "end": serializers.DateTimeField(),
        "time_zone": serializers.CharField(),
        "granularity": serializers.ChoiceField(GRANULARITIES),
        "group_by": serializers.ListField(child=serializers.CharField()),
        "filters": serializers.DictField(
            child=serializers.ListField(child=serializers.CharField())
        ),
        "metrics": serializers.ListField(child=serializers.ChoiceField(METRICS)),
        "limit": serializers.IntegerField(allow_null=True),
        "compare": serializers.CharField(allow_null=True),
    },
)


def rows() -> serializers.ListField:
    row = serializers.DictField(
        child=serializers.JSONField(),
        help_text="start, one member per dimension of group_by, one per metric. Money is a decimal "
        "string, counts and milliseconds are numbers, the unknown is null. With limit, rows of the "
        "remainder `Other` have is_other: true; a value that is really named Other has not.",
    )
    return serializers.ListField(child=row)


FRESHNESS = inline_serializer(
    "Freshness",
    {
        "rolled_up_to": serializers.DateTimeField(allow_null=True),
        "pending_events": serializers.IntegerField(
            help_text="Committed and in no figure yet, of keys of the teams that are seen."
        ),
        "recorded_since": serializers.DateTimeField(
            allow_null=True, help_text="The hour of the earliest usage in any figure."
        ),
        "operations": WORKING,
    },
)
COSTS = inline_serializer(
    "Costs",
    {
        "query": QUERY,
        "currency": serializers.CharField(),
        "rows": rows(),
        "totals": serializers.DictField(child=serializers.JSONField()),
        "freshness": FRESHNESS,
        "coverage": inline_serializer(
            "Coverage",
            {
                "priced_requests": serializers.IntegerField(),
                "unpriced_requests": serializers.IntegerField(),
            },
        ),
        "previous": inline_serializer(
            "PreviousCosts",
            {
                "query": QUERY,
                "rows": rows(),
                "totals": serializers.DictField(child=serializers.JSONField()),
                "is_covered": serializers.BooleanField(
                    help_text="Whether usage was recorded for all of it."
                ),
            },
            required=False,
        ),
    },
)
COSTS_SCHEMA: dict[str, Any] = {
    "operation_id": "costs",
    "summary": "Costs and usage, grouped and filtered",
    "description": "Rows add up to totals exactly; rows exist only where there is usage.",
    "parameters": [*PERIOD, *SHAPE, *FILTERS],
    "responses": {
        (200, "application/json"): COSTS,
        (200, "text/csv"): OpenApiTypes.STR,
        **PROBLEMS,
    },
}
COSTS_CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "costs_csv",
    "summary": "The same rows as CSV",
    "description": "One header row: start, the dimensions of group_by, the metrics; with "
    "compare=previous then previous_start and previous_<metric> for each metric, also of groups "
    "that had usage only before. Money is a plain decimal, the unknown is empty. Text that a "
    "spreadsheet would run as a formula has an apostrophe before it. The file is named after its "
    "period and grouping.",
    "parameters": [*PERIOD, *SHAPE, *FILTERS],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS},
}
REQUEST_FIELDS: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "id": serializers.CharField(help_text="As the client gave it."),
    "event_key": serializers.CharField(help_text="Ours: unique with the UTC day."),
    "source": serializers.CharField(),
    "started_at": serializers.DateTimeField(),
    "received_at": serializers.DateTimeField(),
    "format": serializers.CharField(),
    **KIND_FIELDS,
    **{name: serializers.CharField() for name in DIMENSIONS},
    "session": serializers.CharField(),
    "tags": serializers.DictField(child=serializers.CharField()),
    "input_tokens": serializers.IntegerField(),
    "output_tokens": serializers.IntegerField(),
    "tokens": serializers.DictField(
        child=serializers.IntegerField(), help_text="In disjoint buckets."
    ),
    "latency_ms": serializers.FloatField(allow_null=True),
    "ttft_ms": serializers.FloatField(allow_null=True),
    "stages_ms": serializers.DictField(child=serializers.FloatField()),
    "quality": serializers.FloatField(allow_null=True),
    "gpu_seconds": serializers.CharField(allow_null=True),
    "prompt_hash": serializers.CharField(),
    "is_normalised": serializers.BooleanField(
        help_text="The client's token convention was ambiguous and has been resolved."
    ),
    **{
        name: serializers.CharField(allow_null=True, help_text=MONEY)
        for name in (
            *("input_cost", "cache_read_cost", "cache_creation_cost", "output_cost"),
            *("request_cost", "effective_cost", "list_cost", "reported_cost"),
        )
    },
    "is_priced": serializers.BooleanField(),
}
PRICE = serializers.DictField(child=serializers.JSONField(), allow_null=True)
TRACE = inline_serializer(
    "RatingTrace",
    {
        "buckets": serializers.ListField(
            child=inline_serializer(
                "RatedBucket",
                {
                    "bucket": serializers.CharField(),
                    "quantity": serializers.JSONField(),
                    "list_unit_price": serializers.CharField(allow_null=True),
                    "list_amount": serializers.CharField(allow_null=True),
                    "effective_unit_price": serializers.CharField(allow_null=True),
                    "effective_amount": serializers.CharField(allow_null=True),
                    "why": serializers.CharField(),
                },
            )
        ),
        **{n: serializers.CharField(allow_null=True) for n in ("list_cost", "effective_cost")},
        "agrees_with_stored_costs": serializers.BooleanField(),
        "conversions": CONVERSIONS,
        "list_price": PRICE,
        "contract_price": PRICE,
        "note": serializers.CharField(),
    },
)
SORTS = ("newest", "cost")
REQUESTS_SCHEMA: dict[str, Any] = {
    "operation_id": "requests",
    "summary": "The single events behind any figure",
    "parameters": [
        *PERIOD,
        *FILTERS,
        parameter("cursor", "next_cursor of the page before."),
        parameter(
            "sort",
            "newest first, or the largest cost first, within at most one day.",
            enum=SORTS,
            default=SORTS[0],
        ),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 500}),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "Requests",
            {
                "requests": serializers.ListField(
                    child=inline_serializer("UsageRequest", REQUEST_FIELDS)
                ),
                "next_cursor": serializers.CharField(allow_null=True),
                "next": serializers.URLField(allow_null=True),
            },
        ),
        **PROBLEMS,
    },
}
REQUEST_SCHEMA: dict[str, Any] = {
    "operation_id": "request",
    "summary": "One event with its rating trace",
    "description": "By the client's id or our event_key. Where several events have the id, the "
    "newest is shown and same_id names the others. The figures are the record's own, as they were "
    "recorded; those that count now, after settlements, are in counts.",
    "parameters": [
        OpenApiParameter("request_id", OpenApiTypes.STR, OpenApiParameter.PATH),
        OpenApiParameter("day", OpenApiTypes.DATE, description="UTC day of the event."),
        parameter("source", "Service whose key sent it."),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "UsageRequestWithTrace",
            {
                **REQUEST_FIELDS,
                "counts": COUNTS,
                "rating_trace": TRACE,
                "settlement": SETTLEMENT,
                "same_id": serializers.ListField(
                    child=serializers.DictField(child=serializers.CharField())
                ),
            },
        ),
        **PROBLEMS,
        (404, "application/problem+json"): OpenApiResponse(
            ProblemSerializer, description="No event has this id."
        ),
    },
}
