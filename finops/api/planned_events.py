"""/api/v1/planned-events: the calendar of what is no anomaly."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access
from finops.anomalies import planning
from finops.anomalies.planning import Draft
from finops.api.anomaly_schema import EVENT, EVENT_FIELDS, GONE, PLAN, event_json
from finops.api.budgets import author, body, ip
from finops.api.schema import PROBLEMS
from finops.models import PlannedEvent
from finops.organisation.stored import Act

MOST = 1_000


class PlannedEventsView(APIView):
    @extend_schema(
        operation_id="planned_events",
        summary="Planned events, the last to end first",
        description=f"At most {MOST:,}.",
        responses={
            (200, "application/json"): inline_serializer(
                "PlannedEvents",
                {"planned_events": inline_serializer("PlannedEvent", EVENT_FIELDS, many=True)},
            ),
            **PROBLEMS,
        },
    )
    def get(self, request: Request) -> Response:
        seen = planning.visible(access.standing(request.user)).order_by("-end", "-pk")[:MOST]
        return Response({"planned_events": [event_json(each) for each in seen]})

    @extend_schema(
        operation_id="plan_event",
        summary="Plan an event",
        description="Who sees teams of their own names some of those in filters.",
        request={"application/json": inline_serializer("PlannedEventTerms", PLAN)},
        responses={(201, "application/json"): EVENT, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        made = planning.add(draft_of(request, {}), act(request))
        return Response(event_json(made), status=201)


class PlannedEventView(APIView):
    @extend_schema(
        operation_id="planned_event",
        summary="One planned event",
        responses={(200, "application/json"): EVENT, **PROBLEMS, **GONE},
    )
    def get(self, request: Request, number: int) -> Response:
        return Response(event_json(find(request, number)))

    @extend_schema(
        operation_id="change_planned_event",
        summary="Change a planned event",
        description="What is not given stays.",
        request={"application/json": inline_serializer("PlannedEventChange", PLAN, partial=True)},
        responses={(200, "application/json"): EVENT, **PROBLEMS, **GONE},
    )
    def patch(self, request: Request, number: int) -> Response:
        held = kept(request, number)
        draft = draft_of(request, planning.described(held))
        try:
            changed = planning.change(held, draft, act(request))
        except PlannedEvent.DoesNotExist:  # somebody was quicker
            raise Http404 from None
        return Response(event_json(changed))

    @extend_schema(
        operation_id="remove_planned_event",
        summary="Remove a planned event",
        responses={204: None, **PROBLEMS, **GONE},
    )
    def delete(self, request: Request, number: int) -> HttpResponse:
        with suppress(PlannedEvent.DoesNotExist):  # somebody was quicker
            planning.remove(kept(request, number), act(request))
        return HttpResponse(status=204)


def find(request: Request, number: int) -> PlannedEvent:
    found = planning.visible(access.standing(request.user)).filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def kept(request: Request, number: int) -> PlannedEvent:
    """One that may be changed. Raises PermissionDenied."""
    held = find(request, number)
    refuse_others(request, held.filters)
    return held


def refuse_others(request: Request, filters: Any) -> None:
    if not planning.may_keep(access.standing(request.user), filters):
        raise PermissionDenied("Name one of your teams in filters: other plans are not yours.")


def draft_of(request: Request, held: dict[str, object]) -> Draft:
    draft = planning.read({**held, **body(request)}, settings.REPORTING_ZONE)
    refuse_others(request, draft.filters)
    return draft


def act(request: Request) -> Act:
    return Act(author(request), timezone.now(), ip(request))
