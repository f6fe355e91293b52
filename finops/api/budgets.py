"""/api/v1/budgets: budgets to read, make, change and remove, and how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access, budgets
from finops.access import Ability
from finops.alerts.log import whole_number
from finops.api import parameters
from finops.api.budget_schema import (
    CHANGE_SCHEMA,
    LARGEST_PAGE,
    LIST_SCHEMA,
    MAKE_SCHEMA,
    ONE_SCHEMA,
    REMOVE_SCHEMA,
    budget_json,
)
from finops.budgets import ranking
from finops.budgets.ranking import Search
from finops.models import Budget
from finops.periods import InvalidQuery
from finops.query import parse_filters

LIST_PARAMETERS = ("q", "state", "sort", "cursor", "limit")
LARGEST_VERSION = 2**31 - 1


class BudgetsView(APIView):
    @extend_schema(**LIST_SCHEMA)
    def get(self, request: Request) -> Response:
        params = parameters.given(request, LIST_PARAMETERS)
        search, size = Search.from_params(params), whole_number(params, "limit")
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise InvalidQuery("limit", f"must be from 1 to {LARGEST_PAGE:,}")
        sort, cursor = params.get("sort") or ranking.BY_NAME, params.get("cursor", "")
        if sort not in ranking.SORTS:
            raise InvalidQuery("sort", f"{sort[:80]!r} is none of {', '.join(ranking.SORTS)}")
        seen = budgets.visible(request.user)
        chosen = ranking.portion(
            *(seen, search, timezone.now()), sort=sort, cursor=cursor, size=size or LARGEST_PAGE
        )
        found = {each.pk: each for each in seen.filter(pk__in=chosen.numbers)}
        rows = [budget_json(found[number]) for number in chosen.numbers if number in found]
        return Response({"budgets": rows, "next_cursor": chosen.next_cursor})

    @extend_schema(**MAKE_SCHEMA)
    def post(self, request: Request) -> Response:
        made = budgets.make(
            budgets.read(body(request)), by=author(request), at=timezone.now(), address=ip(request)
        )
        check(made.pk)
        return Response(one_json(request, find(request, made.pk)), status=201)


class BudgetView(APIView):
    @extend_schema(**ONE_SCHEMA)
    def get(self, request: Request, number: int) -> Response:
        return Response(one_json(request, find(request, number)))

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
        check(number)
        return Response(one_json(request, changed))

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


def one_json(request: Request, budget: Budget) -> dict[str, Any]:
    """With what is odd about its filters. Names like those of other teams are for who manages."""
    [unused] = budgets.unused(parse_filters(budget.filters))
    manages = access.standing(request.user).may(Ability.MANAGE_BUDGETS)
    return {**budget_json(budget), "warnings": [each.said(with_near=manages) for each in unused]}


def check(number: int) -> None:
    """That its figures are there with the answer, unless it takes long to read them."""
    budgets.check(number, timezone.now(), settings.REPORTING_ZONE)


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
