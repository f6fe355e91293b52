"""/api/v1/bills and /api/v1/reconciliations: what providers billed, against what was used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops.api import reconciliation_schema as schema
from finops.api.budgets import body
from finops.api.costs import CsvRenderer
from finops.api.ownership import act, known, receive
from finops.api.parameters import given
from finops.api.tables import csv_response
from finops.api.values import instant, plain
from finops.bills import imports, months, true_ups
from finops.bills.imports import MOST_BYTES
from finops.bills.mappings import TERMS, day_of, mapping_of
from finops.bills.months import Reconciliation, Sum
from finops.bills.table import header, rows
from finops.budgets.fields import number
from finops.cells import text_cell
from finops.models import BillImport
from finops.reconciliation import Cell


class BillsView(APIView):
    @extend_schema(**schema.BILLS_SCHEMA)
    def get(self, request: Request) -> Response:
        given(request, ())
        held = imports.everything()
        return Response({"imports": [import_json(made, lines) for made, lines in held]})

    @extend_schema(**schema.IMPORT_SCHEMA)
    def post(self, request: Request) -> Response:
        terms = given(request, ("name", "day", *TERMS))
        mapping, day = mapping_of(terms), day_of(terms.get("day", ""))
        with TemporaryFile() as file:
            receive(request, file, MOST_BYTES)
            content = file.read()
        name = terms.get("name", "") or "bill"
        taken = imports.take(content, name, act(request), mapping=mapping, day=day)
        held = import_json(taken.made, taken.made.lines)
        found = {"is_new": taken.is_new, "lines_replaced": taken.replaced, **held}
        return Response(found, status=201 if taken.is_new else 200)


class BillView(APIView):
    http_method_names = ("delete", "options")

    @extend_schema(**schema.WITHDRAW_SCHEMA)
    def delete(self, request: Request, number: int) -> Response:
        given(request, ())
        try:
            made, restored = imports.withdraw(number, act(request))
        except BillImport.DoesNotExist:
            raise Http404 from None
        return Response({"lines_restored": restored, **import_json(made, 0)})


class ReconciliationView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer,)

    @extend_schema(**schema.JSON_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> Response:
        return Response(as_json(months.of_month(month, by_account=by_account(request))))


class ReconciliationCsvView(APIView):
    http_method_names = ("get", "head")
    renderer_classes = (CsvRenderer,)

    @extend_schema(**schema.CSV_SCHEMA)
    def get(self, request: Request, month: date, format: str = "") -> StreamingHttpResponse:
        found = months.of_month(month, by_account=by_account(request))
        name = f"reconciliation-{month:%Y-%m}.csv"
        return csv_response(name, header(found), rows(found, text_cell))


class TrueUpsView(APIView):
    http_method_names = ("post",)

    @extend_schema(**schema.TRUE_UP_SCHEMA)
    def post(self, request: Request, month: date) -> Response:
        terms = known(body(request), ("provider", "amount"))
        provider = terms.get("provider")
        if not isinstance(provider, str):
            raise ValidationError({"provider": "Write the provider, as the reconciliation has it."})
        try:
            amount = number(terms.get("amount"))
        except ValidationError as error:
            raise ValidationError({"amount": error.messages}) from error
        if amount is None:
            raise ValidationError({"amount": "Write what is left of the difference."})
        item = true_ups.accept(month, provider, amount, act(request))
        made = {"amount": plain(item.amount or Decimal(0)), "reference": item.reference}
        first = item.effective_from.isoformat()
        return Response({"cost_item": item.pk, "effective_from": first, **made}, status=201)


def by_account(request: Request) -> bool:
    asked = given(request, ("by",)).get("by", "")
    if asked not in {"", "account"}:
        raise ValidationError({"by": "It may be account, or left out."})
    return bool(asked)


def import_json(made: BillImport, lines: int) -> dict[str, Any]:
    return {
        "id": made.pk,
        "name": made.file_name,
        "sha256": made.sha256,
        "reports": made.format,
        "lines": made.lines,
        "lines_in_force": lines,
        "has_more": made.has_more,
        "left_out": made.left_out or {"lines": 0, "amounts": {}},
        "created_at": instant(made.created_at),
        "created_by": made.created_by,
        "withdrawn_at": instant(made.withdrawn_at),
        "withdrawn_by": made.withdrawn_by or None,
    }


def as_json(found: Reconciliation) -> dict[str, Any]:
    return {
        "month": f"{found.month:%Y-%m}",
        "currency": found.currency,
        "totals": sum_json(found.total),
        "providers": [
            {
                "provider": each,
                **sum_json(found.of(each)),
                "remaining": plain(true_ups.remaining(found, each)),
            }
            for each in found.providers
        ],
        "cells": [cell_json(cell) for cell in found.cells],
        **apart_json(found),
        "freshness": {
            "rolled_up_to": instant(found.freshness.rolled_up_to),
            "pending_events": found.freshness.pending_events,
            "recorded_since": instant(found.freshness.recorded_since),
        },
    }


def apart_json(found: Reconciliation) -> dict[str, Any]:
    """What is not compared, and what was converted."""
    return {
        "unbilled": [
            {
                "provider": each.provider,
                "reason": each.reason,
                "days": each.days,
                "first": each.first.isoformat(),
                "last": each.last.isoformat(),
                "ours": plain(each.cost),
                "requests": each.requests,
                "unpriced_requests": each.unpriced_requests,
            }
            for each in found.unbilled
        ],
        "other_currencies": [
            {
                "provider": each.provider,
                "currency": each.currency,
                "billed": plain(each.amount),
                "lines": each.lines,
            }
            for each in found.foreign
        ],
        "unmapped_accounts": [
            {
                "provider": each.provider,
                "account": each.account,
                "billed": plain(each.amount),
                "lines": each.lines,
            }
            for each in found.unmapped
        ],
        "converted": [
            {
                "provider": each.provider,
                "currency": each.currency,
                "billed": plain(each.amount),
                "amount": plain(each.converted),
                "lines": each.lines,
                "first_rates": each.first.isoformat(),
                "last_rates": each.last.isoformat(),
                "source": each.source,
            }
            for each in found.exchanged
        ],
    }


def sum_json(held: Sum) -> dict[str, Any]:
    return {
        "billed": maybe(held.billed if held.cells else None),
        "ours": plain(held.ours),
        "difference": maybe(held.difference if held.cells else None),
        "matched_difference": plain(held.matched),
        "parts": amounts(held.parts.items()),
        "cells_by_status": dict(held.statuses),
        "unpriced_requests": held.unpriced_requests,
    }


def cell_json(cell: Cell) -> dict[str, Any]:
    return {
        "day": cell.key.day.isoformat(),
        "provider": cell.key.provider,
        "model": cell.key.model,
        "account": cell.key.account,
        "status": cell.status,
        "ours": plain(cell.ours),
        "billed": maybe(cell.billed),
        "difference": maybe(cell.difference),
        "parts": amounts(cell.parts.items()),
        "requests": cell.requests,
        "unpriced_requests": cell.unpriced_requests,
        "quantities": quantities(cell.quantities),
    }


def quantities(held: Mapping[str, tuple[Decimal, Decimal | None]]) -> dict[str, Any]:
    return {
        kind: {"ours": plain(ours), "billed": maybe(billed)}
        for kind, (ours, billed) in held.items()
    }


def amounts(held: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    return {name: plain(amount) for name, amount in held}


def maybe(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
