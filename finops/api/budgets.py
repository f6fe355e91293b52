"""/api/v1/budgets: budgets to read, make, change and remove, and how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import budgets
from finops.api.budget_schema import (
    CHANGE_SCHEMA,
    LIST_SCHEMA,
    MAKE_SCHEMA,
    ONE_SCHEMA,
    REMOVE_SCHEMA,
    STATUS_SCHEMA,
    budget_json,
    crossing_json,
    standing_json,
)
from finops.models import Budget

CROSSINGS = 100
LARGEST_VERSION = 2**31 - 1


class BudgetsView(APIView):
    @extend_schema(**LIST_SCHEMA)
    def get(self, request: Request) -> Response:
        found = budgets.visible(request.user).order_by("name", "pk")
        return Response({"budgets": [budget_json(each) for each in found]})

    @extend_schema(**MAKE_SCHEMA)
    def post(self, request: Request) -> Response:
        made = budgets.make(
            budgets.read(body(request)), by=author(request), at=timezone.now(), address=ip(request)
        )
        return Response(budget_json(find(request, made.pk)), status=201)


class BudgetView(APIView):
    @extend_schema(**ONE_SCHEMA)
    def get(self, request: Request, number: int) -> Response:
        return Response(budget_json(find(request, number)))

    @extend_schema(**CHANGE_SCHEMA)
    def patch(self, request: Request, number: int) -> Response:
        given = dict(body(request))
        version, found = version_of(given.pop("version", None)), find(request, number)
        draft = budgets.changed_draft(found, given)
        try:
            changed = budgets.change(
                number,
                draft,
                # The fields that were not given are those of this version, and of no later one.
                version=found.version if version is None else version,
                by=author(request),
                at=timezone.now(),
                address=ip(request),
            )
        except Budget.DoesNotExist:
            raise Http404 from None
        return Response(budget_json(changed))

    @extend_schema(**REMOVE_SCHEMA)
    def delete(self, request: Request, number: int) -> HttpResponse:
        find(request, number)
        version = version_of(request.query_params.get("version"))
        try:
            budgets.remove(
                number, version=version, by=author(request), at=timezone.now(), address=ip(request)
            )
        except Budget.DoesNotExist:
            raise Http404 from None
        return HttpResponse(status=204)


class BudgetStatusView(APIView):
    @extend_schema(**STATUS_SCHEMA)
    def get(self, request: Request, number: int) -> Response:
        budget = find(request, number)
        rows = list(budget.statuses.order_by("-actual", "value"))
        whole = next((row for row in rows if not row.value), None)
        crossings = budget.crossings.order_by("-pk")[:CROSSINGS]
        return Response(
            {
                "budget": budget.pk,
                "status": standing_json(whole) if whole else None,
                "values": [standing_json(row, whole) for row in rows if row.value],
                "crossings": [crossing_json(row) for row in crossings],
            }
        )


def find(request: Request, number: int) -> Budget:
    found = budgets.visible(request.user).filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def body(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise ValidationError({"name": "Write the budget as a JSON object."})
    return request.data


def version_of(given: object) -> int | None:
    if given in (None, ""):
        return None
    text = str(given)
    is_number = text.isascii() and text.isdigit() and len(text) < 11
    if isinstance(given, bool) or not is_number or int(text) > LARGEST_VERSION:
        raise ValidationError({"version": "Write the whole number that the budget was read with."})
    return int(text)


def author(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user


def ip(request: Request) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
