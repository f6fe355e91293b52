"""The audit log: who did what to what, and how it was before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from finops import audit_log, formats
from finops.audit_log import LogQuery
from finops.models import AuditRecord
from finops.periods import InvalidQuery, local_day


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed; "" where there was nothing, or nothing is left."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    time: str
    time_title: str
    record: AuditRecord
    changes: list[Change]


@require_GET
def log(request: HttpRequest) -> HttpResponse:
    now, zone = timezone.now(), settings.REPORTING_ZONE
    given = request.GET.dict()
    context: dict[str, object] = {"section": "audit", "zone": zone.key}
    query, page, status = LogQuery(), None, 200
    try:
        query = LogQuery.from_params(given)
        page = audit_log.page(query, zone, given.get("cursor", ""))
    except InvalidQuery as error:
        context |= {"error": error, "way_on": reverse("audit")}
        status = 400
    params = query.to_params()
    if page:
        context["lines"] = [line(each, now) for each in page.records]
        if page.next_cursor:
            context["next_href"] = address("audit", params | {"cursor": page.next_cursor})
    context |= {
        "query": query,
        "is_filtered": bool(params),
        "day": query.day.isoformat() if query.day else "",
        "actors": with_chosen(audit_log.actors(), query.actor),
        "actions": with_chosen(audit_log.actions(), query.action),
        "first_href": address("audit", params) if given.get("cursor") else "",
        "csv_href": address("audit-csv", params),
        "lines_href": address("audit-lines", params),
    }
    return render(request, "audit/page.html", context, status=status)


def with_chosen(names: list[str], chosen: str) -> list[str]:
    return names if not chosen or chosen in names else [chosen, *names]


def address(name: str, params: Mapping[str, str]) -> str:
    return f"{reverse(name)}?{urlencode(params)}" if params else reverse(name)


def line(record: AuditRecord, now: datetime) -> Line:
    zone = settings.REPORTING_ZONE
    local = record.at.astimezone(zone)
    day = formats.day(local.date(), local_day(now, zone))
    return Line(
        f"{day}, {local:%H:%M:%S}",
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        record,
        changes(record.before, record.after),
    )


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    """What differs, in the order in which it was written down."""
    return [
        Change(name, text_of(before.get(name)), text_of(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def text_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
