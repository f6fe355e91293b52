"""What the OpenAPI document says of anomalies and planned events, and both as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from finops.anomalies import causes, severities, wording
from finops.anomalies.listing import SEVERITIES, STATES
from finops.api.schema import MONEY, PROBLEMS, ProblemSerializer, parameter
from finops.api.values import instant, plain
from finops.models import Anomaly, PlannedEvent

LARGEST_PAGE = 500
FILTERS = serializers.DictField(
    child=serializers.CharField(), help_text="Dimension → value; empty is all usage."
)
FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "title": serializers.CharField(),
    "filters": FILTERS,
    "team": serializers.CharField(),
    "metric": serializers.ChoiceField(Anomaly.Metric.values),
    "scale": serializers.ChoiceField(Anomaly.Scale.values),
    "kind": serializers.ChoiceField(Anomaly.Kind.values),
    "direction": serializers.ChoiceField((-1, 1)),
    "severity": serializers.ChoiceField(Anomaly.Severity.values),
    "state": serializers.ChoiceField(STATES, help_text="quiet: it is like a false alarm."),
    "reason": serializers.CharField(),
    "started_at": serializers.DateTimeField(),
    "ended_at": serializers.DateTimeField(help_text="The end of the last step of it so far."),
    "seen_at": serializers.DateTimeField(),
    "closed_at": serializers.DateTimeField(allow_null=True),
    "is_new_level": serializers.BooleanField(
        help_text="It is closed as usage has stayed so, and is what is expected since."
    ),
    "actual": serializers.CharField(help_text="In the unit of the metric; shares are of 1."),
    "expected": serializers.CharField(),
    "total_impact": serializers.CharField(
        allow_null=True, help_text=f"What it has cost beyond the expected. {MONEY}"
    ),
    "total_impact_percentage": serializers.CharField(
        allow_null=True, help_text="The difference in percent of the expected."
    ),
    "at_stake": serializers.CharField(
        allow_null=True, help_text="While it is open: what it costs in a day, if it goes on."
    ),
    "surprise": serializers.FloatField(
        help_text="The logarithm (base 10) of the days between two such by chance, at most 12."
    ),
    "causes": inline_serializer(
        "AnomalyCauses",
        {
            "difference": serializers.CharField(help_text=MONEY),
            "unexplained": serializers.CharField(help_text=MONEY),
            "until": serializers.DateTimeField(),
            "parts": inline_serializer(
                "AnomalyCause",
                {
                    "elements": serializers.DictField(child=serializers.CharField()),
                    "difference": serializers.CharField(help_text=MONEY),
                    "share": serializers.FloatField(),
                },
                many=True,
            ),
        },
        allow_null=True,
        help_text="What in it changed, against what was expected, parted as usage was in the week "
        "before: parts and unexplained add up to difference. null where none is known.",
    ),
    "lead": serializers.IntegerField(allow_null=True, help_text="The anomaly that explains it."),
    "also_seen_in": serializers.ListField(child=serializers.IntegerField()),
    "feedback": inline_serializer(
        "AnomalyFeedback",
        {
            "verdict": serializers.ChoiceField(Anomaly.Verdict.values),
            "reason": serializers.CharField(),
            "by": serializers.CharField(),
            "at": serializers.DateTimeField(),
        },
        allow_null=True,
    ),
    "like": serializers.IntegerField(allow_null=True, help_text="The false alarm it is like."),
}
STEPS = inline_serializer(
    "AnomalySteps",
    {
        "scale": serializers.ChoiceField(Anomaly.Scale.values),
        "starts": serializers.ListField(child=serializers.DateTimeField()),
        **{
            name: serializers.ListField(child=serializers.CharField(allow_null=True))
            for name in ("actual", "expected", "low", "high")
        },
        "first": serializers.IntegerField(),
        "last": serializers.IntegerField(),
    },
    allow_null=True,
    help_text="The steps around it, as they were judged (12 digits); the episode is from first to "
    "last.",
)
GONE = {
    (404, "application/problem+json"): OpenApiResponse(
        ProblemSerializer, description="There is none, or it is of a team that is not yours."
    )
}
WATCH = inline_serializer(
    "AnomalyWatch",
    {
        "scale": serializers.ChoiceField(Anomaly.Scale.values),
        "judged_to": serializers.DateTimeField(),
        "judged_at": serializers.DateTimeField(),
        "series": serializers.IntegerField(),
        "left_out": serializers.IntegerField(),
    },
    many=True,
)
LIST_SCHEMA: dict[str, Any] = {
    "operation_id": "anomalies",
    "summary": "Anomalies: open ones first, then the latest",
    "description": "Of teams that are seen; what may be several teams' for who sees all. Those "
    "that another one explains are left out without `parts`.",
    "parameters": [
        parameter("state", "quiet: nobody is told, as it is like a false alarm.", enum=STATES),
        parameter("severity", "notable: of warning or worse.", enum=SEVERITIES),
        parameter("metric", "Only of this one.", enum=Anomaly.Metric.values),
        parameter("verdict", "What people said.", enum=[*Anomaly.Verdict.values, "none"]),
        *(parameter(name, "Only of series of this one.") for name in ("team", "feature")),
        *(parameter(name, "Only of series of this one.") for name in ("model", "user")),
        parameter("parts", "Also those that others explain.", enum=["yes"]),
        parameter("format", "csv: all of them as CSV, as `Accept: text/csv` asks.", enum=["csv"]),
        parameter("cursor", "next_cursor of the page before."),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "Anomalies",
            {
                "anomalies": inline_serializer("Anomaly", FIELDS, many=True),
                "next_cursor": serializers.CharField(allow_null=True),
                "watched": WATCH,
            },
        ),
        (200, "text/csv"): OpenApiTypes.STR,
        **PROBLEMS,
    },
}
ONE = inline_serializer("AnomalyWithSteps", {**FIELDS, "steps": STEPS})
ONE_SCHEMA: dict[str, Any] = {
    "operation_id": "anomaly",
    "summary": "One anomaly with the steps around it",
    "responses": {(200, "application/json"): ONE, **PROBLEMS, **GONE},
}
VERDICT_SCHEMA: dict[str, Any] = {
    "operation_id": "judge_anomaly",
    "summary": "Say what an anomaly is",
    "description": "false raises the bar of its series; planned makes it an event of the calendar; "
    "an empty verdict takes back what was said, of the calendar too.",
    "request": {
        "application/json": inline_serializer(
            "AnomalyVerdict",
            {
                "verdict": serializers.ChoiceField([*Anomaly.Verdict.values, ""]),
                "reason": serializers.CharField(required=False),
                "until": serializers.CharField(
                    required=False, help_text="Of what is planned and goes on: a day or an instant."
                ),
            },
        )
    },
    "responses": {(200, "application/json"): ONE, **PROBLEMS, **GONE},
}
PLAN: dict[str, Any] = {
    "name": serializers.CharField(max_length=200),
    "start": serializers.CharField(help_text="A date of the reporting zone, or RFC 3339."),
    "end": serializers.CharField(help_text="The first moment that is no part of it."),
    "filters": serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Dimension → values; without any it is about all usage.",
    ),
    "factor": serializers.CharField(
        required=False,
        allow_null=True,
        help_text="How many times the usual is expected; null: anything may happen.",
    ),
}
EVENT_FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    **{name: PLAN[name] for name in ("name", "filters", "factor")},
    "start": serializers.DateTimeField(),
    "end": serializers.DateTimeField(),
    "created_by": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
    "changed_at": serializers.DateTimeField(),
}
EVENT = inline_serializer("PlannedEvent", EVENT_FIELDS)


def anomaly_json(held: Anomaly, seen: set[int]) -> dict[str, Any]:
    """`seen` are the anomalies that the reader may know of, of those that this one names."""
    beside = severities.percent(held)
    stake = severities.at_stake(held)
    return {
        "id": held.pk,
        "title": wording.title(held),
        **{name: getattr(held, name) for name in ("filters", "team", "metric", "scale", "kind")},
        **{name: getattr(held, name) for name in ("direction", "severity")},
        "state": "quiet" if held.like_id else "closed" if held.closed_at else "open",
        "reason": held.reason,
        **{name: instant(getattr(held, name)) for name in ("started_at", "ended_at", "seen_at")},
        "closed_at": instant(held.closed_at),
        "is_new_level": wording.is_new_level(held),
        "actual": plain(held.actual),
        "expected": plain(held.expected),
        "total_impact": None if held.impact is None else plain(held.impact),
        "total_impact_percentage": None if beside is None else f"{beside:.2f}",
        "at_stake": None if stake is None else f"{stake:.6f}",
        "surprise": held.surprise,
        "causes": causes_json(held),
        "lead": held.lead_id if held.lead_id in seen else None,
        "also_seen_in": [each.pk for each in held.also_seen_in.all() if each.pk in seen],
        "feedback": feedback_json(held),
        "like": held.like_id,
    }


def causes_json(held: Anomaly) -> dict[str, Any] | None:
    found = causes.causes_of(held)
    if found is None:
        return None
    return {
        "difference": plain(found.difference),
        "unexplained": plain(found.unexplained),
        "until": instant(found.until),
        "parts": [
            {"elements": each.elements, "difference": plain(each.difference), "share": each.share}
            for each in found.parts
        ],
    }


def feedback_json(held: Anomaly) -> dict[str, Any] | None:
    if not held.verdict:
        return None
    return {
        "verdict": held.verdict,
        "reason": held.verdict_reason,
        "by": held.decided_by,
        "at": instant(held.decided_at),
    }


def event_json(held: PlannedEvent) -> dict[str, Any]:
    return {
        "id": held.pk,
        "name": held.name,
        "filters": held.filters,
        "factor": None if held.factor is None else plain(held.factor),
        "start": instant(held.start),
        "end": instant(held.end),
        "created_by": held.created_by,
        "created_at": instant(held.created_at),
        "changed_at": instant(held.changed_at),
    }
