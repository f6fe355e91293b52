"""/api/v1/cost-items: what is paid beside requests, to read, make, change, order and end."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import cost_items
from finops.api.allocation_schema import GONE, ITEM, KEPT, OUTDATED, TERMS
from finops.api.budgets import author, body, ip, version_of
from finops.api.schema import PROBLEMS
from finops.api.values import instant
from finops.models import CostItem
from finops.organisation.stored import Act
from finops.ownership.closed import open_from

MOST_PLACES = 100_000
ABOUT = (
    "Which fields an item has depends on its kind: fixed, credit and tax an `amount` a month or a "
    "`percent`; overhead a `percent`; a commitment an `amount` for a term, a price per hour, or "
    "both, and its capacity; a fleet its sizes; true_up one `amount` on one day."
)


class CostItemsView(APIView):
    @extend_schema(
        operation_id="cost_items",
        summary="What is paid beside requests, in the order in which it is shared out",
        responses={
            (200, "application/json"): inline_serializer(
                "CostItems", {"cost_items": inline_serializer("CostItem", KEPT, many=True)}
            ),
            **PROBLEMS,
        },
    )
    def get(self, request: Request) -> Response:
        return Response({"cost_items": [item_json(each) for each in cost_items.every()]})

    @extend_schema(
        operation_id="make_cost_item",
        summary="Make a cost item, the last in order",
        description=ABOUT,
        request={"application/json": inline_serializer("CostItemTerms", TERMS)},
        responses={(201, "application/json"): ITEM, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        made = cost_items.make(cost_items.read(body(request)), act(request))
        return Response(item_json(made), status=201)


class CostItemView(APIView):
    @extend_schema(
        operation_id="cost_item",
        summary="One cost item",
        responses={(200, "application/json"): ITEM, **PROBLEMS, **GONE},
    )
    def get(self, request: Request, number: int) -> Response:
        return Response(item_json(find(number)))

    @extend_schema(
        operation_id="change_cost_item",
        summary="Change a cost item",
        description="What is not given stays. Of an item that closed months hold, what changes is "
        "another item from the first open day on; that is answered. `position` moves it in order.",
        request={
            "application/json": inline_serializer(
                "CostItemChange",
                {
                    **TERMS,
                    "position": serializers.IntegerField(required=False),
                    "version": serializers.IntegerField(required=False),
                },
                partial=True,
            )
        },
        responses={(200, "application/json"): ITEM, **PROBLEMS, **GONE, **OUTDATED},
    )
    def patch(self, request: Request, number: int) -> Response:
        given = dict(body(request))
        version, place = (
            version_of(given.pop("version", None)),
            place_of(given.pop("position", None)),
        )
        with transaction.atomic():
            held = find(number)
            terms = {**cost_items.fields_of(cost_items.draft_of(held)), **given}
            version = held.version if version is None else version
            changed = cost_items.change(
                number, cost_items.read(terms), act(request), version=version
            )
            if place is not None:
                changed = cost_items.move(changed.pk, place, act(request))
        return Response(item_json(changed))

    @extend_schema(
        operation_id="end_cost_item",
        summary="End a cost item",
        description="As if it had never been; where it was in closed months, from the first open "
        "day on. PATCH `effective_to` ends it on another day.",
        parameters=[
            OpenApiParameter("version", OpenApiTypes.INT, description="The one that is ended.")
        ],
        responses={204: None, **PROBLEMS, **GONE, **OUTDATED},
    )
    def delete(self, request: Request, number: int) -> HttpResponse:
        held = find(number)
        version = version_of(request.query_params.get("version"))
        day = max(held.effective_from, open_from() or held.effective_from)
        try:
            cost_items.end(number, day, act(request), version=version)
        except CostItem.DoesNotExist:  # somebody was quicker
            raise Http404 from None
        return HttpResponse(status=204)


def find(number: int) -> CostItem:
    found = CostItem.objects.filter(pk=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    return found


def place_of(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_PLACES:
        raise ValidationError({"position": "Write the place in the order, beginning with 1."})
    return given


def item_json(item: CostItem) -> dict[str, Any]:
    return {
        "id": item.pk,
        **cost_items.fields_of(cost_items.draft_of(item)),
        "position": item.position,
        "follows": item.follows_id,
        "version": item.version,
        "created_at": instant(item.created_at),
        "created_by": item.created_by,
        "changed_at": instant(item.changed_at),
        "changed_by": item.changed_by,
    }


def act(request: Request) -> Act:
    return Act(author(request), timezone.now(), ip(request))
