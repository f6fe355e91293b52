"""/api/v1/books: which months are closed, what stands against closing one, and the acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
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

from finops.api import books_schema as schema
from finops.api.allocations import as_json
from finops.api.costs import CsvRenderer
from finops.api.ownership import act, known
from finops.api.parameters import given
from finops.api.tables import csv_response
from finops.api.values import instant, plain
from finops.books import closing, frozen, months, readiness, streaming, versions
from finops.books.months import State
from finops.books.readiness import Finding
from finops.books.versions import Difference
from finops.cost_items.table import HEADER, money
from finops.models import AuditRecord, BooksMonth, StatementVersion
from finops.periods import InvalidQuery


class BooksView(APIView):
    http_method_names = ("get", "head")

    @extend_schema(**schema.BOOKS_SCHEMA)
    def get(self, request: Request) -> Response:
        given(request, ())
        due = months.next_to_close(timezone.now(), settings.REPORTING_ZONE)
        held = sorted(months.every().values(), key=lambda each: each.month, reverse=True)
        newest = {each.month: each for each in reversed(versions.every())}
        found = [month_json(each, newest.get(each.month)) for each in held]
        return Response({"next_to_close": f"{due:%Y-%m}", "months": found})


class BooksMonthView(APIView):
    http_method_names = ("get", "head")

    @extend_schema(**schema.MONTH_SCHEMA)
    def get(self, request: Request, month: date) -> Response:
        given(request, ())
        return Response(whole_month(month))


class CloseView(APIView):
    http_method_names = ("post",)

    @extend_schema(**schema.CLOSE_SCHEMA)
    def post(self, request: Request, month: date) -> Response:
        asked = terms(request, ("acknowledged", "total_cost"))
        names, total = asked.get("acknowledged", []), closing.looked_at(asked.get("total_cost"))
        if not isinstance(names, list) or not set(map(str, names)) <= set(readiness.WARNINGS):
            words = f"Write a list of warnings' names, of {', '.join(readiness.WARNINGS)}."
            raise ValidationError({"acknowledged": words})
        made = closing.close(month, act(request), acknowledged=names, total_cost=total)
        return Response(version_json(made), status=201)


class ReopeningView(APIView):
    http_method_names = ("post", "delete")

    @extend_schema(**schema.ASK_SCHEMA)
    def post(self, request: Request, month: date) -> Response:
        reason = text(terms(request, ("reason",)), "reason")
        return Response(held_json(closing.ask_reopening(month, reason, act(request))), status=201)

    @extend_schema(**schema.KEEP_SCHEMA)
    def delete(self, request: Request, month: date) -> Response:
        return Response(held_json(closing.withdraw_reopening(month, act(request))))


class AgreementView(APIView):
    http_method_names = ("post",)

    @extend_schema(**schema.AGREE_SCHEMA)
    def post(self, request: Request, month: date) -> Response:
        terms(request, ())
        return Response(held_json(closing.reopen(month, act(request))))


class SentView(APIView):
    http_method_names = ("post",)

    @extend_schema(**schema.SENT_SCHEMA)
    def post(self, request: Request, month: date) -> Response:
        to = text(terms(request, ("sent_to",)), "sent_to")
        return Response(held_json(closing.mark_sent(month, to, act(request))))


class VersionView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer,)

    @extend_schema(**schema.VERSION_SCHEMA)
    def get(self, request: Request, month: date, version: int, format: str = "") -> Response:
        given(request, ())
        statement = find(month, version)
        allocation = as_json(frozen.allocation_of(statement))
        return Response({**allocation, "statement": version_json(statement)})


class VersionCsvView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (CsvRenderer,)

    @extend_schema(**schema.VERSION_CSV_SCHEMA)
    def get(
        self, request: Request, month: date, version: int, format: str = ""
    ) -> StreamingHttpResponse:
        given(request, ())
        rows = streaming.rows_of_statement(find(month, version))
        return csv_response(f"statement-{month:%Y-%m}-v{version}.csv", HEADER, rows)


class DifferencesView(APIView):
    http_method_names = ("get", "head")

    @extend_schema(**schema.DIFFERENCES_SCHEMA)
    def get(self, request: Request, month: date, version: int) -> Response:
        later, other = find(month, version), given(request, ("since",)).get("since")
        if other is not None and not (other.isdecimal() and 0 < int(other[:9]) < version):
            raise InvalidQuery("since", "must be the number of an earlier version")
        earlier = find(month, int(other) if other else version - 1)
        found = versions.differences(earlier, later)
        return Response(
            {
                "month": f"{month:%Y-%m}",
                "version": later.version,
                "since": earlier.version,
                "currency": later.currency,
                "cost_centers": [difference_json(each) for each in found],
                "total_difference": plain(
                    Decimal(later.totals["total_cost"]) - Decimal(earlier.totals["total_cost"])
                ),
            }
        )


def terms(request: Request, names: tuple[str, ...]) -> dict[str, Any]:
    """Raises ValidationError, by field."""
    if not isinstance(request.data, Mapping):
        raise ValidationError({"body": "Write a JSON object."})
    return known(request.data, names)


def text(given_terms: Mapping[str, Any], name: str) -> str:
    found = given_terms.get(name, "")
    if not isinstance(found, str):
        raise ValidationError({name: "Write text."})
    return found


def find(month: date, version: int) -> StatementVersion:
    found = StatementVersion.objects.filter(month=month, version=version).first()
    if found is None:
        raise Http404
    return found


def whole_month(month: date) -> dict[str, Any]:
    """Raises as cost_items.of_month."""
    draft = BooksMonth(month=month, state=State.DRAFT, version=0)
    held, every = months.every().get(month, draft), versions.of(month)
    found: dict[str, Any] = {
        **month_json(held, every[0] if every else None),
        "versions": [version_json(each) for each in every],
        "acts": [act_json(each) for each in versions.acts(month)],
    }
    if held.state != State.DRAFT:
        return found
    ready = readiness.look(month, timezone.now())
    total = ready.found.allocation.totals.total_cost if ready.found else Decimal(0)
    return found | {
        "may_close": not ready.problems,
        "problems": findings(ready.problems),
        "warnings": findings(ready.warnings),
        "draft": {"total_cost": plain(total), "currency": settings.CURRENCY},
    }


def findings(found: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"name": each.name, "detail": each.words} for each in found]


def month_json(held: BooksMonth, statement: StatementVersion | None) -> dict[str, Any]:
    """The latest version with it, also where the month is open again."""
    return {**held_json(held), "latest": version_json(statement) if statement else None}


def held_json(held: BooksMonth) -> dict[str, Any]:
    sent = {"at": instant(held.sent_at), "by": held.sent_by, "to": held.sent_to}
    asked = {
        "asked_at": instant(held.reopen_asked_at),
        "asked_by": held.reopen_asked_by,
        "reason": held.reopen_reason,
    }
    return {
        "month": f"{held.month:%Y-%m}",
        "state": held.state,
        "version": held.version,
        "sent": sent if held.sent_at else None,
        "reopening": asked if held.reopen_asked_at else None,
    }


def version_json(made: StatementVersion) -> dict[str, Any]:
    return {
        "version": made.version,
        "checksum": made.checksum,
        "total_cost": made.totals["total_cost"],
        "adjustment": made.totals["adjustment"],
        "currency": made.currency,
        "closed_at": instant(made.closed_at),
        "closed_by": made.closed_by,
        "rolled_up_to": instant(made.rolled_up_to),
        "acknowledged": made.warnings,
    }


def act_json(each: AuditRecord) -> dict[str, Any]:
    name = each.action.removeprefix("books.")
    version = int(each.subject.rpartition(" ")[2])
    own = {"at": instant(each.at), "by": each.actor, "act": name, "version": version}
    return {**own, "reason": each.reason, "sent_to": each.after.get("sent_to", "")}


def difference_json(each: Difference) -> dict[str, Any]:
    return {
        "cost_center": each.cost_center,
        "requests": each.requests,
        **{name: plain(amount) for name, amount in each.money().items()},
        "total_cost_before": plain(money(each.before)["total_cost"]),
        "total_cost_after": plain(money(each.after)["total_cost"]),
    }
