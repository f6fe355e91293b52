"""One budget: what is spent of it step by step, what it has told, and who asked for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finops import access, budgets, enforcement, formats, labels
from finops.budgets.ranking import urgency
from finops.budgets.standings import watches
from finops.costs import QueryTooSlow
from finops.enforcement import Acts
from finops.models import Budget, BudgetStatus
from finops.pages.budgets import acts, burning, frame, seen_budget, told, wording
from finops.pages.budgets.burning import Burning
from finops.pages.budgets.listing import period_text
from finops.pages.budgets.states import (
    Figures,
    Mark,
    Note,
    doubts,
    figures_of,
    freshness,
    notes,
    state_marks,
    unknown_marks,
)
from finops.pages.kpis import Kpi
from finops.pages.links import address, explain_href
from finops.query import CostQuery
from finops.rollups import ZoneChanged

VALUES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ValueLine:
    """One value of the dimension that a budget is for each of."""

    name: str
    href: str
    is_charted: bool
    figures: Figures
    marks: list[Mark]


@never_cache
@require_safe
def budget(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    found = seen_budget(request, pk)
    statuses = list(found.statuses.order_by("value"))
    whole = next((each for each in statuses if not each.value), None)
    judged = (each for each in statuses if each.value and watches(each.value))
    values = sorted(judged, key=urgency)
    charted = charted_of(request.GET.get("value", ""), found, whole, values)
    shown = values[:VALUES_SHOWN]
    value = charted.value if charted else ""
    acting = enforcement.read([pk], now, {value, *(each.value for each in shown)} - {""}).get(pk)
    acted = acts.marks(acting, now, value)
    context = frame(request, f"Does {found.name} hold?", (found.name, ""))
    [unused] = budgets.unused(wording.filters_of(found))
    said = [Note(each.said(with_near=context["may_manage"])) for each in unused]
    context |= {
        "budget": found,
        "marks": [*state_marks(charted), *acted, *doubts(whole), *unknown_marks(unused)],
        "notes": [*acts.notes(found, acting, value, now), *said, *notes(found, whole, now)],
        "gaps": [],
        "freshness": freshness([whole] if whole else [], now),
        "facts": wording.facts(found, now),
        "thresholds": told.thresholds(found, charted, now),
        "crossings": told.crossings(found, now),
        "increases": told.increases(found, now),
        "dimension": labels.dimension(found.for_each) if found.for_each else "",
        "explore_href": address("explore", costs_of(found, now)),
        "explain_href": explain_href(costs_of(found, now)),
        "ask_href": ask_href(request, found),
    }
    status = 200
    try:
        context |= figures(request, found, charted, acting, now)
    except (QueryTooSlow, ZoneChanged) as error:
        context |= {"kpis": [], "error": {"message": str(error)}, "way_on": ""}
        status = 503
    if found.for_each:
        lines = [value_line(found, each, each is charted, acting, now) for each in shown]
        context |= {"values": lines, **values_context(found, whole, len(values), len(shown))}
    return render(request, "budgets/one.html", context, status=status)


def charted_of(
    asked: str, found: Budget, whole: BudgetStatus | None, values: Sequence[BudgetStatus]
) -> BudgetStatus | None:
    """The status whose figures the page shows: of a budget for each value that of the one that was
    asked for, or of the worst."""
    if not found.for_each:
        return whole
    return next((each for each in values if each.value == asked), values[0] if values else None)


def figures(
    request: HttpRequest,
    found: Budget,
    charted: BudgetStatus | None,
    acting: Acts | None,
    now: datetime,
) -> dict[str, Any]:
    value = charted.value if charted else ""
    read = burning.read(found, value, request.user, now)
    amount = charted.amount if charted else None
    gap = gap_note(found, read, now)
    of = f" by {value}" if value else ""
    return {
        "gaps": [gap] if gap else [],
        "kpis": kpis(found, read, charted, acting, now),
        "chart": burning.chart(found, read, charted, f"Spent so far{of}, beside the budget"),
        "steps": burning.steps(read, amount),
        "steps_title": f"Spent{of} step by step",
        "steps_head": burning.STEPS[read.query.granularity],
    }


def gap_note(found: Budget, read: Burning, now: datetime) -> Note | None:
    """An amount by the last period says little where only a part of that was recorded."""
    if found.amount_kind != Budget.AmountKind.LAST_PERIOD or read.recorded_since is None:
        return None
    since = wording.moment(read.recorded_since, now)
    return Note(f"Its amount goes by the period before, which is recorded only since {since}.")


def kpis(
    found: Budget,
    read: Burning,
    status: BudgetStatus | None,
    acting: Acts | None,
    now: datetime,
) -> list[Kpi]:
    amount = status.amount if status else None
    spent = read.spent
    return [
        Kpi("Amount", *both(amount), note=period_text(found, status, now)),
        Kpi(
            "Spent",
            *both(spent),
            note=f"{formats.share_short(spent, amount)} of the amount" if amount else "",
            tone="warn" if amount is not None and spent >= amount else "",
        ),
        *acts.kpis(acting, status.value if status else "", now),
        left_kpi(found, amount, read, now),
        forecast_kpi(status, amount),
        pace_kpi(amount, spent, read),
    ]


def both(amount: Decimal | None) -> tuple[str, str]:
    """Short, and with every digit for the title."""
    return formats.money_short(
        amount, settings.CURRENCY
    ), "" if amount is None else formats.money_exact(amount, settings.CURRENCY)


def left_kpi(found: Budget, amount: Decimal | None, read: Burning, now: datetime) -> Kpi:
    spent, is_rolling = read.spent, found.period == Budget.Span.ROLLING
    if amount is None:
        return Kpi("Left", formats.MISSING)
    over = spent - amount
    label = "Over by" if over > 0 else "Left"
    note = "" if is_rolling else burning.left_of(read.query.period, now)
    return Kpi(label, *both(abs(over)), note=note)


def forecast_kpi(status: BudgetStatus | None, amount: Decimal | None) -> Kpi:
    if status is None or status.forecast is None:
        return Kpi("Forecast", formats.MISSING, note=status.forecast_reason if status else "")
    low, high = (
        formats.money_short(status.forecast_low, settings.CURRENCY),
        formats.money_short(status.forecast_high, settings.CURRENCY),
    )
    is_over = amount is not None and status.forecast > amount
    return Kpi(
        "Forecast",
        *both(status.forecast),
        note=f"{low} to {high}. {status.forecast_reason}",
        tone="warn" if is_over else "",
    )


def pace_kpi(amount: Decimal | None, spent: Decimal, read: Burning) -> Kpi:
    """How many times as fast as the pace by which the amount lasts just for the period."""
    period = read.query.period
    passed = Decimal((min(read.as_of, period.end) - period.start).total_seconds())
    whole = Decimal((period.end - period.start).total_seconds())
    if not amount or passed <= 0:
        return Kpi("Pace", formats.MISSING)
    ratio = round(spent / amount / (passed / whole), 2)
    note = "by 1 the amount lasts just for the period"
    return Kpi("Pace", f"× {ratio}", note=note, tone="warn" if ratio > 1 else "")


def values_context(
    found: Budget, whole: BudgetStatus | None, known: int, shown: int
) -> dict[str, Any]:
    """What stands around the table, of so many values that are known and shown."""
    each = labels.dimensions((found.for_each,))
    count, over = (whole.values, whole.values_over) if whole else (known, 0)
    hidden = count - shown
    return {
        "values_title": f"By {each}",
        "values_note": f"{formats.count_long(over)} of {formats.count_long(count)} reached their "
        f"amounts. Choose one to see it in the chart. {whole.forecast_reason if whole else ''}",
        "values_more": f"{formats.count_long(hidden)} more are further from their amounts."
        if hidden > 0
        else "",
    }


def value_line(
    found: Budget, status: BudgetStatus, is_charted: bool, acting: Acts | None, now: datetime
) -> ValueLine:
    query = urlencode({"value": status.value})
    return ValueLine(
        name=status.value,
        href=f"{reverse('budget', args=[found.pk])}?{query}",
        is_charted=is_charted,
        figures=figures_of(status),
        marks=[*state_marks(status), *acts.marks(acting, now, status.value), *doubts(status)],
    )


def costs_of(found: Budget, now: datetime) -> CostQuery:
    """The same costs, by what it is for each of."""
    calendar = burning.calendar_of(found)
    today = now.astimezone(settings.REPORTING_ZONE).date()
    query = burning.query_of(found, calendar.at(today))
    group_by = (found.for_each,) if found.for_each else ()
    return query.replace(group_by=group_by, metrics=(found.cost, "requests"))


def ask_href(request: HttpRequest, found: Budget) -> str:
    if not access.allows("budget-increase-new", "POST", request.user):
        return ""
    return reverse("budget-increase-new", args=[found.pk])
