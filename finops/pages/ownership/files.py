"""Rules as a file: the whole list out, and another one in its place once it was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from finops import formats
from finops.costs import QueryTooSlow
from finops.csv_lines import NotReadable, encoding_of
from finops.models import OwnershipUpload
from finops.ownership import files, imports, rules
from finops.ownership.imports import MOST_BYTES, Preview
from finops.pages.settings.desk import act, context

TAB = "settings-ownership"


@never_cache
@require_GET
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="ownership-rules.csv"'},
    )


def lines() -> Iterator[str]:
    held = rules.every()
    yield from files.written(held.iterator(2_000), rules.dimensions_asked())


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    found: dict[str, Any] = {}
    try:
        if request.method == "POST" and "apply" in request.POST:
            count = imports.apply_kept(act(request, timezone.now()))
            messages.success(request, f"There are {count:,} rules now.")
            return redirect(TAB)
        if request.method == "POST":
            found = looked_at(request)
    except OwnershipUpload.DoesNotExist:
        found = {"problem": "That file is gone: choose it again."}
    except (NotReadable, QueryTooSlow) as error:
        found = {"problem": str(error)}
    except ValidationError as error:
        found = {"problem": " ".join(error.messages)}
    is_wrong = bool(found.get("problem") or found.get("problems"))
    held = context(request, TAB, view="files", most=MOST_BYTES // 2**20, **found)
    return render(request, "ownership/files.html", held, status=400 if is_wrong else 200)


def looked_at(request: HttpRequest) -> dict[str, Any]:
    """What is wrong with the file, or what it would change."""
    file = request.FILES.get("file")
    if file is None or file.size is None:
        return {"problem": "Choose a file."}
    if file.size > MOST_BYTES:
        return {"problem": f"The file is larger than {MOST_BYTES // 2**20} MiB."}
    found = imports.read_file(file.file)  # type: ignore[arg-type]
    if found.problems:
        return {"problems": found.problems, "problem_count": found.problem_count}
    now = timezone.now()
    preview = imports.preview(found, now, settings.REPORTING_ZONE)
    file.seek(0)
    imports.keep(file.read().decode(encoding_of(file.file)), act(request, now))  # type: ignore[arg-type]
    return {"preview": preview, "moved": rows(preview), "amount": money(preview.amount)}


def rows(preview: Preview) -> list[tuple[str, str, str, str]]:
    return [
        (each.cost_center, money(each.before), money(each.after), money(each.difference))
        for each in preview.moved
    ]


def money(amount: Any) -> str:
    return formats.money_long(amount, settings.CURRENCY)
