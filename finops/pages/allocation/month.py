"""Allocation: who bears what of a month, and each cost center's lines and shares."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from finops import access, formats
from finops.books import drafts, streaming
from finops.cost_items import MonthAllocation
from finops.costs import QueryTooSlow
from finops.models import CostCenter
from finops.pages import exports, states
from finops.pages.allocation import tables
from finops.pages.filters import Choice
from finops.pages.kpis import Kpi
from finops.periods import MONTH, InvalidQuery, add_months, days, local_day
from finops.query import UNATTRIBUTED, CostQuery
from finops.rollups import ZoneChanged

MONTHS = 24
WELL_ALLOCATED = 90


@require_GET
def month(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    chosen = month_of(request, now)
    context = frame(chosen, now) | {"heading": f"Who bears what of {chosen:%B %Y}?"}
    found, status = answered(request, chosen, now, context)
    if found:
        sees_books = access.allows("unattributed", "GET", request.user)
        context |= figures(found, now, reverse("unattributed") if sees_books else "")
        context["statement"] = statement(found) if sees_books else ""
        context["exports"] = exports.of_month(request, found)
    return render(request, "allocation/page.html", context, status=status)


@require_GET
def cost_center(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    chosen, code = month_of(request, now), request.GET.get("code", "")[:200]
    back = f"{reverse('allocation')}?{urlencode({'month': f'{chosen:%Y-%m}'})}"
    context = frame(chosen, now) | {
        "heading": f"What does {code} bear?",
        "breadcrumb": [("Allocation", back), (code, "")],
        "code": code,
    }
    found, status = answered(request, chosen, now, context)
    if found:
        context |= one(found, code)
        context["exports"] = [exports.requests_of(chosen, cost_center=code)]
    return render(request, "allocation/cost_center.html", context, status=status)


def month_of(request: HttpRequest, now: datetime) -> date:
    """The month of the address; without one, or with what is none, the present one."""
    given = MONTH.fullmatch(request.GET.get("month", ""))
    if given and 2000 <= int(given[1]) < 2100:
        return date(int(given[1]), int(given[2]), 1)
    return local_day(now, settings.REPORTING_ZONE).replace(day=1)


def frame(chosen: date, now: datetime) -> dict[str, Any]:
    present = local_day(now, settings.REPORTING_ZONE).replace(day=1)
    offered = sorted({add_months(present, -n) for n in range(MONTHS)} | {chosen}, reverse=True)
    return {
        "section": "allocation",
        "month": chosen,
        "month_name": f"{chosen:%B %Y}",
        "months": [Choice(f"{m:%B %Y}", f"{m:%Y-%m}", m == chosen) for m in offered],
        "currency": settings.CURRENCY,
    }


def answered(
    request: HttpRequest, chosen: date, now: datetime, context: dict[str, Any]
) -> tuple[MonthAllocation | None, int]:
    """The month, and the status; why there is none goes into the context."""
    teams = access.teams_seen(request.user)
    context["may_see_items"] = access.allows("settings-cost-items", "GET", request.user)
    try:
        found = drafts.of_month(chosen, now=now, reader_teams=teams)
    except InvalidQuery as error:
        context["error"] = error
        return None, 400
    except (QueryTooSlow, ZoneChanged) as error:
        context["error"] = {"message": str(error)}
        return None, 503
    # What is closed has no figures that could be late.
    fresh = freshness(found, teams, now) if found.status == "draft" else None
    context |= {"found": found, "freshness": fresh}
    context["bar"] = {"is_open": found.is_running}
    return found, 200


def freshness(
    found: MonthAllocation, teams: tuple[str, ...] | None, now: datetime
) -> states.FreshnessLine | None:
    zone = settings.REPORTING_ZONE
    period = days(found.month, add_months(found.month, 1), zone)
    query = CostQuery(period, "total", (), (), ("requests",), None, False, zone)
    return states.freshness_line(found.freshness, query.replace(reader_teams=teams), now)


def figures(found: MonthAllocation, now: datetime, unowned: str) -> dict[str, Any]:
    """`unowned` is the address of what nobody owns, where the reader may open it."""
    centers = found.allocation.by_cost_center()
    names = dict(CostCenter.objects.filter(code__in=centers).values_list("code", "name"))
    return {
        "kpis": kpis(found, unowned),
        "centers": tables.centers(found, centers, names),
        "totals": tables.totals(found),
        "has_adjustments": bool(found.allocation.totals.adjustment),
        "capacity": tables.capacity(found, now),
        "charges": tables.charges(found),
        "days_left": days_left(found, now),
    }


def statement(found: MonthAllocation) -> str:
    """Where it is kept as it was closed; "" of a draft."""
    closed = streaming.newest(found.month)
    if closed is None:
        return ""
    given = {"month": f"{found.month:%Y-%m}", "version": closed.version}
    return f"{reverse('statements')}?{urlencode(given)}"


def days_left(found: MonthAllocation, now: datetime) -> str:
    """Of a month that is not over: until when it runs."""
    last = add_months(found.month, 1) - timedelta(days=1)
    return formats.day(last, local_day(now, settings.REPORTING_ZONE)) if found.is_running else ""


def kpis(found: MonthAllocation, unowned_href: str) -> list[Kpi]:
    totals, currency = found.allocation.totals, found.currency
    allocated = found.allocation.allocated_percent()
    lost = found.allocation.by_cost_center().get(UNATTRIBUTED)
    unpriced = found.coverage.unpriced_requests
    total = Kpi(
        "Total cost",
        formats.money_short(totals.total_cost, currency),
        formats.money_exact(totals.total_cost, currency),
        note=f"{formats.money_short(totals.direct_cost, currency)} of it direct",
    )
    share = Kpi(
        "Allocated",
        formats.MISSING if allocated is None else formats.share_short(allocated, 100),
        note="of all cost, shared and idle too, has a cost center",
        tone="warn" if allocated is not None and allocated < WELL_ALLOCATED else "",
    )
    idle = Kpi(
        "Idle capacity",
        formats.money_short(totals.idle_cost, currency),
        formats.money_exact(totals.idle_cost, currency),
        note="paid for and not used",
    )
    nobodys = lost.total_cost if lost else Decimal(0)
    missing = f"; {formats.count_short(unpriced)} requests have no price" if unpriced else ""
    unowned = Kpi(
        "Unattributed",
        formats.money_short(nobodys, currency),
        formats.money_exact(nobodys, currency),
        note=f"has no cost center{missing}",
        tone="warn" if unpriced else "",
        href=unowned_href if nobodys else "",
    )
    return [total, share, idle, unowned]


def one(found: MonthAllocation, code: str) -> dict[str, Any]:
    centers = found.allocation.by_cost_center()
    if code not in centers:
        return {"is_missing": True}
    return {
        "lines": tables.lines(found, code),
        "totals": tables.line_totals(found, code, centers[code]),
        "shares": tables.shares(found, code),
        **tables.adjustments(found, code),
        "name": CostCenter.objects.filter(code=code).values_list("name", flat=True).first() or "",
    }
