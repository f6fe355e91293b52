"""Statements: the months that were closed, their versions, and what each cost center was told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from finops import formats
from finops.books import frozen, streaming, versions
from finops.books.versions import Difference
from finops.cells import csv_pieces
from finops.cost_items import MonthAllocation
from finops.cost_items.table import HEADER
from finops.exports import workbook
from finops.exports.months import of_statement
from finops.models import StatementVersion
from finops.pages import exports
from finops.pages.allocation import tables
from finops.pages.books.close import address
from finops.periods import MONTH, InvalidQuery


@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """All versions; with month and version one of them; with a code that cost center's."""
    every = versions.every()
    statement = asked(request, every)
    newest = {each.month: each.version for each in reversed(every)}
    context: dict[str, Any] = {
        "section": "statements",
        "currency": settings.CURRENCY,
        "versions": [listed(each, newest[each.month]) for each in every],
        "heading": "What was closed?",
    }
    if statement is None:
        return render(request, "books/statements.html", context)
    found = frozen.allocation_of(statement)
    code = request.GET.get("code", "")[:200]
    context |= {"statement": statement, "found": found, "currency": found.currency}
    name = f"{statement.month:%B %Y}"
    context |= {"month_name": name, "heading": f"{name}, version {statement.version}"}
    if statement.version != newest[statement.month]:
        context["newer"] = newest[statement.month]
    context["back"] = address("statements", statement.month, version=statement.version)
    if not code:
        context |= one_version(statement, found) | since_before(statement, every)
        return render(request, "books/version.html", context)
    context |= one_center(statement, found, code)
    return render(request, "books/statement.html", context)


@never_cache
@require_GET
def in_sheets(request: HttpRequest) -> FileResponse | HttpResponse:
    """A version as a workbook."""
    statement = asked_for(request)
    name = f"statement-{statement.month:%Y-%m}-v{statement.version}.xlsx"
    kind = workbook.CONTENT_TYPE
    try:
        held = workbook.file_of(of_statement(statement))
    except InvalidQuery as error:
        return HttpResponse(f"{error}.", status=400, content_type="text/plain; charset=utf-8")
    return FileResponse(held, as_attachment=True, filename=name, content_type=kind)


@never_cache
@require_GET
def file(request: HttpRequest) -> StreamingHttpResponse:
    """The CSV file of a version, of which the checksum is."""
    statement = asked_for(request)
    name = f"statement-{statement.month:%Y-%m}-v{statement.version}.csv"
    return StreamingHttpResponse(
        csv_pieces(HEADER, streaming.rows_of_statement(statement)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def asked_for(request: HttpRequest) -> StatementVersion:
    """Raises Http404."""
    statement = asked(request, versions.every())
    if statement is None:
        raise Http404
    return statement


def asked(request: HttpRequest, every: list[StatementVersion]) -> StatementVersion | None:
    """The version of the address, with all that it holds; the newest of its month where it names
    none."""
    given = MONTH.fullmatch(request.GET.get("month", ""))
    if not given:
        return None
    month = date(int(given[1]), int(given[2]), 1) if int(given[1]) else None
    version = request.GET.get("version", "")
    for each in every:
        if each.month == month and version in {"", str(each.version)}:
            return StatementVersion.objects.get(pk=each.pk)
    if version:
        raise Http404
    return None


def listed(each: StatementVersion, newest: int) -> dict[str, Any]:
    return {
        "name": f"{each.month:%B %Y}",
        "href": address("statements", each.month, version=each.version),
        "held": each,
        "is_newest": each.version == newest,
        "total": formats.money_long(Decimal(each.totals["total_cost"]), each.currency),
        "adjustment": formats.money_long(Decimal(each.totals["adjustment"]), each.currency),
    }


def one_version(statement: StatementVersion, found: MonthAllocation) -> dict[str, Any]:
    centers = found.allocation.by_cost_center()
    names = {code: each["name"] for code, each in statement.centers.items()}
    hrefs = [
        address("statements", statement.month, version=statement.version, code=code)
        for code in centers
    ]
    labels = [(code, names.get(code, "")) for code in centers]
    whole = found.allocation.totals
    return {
        "problems": frozen.problems_of(statement),
        "centers": tables.rows(found, labels, hrefs, list(centers.values()), whole),
        "totals": tables.totals(found),
        "has_adjustments": bool(found.allocation.adjustments),
        "exports": exports.of_version(statement, list(centers)),
    }


def since_before(statement: StatementVersion, every: list[StatementVersion]) -> dict[str, Any]:
    """What each cost center bears otherwise than by the version before; nothing of the first."""
    earlier = [
        each
        for each in every
        if each.month == statement.month and each.version == statement.version - 1
    ]
    if not earlier:
        return {}
    found = versions.differences(earlier[0], statement)
    return {"earlier": earlier[0], "differences": [difference(each) for each in found]}


def difference(each: Difference) -> dict[str, Any]:
    """By column label, as it is written, and exactly."""
    amounts = {"Before": each.before.total_cost, "Now": each.after.total_cost}
    for label, amount in zip(tables.LABELS[:-1], each.money().values(), strict=False):
        amounts[f"{label}, difference"] = amount
    amounts["Total, difference"] = each.money()["total_cost"]
    cells = [
        (label, formats.money_long(amount, ""), formats.money_exact(amount, ""))
        for label, amount in amounts.items()
    ]
    return {"name": each.cost_center, "cells": cells}


def one_center(statement: StatementVersion, found: MonthAllocation, code: str) -> dict[str, Any]:
    """Raises Http404 where it bore nothing."""
    centers = found.allocation.by_cost_center()
    if code not in centers:
        raise Http404
    return {
        "code": code,
        "heading": f"Statement of {code}, {found.month:%B %Y}",
        "center": statement.centers.get(code, {}),
        "lines": tables.lines(found, code),
        "totals": tables.line_totals(found, code, centers[code]),
        "shares": tables.shares(found, code),
        **tables.adjustments(found, code),
        "total": formats.money_long(centers[code].total_cost, found.currency),
        "exports": [exports.requests_of(found.month, cost_center=code)],
    }
