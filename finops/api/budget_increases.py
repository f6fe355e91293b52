"""/api/v1/budgets/{id}/increases: asking for more of a budget, and deciding about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import budgets
from finops.api.budget_schema import GONE
from finops.api.budgets import author, body, find, ip
from finops.api.problems import problem
from finops.api.schema import MONEY, PROBLEMS, ProblemSerializer
from finops.api.values import instant, plain
from finops.budgets import deciding, increases, wanted
from finops.budgets.increases import Doing, NotWaiting
from finops.models import BudgetIncrease

FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "budget": serializers.IntegerField(),
    "value": serializers.CharField(help_text="Of a budget for each; empty is every one."),
    "amount": serializers.CharField(help_text=MONEY),
    "until": serializers.DateTimeField(help_text="The first moment it holds no more."),
    "reason": serializers.CharField(),
    "state": serializers.ChoiceField(BudgetIncrease.State.values),
    "asked_by": serializers.CharField(),
    "asked_at": serializers.DateTimeField(),
    "decided_by": serializers.CharField(),
    "decided_at": serializers.DateTimeField(allow_null=True),
    "note": serializers.CharField(),
    "ended_at": serializers.DateTimeField(allow_null=True),
}
INCREASE = inline_serializer("BudgetIncrease", FIELDS)
WANTED = inline_serializer(
    "WantedIncrease",
    {
        "amount": serializers.CharField(help_text="So much more, beside the amount there is."),
        "until": serializers.CharField(help_text="A day, which is included, or an instant."),
        "reason": serializers.CharField(),
        "value": serializers.CharField(required=False),
    },
)
DECISION = inline_serializer(
    "IncreaseDecision",
    {
        "verb": serializers.ChoiceField(deciding.VERBS),
        "note": serializers.CharField(required=False, help_text="Needed to refuse."),
    },
)
TOO_LATE = {
    (409, "application/problem+json"): OpenApiResponse(
        ProblemSerializer, description="It was decided, withdrawn or has expired meanwhile."
    )
}


class IncreasesView(APIView):
    @extend_schema(
        operation_id="budget_increases",
        summary="Who asked for more of a budget",
        description="The latest first.",
        responses={
            200: inline_serializer(
                "BudgetIncreases",
                {"increases": inline_serializer("BudgetIncrease", FIELDS, many=True)},
            ),
            **PROBLEMS,
            **GONE,
        },
    )
    def get(self, request: Request, number: int) -> Response:
        rows = find(request, number).increases.order_by("-id")
        return Response({"increases": [as_json(each) for each in rows]})

    @extend_schema(
        operation_id="ask_for_budget_increase",
        summary="Ask for more of a budget, for a time",
        request=WANTED,
        responses={201: INCREASE, **PROBLEMS, **GONE},
    )
    def post(self, request: Request, number: int) -> Response:
        found, doing = find(request, number), doing_of(request)
        asked = wanted.read(body(request), found, doing.at, settings.REPORTING_ZONE)
        return Response(as_json(increases.ask(found, asked, doing)), status=201)


class IncreaseView(APIView):
    @extend_schema(
        operation_id="budget_increase",
        summary="One request for more",
        responses={200: INCREASE, **PROBLEMS, **GONE},
    )
    def get(self, request: Request, number: int, increase: int) -> Response:
        return Response(as_json(find_increase(request, number, increase)))

    @extend_schema(
        operation_id="decide_budget_increase",
        summary="Approve, refuse, withdraw or end it",
        description="Who asked does not decide, unless no other active user may.",
        request=DECISION,
        responses={200: INCREASE, **PROBLEMS, **GONE, **TOO_LATE},
    )
    def post(self, request: Request, number: int, increase: int) -> HttpResponse:
        found, given = find_increase(request, number, increase), body(request)
        verb, note = (str(given.get(name) or "").strip() for name in ("verb", "note"))
        try:
            done = deciding.do(request.user, found, verb, note, doing_of(request))
        except NotWaiting as error:
            return problem(409, str(error))
        if verb in deciding.CHANGING:
            budgets.check(number, timezone.now(), settings.REPORTING_ZONE)
        return Response(as_json(done))


def doing_of(request: Request) -> Doing:
    return Doing(author(request), timezone.now(), ip(request))


def find_increase(request: Request, number: int, increase: int) -> BudgetIncrease:
    rows = find(request, number).increases.select_related("budget")
    found = rows.filter(pk=increase).first()
    if found is None:
        raise Http404
    return found


def as_json(each: BudgetIncrease) -> dict[str, Any]:
    return {
        "id": each.pk,
        "budget": each.budget_id,
        "value": each.value,
        "amount": plain(each.amount),
        "until": instant(each.until),
        "reason": each.reason,
        "state": each.state,
        "asked_by": each.asked_by,
        "asked_at": instant(each.asked_at),
        "decided_by": each.decided_by,
        "decided_at": instant(each.decided_at),
        "note": each.note,
        "ended_at": instant(each.ended_at),
    }
