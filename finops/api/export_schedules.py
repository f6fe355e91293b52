"""/api/v1/export-schedules: files that go out by themselves, and what became of each."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops.api.allocation_schema import GONE
from finops.api.budgets import body
from finops.api.ownership import act, known
from finops.api.parameters import given
from finops.api.schema import PROBLEMS
from finops.api.values import instant
from finops.models import ExportRun, ExportSchedule
from finops.scheduled_exports import keeping, terms

MOST_RUNS = 200
TEXT: dict[str, Any] = {"required": False, "allow_blank": True}
TERMS: dict[str, Any] = {
    "name": serializers.CharField(),
    "format": serializers.ChoiceField(ExportSchedule.Format.choices),
    "occasion": serializers.ChoiceField(ExportSchedule.Occasion.choices, required=False),
    "day": serializers.IntegerField(
        required=False, allow_null=True, help_text="Of the month, 1 to 28, of what is monthly."
    ),
    "hour": serializers.IntegerField(
        required=False, help_text="Of the reporting time zone, 0 to 23; 6 if it is not given."
    ),
    "destination": serializers.ChoiceField(ExportSchedule.Destination.choices, required=False),
    "addresses": serializers.ListField(child=serializers.CharField(), required=False),
    **{name: serializers.CharField(**TEXT) for name in ("bucket", "prefix", "region")},
    "endpoint": serializers.CharField(help_text="Empty: that of AWS in this region.", **TEXT),
    "path_style": serializers.BooleanField(required=False),
    "access_key_id": serializers.CharField(**TEXT),
}
SECRET = {
    "secret_access_key": serializers.CharField(
        write_only=True, help_text="Kept encrypted and told to nobody. Empty: it stays.", **TEXT
    )
}
KEPT = inline_serializer(
    "ExportSchedule",
    {
        "id": serializers.IntegerField(),
        **TERMS,
        "paused_at": serializers.DateTimeField(allow_null=True),
        "created_at": serializers.DateTimeField(),
        "created_by": serializers.CharField(),
    },
)
RUN = inline_serializer(
    "ExportRun",
    {
        "id": serializers.IntegerField(),
        "month": serializers.CharField(),
        "version": serializers.IntegerField(allow_null=True, help_text="Null: not closed."),
        "state": serializers.ChoiceField(ExportRun.State.choices),
        "due_at": serializers.DateTimeField(),
        "asked_by": serializers.CharField(help_text="Empty: it was its time."),
        "attempts": serializers.IntegerField(),
        "next_at": serializers.DateTimeField(allow_null=True, help_text="While it waits."),
        "ended_at": serializers.DateTimeField(allow_null=True),
        "file_name": serializers.CharField(),
        "size": serializers.IntegerField(allow_null=True, help_text="Bytes."),
        "sha256": serializers.CharField(),
        "detail": serializers.CharField(help_text="What the last attempt was answered."),
    },
)


class ExportSchedulesView(APIView):
    @extend_schema(
        operation_id="export_schedules",
        summary="Files of a month that go out by themselves",
        responses={
            (200, "application/json"): inline_serializer(
                "ExportSchedules", {"export_schedules": serializers.ListField(child=KEPT)}
            ),
            **PROBLEMS,
        },
    )
    def get(self, request: Request) -> Response:
        given(request, ())
        return Response({"export_schedules": [schedule_json(e) for e in keeping.everything()]})

    @extend_schema(
        operation_id="make_export_schedule",
        summary="Have a file sent to mailboxes or put into an S3-compatible bucket",
        request={"application/json": inline_serializer("ExportScheduleTerms", {**TERMS, **SECRET})},
        responses={(201, "application/json"): KEPT, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        made = keeping.add(terms.read(body(request)), act(request))
        return Response(schedule_json(made), status=201)


class ExportScheduleView(APIView):
    @extend_schema(
        operation_id="export_schedule",
        summary="One scheduled export",
        responses={(200, "application/json"): KEPT, **PROBLEMS, **GONE},
    )
    def get(self, request: Request, number: int) -> Response:
        return Response(schedule_json(find(number)))

    @extend_schema(
        operation_id="change_export_schedule",
        summary="Change, pause or resume a scheduled export",
        description="What is not given stays.",
        request={
            "application/json": inline_serializer(
                "ExportScheduleChange",
                {**TERMS, **SECRET, "is_paused": serializers.BooleanField(required=False)},
                partial=True,
            )
        },
        responses={(200, "application/json"): KEPT, **PROBLEMS, **GONE},
    )
    def patch(self, request: Request, number: int) -> Response:
        asked = dict(body(request))
        paused, doing = asked.pop("is_paused", None), act(request)
        held = find(number)
        if paused not in (None, True, False):
            raise ValidationError({"is_paused": "Write true or false."})
        try:
            if asked:
                whole = {**keeping.terms_of(held), **asked}
                held = keeping.change(number, terms.read(whole, is_new=False), doing)
            if paused is not None:
                held = keeping.turn(number, pause=bool(paused), act=doing)
        except ExportSchedule.DoesNotExist:
            raise Http404 from None
        return Response(schedule_json(held))

    @extend_schema(
        operation_id="remove_export_schedule",
        summary="Remove a scheduled export and forget its keys",
        responses={204: None, **PROBLEMS, **GONE},
    )
    def delete(self, request: Request, number: int) -> HttpResponse:
        find(number)
        try:
            keeping.remove(number, act(request))
        except ExportSchedule.DoesNotExist:
            raise Http404 from None
        return HttpResponse(status=204)


class ExportRunsView(APIView):
    @extend_schema(
        operation_id="export_runs",
        summary=f"What was sent, the last {MOST_RUNS} first",
        responses={
            (200, "application/json"): inline_serializer(
                "ExportRuns", {"runs": serializers.ListField(child=RUN)}
            ),
            **PROBLEMS,
            **GONE,
        },
    )
    def get(self, request: Request, number: int) -> Response:
        given(request, ())
        return Response({"runs": [run_json(each) for each in find(number).runs.all()[:MOST_RUNS]]})

    @extend_schema(
        operation_id="run_export",
        summary="Send a month now",
        description="As it stands: its last version where it is closed.",
        request={
            "application/json": inline_serializer(
                "ExportRunTerms", {"month": serializers.CharField(required=False)}
            )
        },
        responses={(202, "application/json"): RUN, **PROBLEMS, **GONE},
    )
    def post(self, request: Request, number: int) -> Response:
        asked, now = known(body(request), ("month",)), timezone.now()
        find(number)
        month = terms.month_of(asked.get("month"), now, settings.REPORTING_ZONE)
        try:
            run = keeping.ask(number, month, act(request))
        except ExportSchedule.DoesNotExist:
            raise Http404 from None
        return Response(run_json(run), status=202)


def find(number: int) -> ExportSchedule:
    try:
        return keeping.get(min(number, 2**31 - 1))
    except ExportSchedule.DoesNotExist:
        raise Http404 from None


def schedule_json(held: ExportSchedule) -> dict[str, Any]:
    return {
        "id": held.pk,
        **keeping.terms_of(held),
        "paused_at": instant(held.paused_at),
        "created_at": instant(held.created_at),
        "created_by": held.created_by,
    }


def run_json(run: ExportRun) -> dict[str, Any]:
    plain = ("state", "version", "asked_by", "attempts", "file_name", "size", "sha256", "detail")
    is_open = run.state in keeping.OPEN
    return {
        "id": run.pk,
        "month": f"{run.month:%Y-%m}",
        **{name: getattr(run, name) for name in plain},
        "due_at": instant(run.due_at),
        "next_at": instant(run.next_at) if is_open else None,
        "ended_at": instant(run.ended_at),
    }
