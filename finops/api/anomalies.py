"""/api/v1/anomalies: what is not as expected, and what people say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access, anomalies
from finops.alerts.log import whole_number
from finops.anomalies import causes, feedback, wording
from finops.anomalies.feedback import NotPossible
from finops.anomalies.listing import DIMENSIONS, PAGE_SIZE, Search
from finops.anomalies.pictures import picture_of
from finops.api import parameters
from finops.api.anomaly_schema import (
    LARGEST_PAGE,
    LIST_SCHEMA,
    ONE_SCHEMA,
    VERDICT_SCHEMA,
    anomaly_json,
)
from finops.api.budgets import author, body, ip
from finops.api.costs import CsvRenderer
from finops.api.tables import csv_response
from finops.api.values import instant, plain
from finops.cells import text_cell
from finops.models import Anomaly
from finops.organisation.stored import Act
from finops.periods import InvalidQuery, parse_instant

PARAMETERS = (*Search().__slots__, "format", "cursor", "limit")
CSV_COLUMNS = (
    *("id", "title", "state", "severity", "metric", "scale", "kind", *DIMENSIONS),
    *("started_at", "ended_at", "closed_at", "actual", "expected", "total_impact", "currency"),
    *("cause", "verdict", "verdict_reason"),
)
STEP_FIGURES = ("actual", "expected", "low", "high")
VERDICT_FIELDS = ("verdict", "reason", "until")


class AnomaliesView(APIView):
    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(**LIST_SCHEMA)
    def get(self, request: Request) -> Response | StreamingHttpResponse:
        params = parameters.given(request, PARAMETERS)
        search, size = Search.from_params(params), whole_number(params, "limit")
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise InvalidQuery("limit", f"must be from 1 to {LARGEST_PAGE}")
        standing = access.standing(request.user)
        if params.get("format", CsvRenderer.format) != CsvRenderer.format:
            raise InvalidQuery("format", "must be csv, or left out")
        if "format" in params or request.accepted_renderer.format == CsvRenderer.format:
            return csv_response("anomalies.csv", CSV_COLUMNS, csv_rows(search, standing))
        page = anomalies.page(search, standing, params.get("cursor", ""), size or PAGE_SIZE)
        seen = known(request, page.anomalies)
        watched = [
            {
                "scale": each.scale,
                "judged_to": instant(each.judged_to),
                "judged_at": instant(each.judged_at),
                "series": each.series,
                "left_out": each.left_out,
            }
            for each in anomalies.watched()
        ]
        rows = [anomaly_json(each, seen) for each in page.anomalies]
        return Response({"anomalies": rows, "next_cursor": page.next_cursor, "watched": watched})


def csv_rows(search: Search, standing: access.Standing) -> Iterator[list[str]]:
    """All that match, in the order of the list; money and figures in plain decimals."""
    cursor: str | None = ""
    while cursor is not None:
        page = anomalies.page(search, standing, cursor, LARGEST_PAGE)
        yield from map(csv_row, page.anomalies)
        cursor = page.next_cursor


def csv_row(held: Anomaly) -> list[str]:
    told = [wording.title(held), wording.state(held)]
    told += [held.severity, held.metric, held.scale, held.kind]
    told += [str(held.filters.get(name, "")) for name in DIMENSIONS]
    moments = (held.started_at, held.ended_at, held.closed_at)
    said = [causes.told(held), held.verdict, held.verdict_reason]
    return [
        str(held.pk),
        *map(text_cell, told),
        *(instant(each) or "" for each in moments),
        *(plain(each) for each in (held.actual, held.expected)),
        "" if held.impact is None else plain(held.impact),
        settings.CURRENCY,
        *map(text_cell, said),
    ]


class AnomalyView(APIView):
    @extend_schema(**ONE_SCHEMA)
    def get(self, request: Request, number: int) -> Response:
        return Response(one_json(request, find(request, number)))


class AnomalyVerdictView(APIView):
    @extend_schema(**VERDICT_SCHEMA)
    def post(self, request: Request, number: int) -> Response:
        held, given = find(request, number), body(request)
        check_names(given)
        verdict, reason = (text(given, name) for name in ("verdict", "reason"))
        until = None
        if wanted := text(given, "until"):
            until = parse_instant("until", wanted, settings.REPORTING_ZONE)
        act = Act(author(request), timezone.now(), ip(request))
        try:
            feedback.judge(
                held, verdict, act, access.standing(request.user), reason=reason, until=until
            )
        except NotPossible as error:
            raise ValidationError({"verdict": str(error)}) from None
        return Response(one_json(request, find(request, number)))


def check_names(given: Mapping[str, Any]) -> None:
    """What is left out by mistake, or misspelt, takes nothing back."""
    wrong = {str(name)[:80]: "is no field" for name in given if name not in VERDICT_FIELDS}
    if "verdict" not in given:
        said = ", ".join(Anomaly.Verdict.values)
        wrong["verdict"] = f'Write one of {said}, or "" to take back what was said.'
    if wrong:
        raise ValidationError(wrong)


def text(given: Any, name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise ValidationError({name: "Write text."})
    return value.strip()


def find(request: Request, number: int) -> Anomaly:
    seen = anomalies.visible(access.standing(request.user))
    found = seen.filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def known(request: Request, held: list[Anomaly]) -> set[int]:
    """Of what these name, what the reader sees."""
    named = {each.lead_id for each in held if each.lead_id} | {
        other.pk for each in held for other in each.also_seen_in.all()
    }
    seen = anomalies.visible(access.standing(request.user))
    return set(seen.filter(pk__in=named).values_list("pk", flat=True))


def figures(values: Sequence[float | None]) -> list[str | None]:
    """As they were judged, in plain decimals."""
    return [None if each is None else plain(Decimal(str(each))) for each in values]


def one_json(request: Request, held: Anomaly) -> dict[str, Any]:
    picture = picture_of(held)
    steps = picture and {
        "scale": picture.scale,
        "starts": [instant(each) for each in picture.starts],
        **{name: figures(getattr(picture, name)) for name in STEP_FIGURES},
        "first": picture.first,
        "last": picture.last,
    }
    return {**anomaly_json(held, known(request, [held])), "steps": steps}
