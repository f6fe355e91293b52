"""/api/v1/cost-centers and /api/v1/ownership: who bears which usage, and what nobody does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops.api import ownership_schema as schema
from finops.api.budgets import author, body, ip
from finops.api.costs import CsvRenderer, freshness_json, read_query, row_json
from finops.api.parameters import given
from finops.api.values import plain
from finops.csv_lines import NotReadable
from finops.models import OwnershipRule
from finops.organisation.stored import Act
from finops.ownership import centers, files, imports, rules, unattributed
from finops.ownership.centers import CenterEntry
from finops.ownership.conditions import Days
from finops.ownership.imports import MOST_BYTES, Preview
from finops.ownership.rules import RuleEntry
from finops.periods import InvalidQuery

LARGEST = 2**31 - 2


class CostCentersView(APIView):
    @extend_schema(**schema.CENTERS_SCHEMA)
    def get(self, request: Request) -> Response:
        given(request, ())
        return Response(
            {"cost_centers": [centers.described(each) for each in centers.everything()]}
        )

    @extend_schema(**schema.KEEP_CENTER_SCHEMA)
    def post(self, request: Request) -> Response:
        terms = known(body(request), schema.CENTER_FIELDS)
        active = terms.pop("is_active", True)
        wrong = {name: "Write text." for name, value in terms.items() if not isinstance(value, str)}
        if not isinstance(active, bool):
            wrong["is_active"] = "Write true or false."
        if "code" not in terms:
            wrong["code"] = "Write the code that the general ledger knows it by."
        if wrong:
            raise ValidationError(wrong)
        made = centers.keep(CenterEntry(**terms, is_active=active), act(request))
        return Response(centers.described(made))


class RulesView(APIView):
    @extend_schema(**schema.RULES_SCHEMA)
    def get(self, request: Request) -> Response:
        asked = given(request, ("after", "limit"))
        after = whole("after", asked.get("after", "0"), 0, LARGEST)
        size = whole("limit", asked.get("limit", "100"), 1, schema.LARGEST_PAGE)
        held = rules.every().filter(position__gt=after)[:size]
        return Response(
            {"count": rules.every().count(), "rules": [rule_json(each) for each in held]}
        )

    @extend_schema(**schema.MAKE_RULE_SCHEMA)
    def post(self, request: Request) -> Response:
        made = rules.make(entry_of(known(body(request), schema.RULE_FIELDS)), act(request))
        return Response(rule_json(made), status=201)


class RuleView(APIView):
    @extend_schema(**schema.CHANGE_RULE_SCHEMA)
    def patch(self, request: Request, number: int) -> Response:
        terms = known(body(request), ("effective_to", "position"))
        held = find(number)
        until, place = day("effective_to", terms), position(terms)
        with transaction.atomic():
            if "effective_to" in terms and until != held.effective_to:
                held = rules.end(number, until, act(request))
            if place is not None and place != held.position:
                held = rules.move(number, place, act(request))
        return Response(rule_json(held))

    @extend_schema(**schema.REMOVE_RULE_SCHEMA)
    def delete(self, request: Request, number: int) -> HttpResponse:
        rules.remove(find(number).pk, act(request))
        return HttpResponse(status=204)


class RulesCsvView(APIView):
    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(**schema.EXPORT_SCHEMA)
    def get(self, request: Request) -> StreamingHttpResponse:
        given(request, ())
        held = files.written(rules.every().iterator(2_000), rules.dimensions_asked())
        return StreamingHttpResponse(held, content_type="text/csv; charset=utf-8")

    @extend_schema(**schema.IMPORT_SCHEMA)
    def put(self, request: Request) -> JsonResponse:
        only = given(request, ("preview",)).get("preview", "")
        if only not in {"", "1"}:
            raise InvalidQuery("preview", "is 1 or left out")
        with TemporaryFile() as file:
            receive(request, file)
            try:
                found = imports.read_file(file)
            except NotReadable as error:
                raise ValidationError({"file": str(error)}) from error
        if found.problems:
            raise ValidationError({"file": [str(each) for each in found.problems]})
        if only:
            held = imports.preview(found, timezone.now(), settings.REPORTING_ZONE)
            return JsonResponse({"rules": len(found.rules), "preview": preview_json(held)})
        return JsonResponse({"rules": imports.apply(found, act(request)), "preview": None})


class UnattributedView(APIView):
    @extend_schema(**schema.UNATTRIBUTED_SCHEMA)
    def get(self, request: Request) -> Response:
        found = unattributed.read(read_query(request))
        return Response(
            {
                "currency": settings.CURRENCY,
                "allocated_percent": (
                    None if found.allocated.percent is None else plain(found.allocated.percent)
                ),
                "total_cost": plain(found.allocated.total),
                "unattributed_cost": plain(found.allocated.unattributed),
                "rows": [row_json(row, found.result.query) for row in found.rows],
                "freshness": freshness_json(found.result),
            }
        )


def receive(request: Request, file: IO[bytes], most: int = MOST_BYTES) -> None:
    """The body, at most so long, from its beginning. Raises ValidationError."""
    size = 0
    while portion := request.stream.read(2**16) if request.stream else b"":
        size += len(portion)
        if size > most:
            raise ValidationError({"file": f"It is larger than {most // 2**20} MiB."})
        file.write(portion)
    file.seek(0)


def find(number: int) -> OwnershipRule:
    held = rules.every().filter(pk=number).first()
    if held is None:
        raise Http404
    return held


def known(terms: Mapping[str, Any], names: Any) -> dict[str, Any]:
    wrong = {
        str(name): f"There is no such field; known are {', '.join(names)}."
        for name in terms
        if name not in names
    }
    if wrong:
        raise ValidationError(wrong)
    return dict(terms)


def entry_of(terms: Mapping[str, Any]) -> RuleEntry:
    conditions, code = terms.get("conditions"), terms.get("cost_center")
    wrong = {}
    if not isinstance(conditions, Mapping) or not all(
        isinstance(each, str) for pair in conditions.items() for each in pair
    ):
        wrong["conditions"] = "Write an object of dimensions, each with its value as text."
    if not isinstance(code, str):
        wrong["cost_center"] = "Write the code of a cost center."
    if wrong or not isinstance(conditions, Mapping) or not isinstance(code, str):
        raise ValidationError(wrong)
    days = Days(day("effective_from", terms), day("effective_to", terms))
    return RuleEntry(dict(conditions), code, days, position(terms))


def day(name: str, terms: Mapping[str, Any]) -> date | None:
    value = terms.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValidationError({name: "Write a day as 2026-10-01, or null."}) from None


def position(terms: Mapping[str, Any]) -> int | None:
    value = terms.get("position")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise ValidationError({"position": "Write a whole number from 1 on, or null."})
    return value


def whole(name: str, text: str, least: int, most: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 10
    if not is_number or not least <= int(text) <= most:
        raise InvalidQuery(name, f"must be a whole number from {least} to {most:,}")
    return int(text)


def rule_json(rule: OwnershipRule) -> dict[str, Any]:
    return {"id": rule.pk, **rules.described(rule)}


def preview_json(held: Preview) -> dict[str, Any]:
    return {
        "added": held.added,
        "removed": held.removed,
        "kept": held.kept,
        "start": held.first.isoformat(),
        "end": held.last.isoformat(),
        "moved": plain(held.amount),
        "cost_centers": [
            {
                "cost_center": each.cost_center,
                "before": plain(each.before),
                "after": plain(each.after),
            }
            for each in held.moved
        ],
    }


def act(request: Request) -> Act:
    return Act(author(request), timezone.now(), ip(request))
