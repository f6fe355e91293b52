"""GET /api/v1/alerts: the log of alerts, with what became of telling them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import Http404
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access
from finops.alerts import log
from finops.alerts.log import STATES, LogQuery, whole_number
from finops.api import parameters
from finops.api.schema import PROBLEMS, ProblemSerializer, parameter
from finops.api.values import instant
from finops.models import Alert, Delivery, DeliveryAttempt
from finops.periods import InvalidQuery

LARGEST_PAGE = 500
PARAMETERS = ("severity", "kind", "state", "budget", "team", "cursor", "limit")
FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "key": serializers.CharField(help_text="What makes it fire once."),
    "kind": serializers.ChoiceField(Alert.Kind.values),
    "severity": serializers.ChoiceField(Alert.Severity.values),
    "title": serializers.CharField(),
    "team": serializers.CharField(),
    "budget": serializers.IntegerField(allow_null=True),
    "thread": serializers.CharField(help_text="The conversation that it belongs to."),
    "facts": serializers.DictField(child=serializers.JSONField(allow_null=True)),
    "raised_at": serializers.DateTimeField(),
    "acknowledged_at": serializers.DateTimeField(allow_null=True),
    "acknowledged_by": serializers.CharField(),
    "acknowledged_reason": serializers.CharField(),
    "deliveries": serializers.DictField(
        child=serializers.IntegerField(), help_text="State → how many."
    ),
}
ATTEMPT = inline_serializer(
    "AlertDeliveryAttempt",
    {
        "began_at": serializers.DateTimeField(),
        "ended_at": serializers.DateTimeField(allow_null=True),
        "outcome": serializers.ChoiceField(DeliveryAttempt.Outcome.values),
        "status": serializers.IntegerField(allow_null=True, help_text="Of HTTP or SMTP."),
        "detail": serializers.CharField(
            help_text="What the other side answered, for who manages channels."
        ),
    },
    many=True,
)
DELIVERY: dict[str, Any] = {
    "channel": serializers.CharField(),
    "channel_kind": serializers.CharField(),
    "state": serializers.ChoiceField(Delivery.State.values),
    "reminder": serializers.IntegerField(help_text="0 is the alert itself."),
    "message_id": serializers.CharField(help_text="Several in one message share it."),
    "due_at": serializers.DateTimeField(),
    "sent_at": serializers.DateTimeField(allow_null=True),
    "detail": serializers.CharField(),
    "attempts": ATTEMPT,
}
LIST_SCHEMA: dict[str, Any] = {
    "operation_id": "alerts",
    "summary": "Alerts, newest first",
    "description": "Those of teams that are seen; of no team for who sees all.",
    "parameters": [
        parameter("severity", "Only of this one.", enum=Alert.Severity.values),
        parameter("kind", "Only of this one.", enum=Alert.Kind.values),
        parameter("state", "undelivered: waiting for a channel, or failed.", enum=STATES),
        OpenApiParameter("budget", {"type": "integer", "minimum": 0, "maximum": 999_999_999}),
        parameter("team", "Only of this one."),
        parameter("cursor", "next_cursor of the page before."),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    ],
    "responses": {
        (200, "application/json"): inline_serializer(
            "Alerts",
            {
                "alerts": inline_serializer("Alert", FIELDS, many=True),
                "next_cursor": serializers.CharField(allow_null=True),
            },
        ),
        **PROBLEMS,
    },
}
ONE_SCHEMA: dict[str, Any] = {
    "operation_id": "alert",
    "summary": "One alert with its deliveries and every attempt",
    "responses": {
        (200, "application/json"): inline_serializer(
            "AlertWithDeliveries",
            {**FIELDS, "told": inline_serializer("AlertDelivery", DELIVERY, many=True)},
        ),
        **PROBLEMS,
        (404, "application/problem+json"): OpenApiResponse(
            ProblemSerializer, description="No alert has this number, or it may not be seen."
        ),
    },
}


class AlertsView(APIView):
    @extend_schema(**LIST_SCHEMA)
    def get(self, request: Request) -> Response:
        params = parameters.given(request, PARAMETERS)
        size = whole_number(params, "limit")
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise InvalidQuery("limit", f"must be from 1 to {LARGEST_PAGE}")
        query, standing = LogQuery.from_params(params), access.standing(request.user)
        page = log.page(query, standing, params.get("cursor", ""), size or log.PAGE_SIZE)
        counted = log.counts(page.alerts)
        rows = [alert_json(each, counted[each.pk]) for each in page.alerts]
        return Response({"alerts": rows, "next_cursor": page.next_cursor})


class AlertView(APIView):
    @extend_schema(**ONE_SCHEMA)
    def get(self, request: Request, number: int) -> Response:
        seen = log.visible(access.standing(request.user))
        held = seen.filter(pk=number).first() if number < 2**31 else None
        if held is None:
            raise Http404
        may_manage = access.standing(request.user).may(access.Ability.MANAGE_CHANNELS)
        told = [delivery_json(each, may_manage) for each in log.deliveries(held)]
        counted = Counter(each["state"] for each in told)
        return Response({**alert_json(held, counted), "told": told})


def alert_json(held: Alert, counted: Counter[str]) -> dict[str, Any]:
    return {
        "id": held.pk,
        "key": held.key,
        "kind": held.kind,
        "severity": held.severity,
        "title": held.title,
        "team": held.team,
        "budget": held.budget_id,
        "thread": held.thread,
        "facts": held.facts,
        "raised_at": instant(held.raised_at),
        "acknowledged_at": instant(held.acknowledged_at),
        "acknowledged_by": held.acknowledged_by,
        "acknowledged_reason": held.acknowledged_reason,
        "deliveries": dict(counted),
    }


def delivery_json(held: Delivery, may_manage: bool) -> dict[str, Any]:
    """Without the address: who may see an alert may not see everybody's mailbox, nor, unless they
    manage channels, what the other side answered."""
    of = held.leader or held
    channel = held.recipient.channel
    return {
        "channel": channel.name,
        "channel_kind": channel.kind,
        "state": held.state,
        "reminder": held.turn,
        "message_id": of.message_id,
        "due_at": instant(held.due_at),
        "sent_at": instant(held.sent_at),
        "detail": log.detail_of(held, with_answers=may_manage),
        "attempts": [
            {
                "began_at": instant(each.began_at),
                "ended_at": instant(each.ended_at),
                "outcome": each.outcome,
                "status": each.status,
                "detail": each.detail if may_manage else "",
            }
            for each in of.attempts.all()
        ],
    }
