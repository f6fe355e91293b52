"""Limits for each user: what round amounts a day or a month would have saved, and whom touched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from finops import costs, formats, power_users
from finops.pages import states
from finops.pages.filters import Link
from finops.pages.kpis import Kpi
from finops.pages.links import address, only_filters
from finops.pages.shell import show
from finops.periods import local_day
from finops.power_users import DAY, MONTH, SPANS, Limit, Limits
from finops.power_users.limits import Saving, read_amount, read_span
from finops.query import DEFAULT_METRICS, CostQuery, written

NAMES = {DAY: "Per day", MONTH: "Per month"}
PERIODS = {DAY: "daily", MONTH: "monthly"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One look back: money saved with its share, users touched, requests kept out."""

    look: str
    saved: str
    share: str
    users: str
    requests: str


@dataclass(frozen=True, slots=True)
class LimitRow:
    amount: str
    is_proposed: bool
    is_chosen: bool
    looks: tuple[Shown, ...]
    budget_href: str


@require_GET
def limits(request: HttpRequest) -> HttpResponse:
    params = request.GET.copy()
    span = params.pop("span", [DAY])[-1].strip() or DAY
    amount = params.pop("amount", [""])[-1].strip()
    position = {"span": span} if span == MONTH else {}
    if amount:
        position["amount"] = amount
    return show(
        request,
        "user-limits",
        params,
        figures=partial(figures, span=span, amount=amount),
        controls=partial(controls, span=span, amount=amount),
        position=position,
    )


def controls(query: CostQuery, now: datetime, *, span: str, amount: str) -> dict[str, Any]:
    plain = only_filters(query)
    return {
        "section": "users",
        "heading": "What would a limit for each user save?",
        "breadcrumb": [("Users", address("users", plain)), ("Limits", "")],
        "spans": [
            Link(NAMES[each], address("user-limits", plain, span=each), each == span)
            for each in NAMES
        ],
        "span": span,
        "amount": amount,
        "kept": plain.to_params(),
    }


def figures(
    query: CostQuery, seen: CostQuery, now: datetime, *, span: str, amount: str
) -> dict[str, Any]:
    read_span(span)
    chosen = read_amount(amount)
    query = only_filters(query).replace(metrics=DEFAULT_METRICS)
    with costs.snapshot():
        total = costs.run(query.replace(granularity="total"))
        if total.freshness.rolled_up_to is None:
            empty = states.empty_state("user-limits", query, only_filters(seen), total, now)
            return {"empty": empty}
        found = power_users.limits(query, span, now, chosen)
    return {
        "freshness": states.freshness_line(total.freshness, query, now),
        "kpis": kpis(found),
        "looks": [look(found, number) for number in range(len(SPANS[span]))],
        "rows": [row(query, found, each, chosen) for each in found.limits],
        "proposed": found.proposed and words(found, found.proposed),
        "reason": found.reason,
        "short": short_past(found, total.freshness.recorded_since, now),
        "currency": settings.CURRENCY,
    }


def kpis(found: Limits) -> list[Kpi]:
    proposed = found.proposed
    label = f"Proposed limit, {NAMES[found.span].lower()}"
    if proposed is None:
        return [Kpi(label, formats.MISSING, note=found.reason)]
    excess = proposed.savings[-1].excess
    return [
        Kpi(label, formats.money_long(proposed.amount, settings.CURRENCY), note="for each user"),
        Kpi(
            "Would have saved",
            formats.money_short(excess.cost, settings.CURRENCY),
            formats.money_exact(excess.cost, settings.CURRENCY),
            note=look(found, -1),
        ),
        Kpi(
            "Users reached",
            formats.count_short(excess.users),
            note=f"of {formats.count_long(found.users)}",
        ),
    ]


def short_past(found: Limits, since: datetime | None, now: datetime) -> str:
    """ "" where usage is recorded for as long as is looked back."""
    if since is None or since <= found.periods[-1].start:
        return ""
    zone = settings.REPORTING_ZONE
    first = formats.day(local_day(since, zone), local_day(now, zone))
    return f"Usage is recorded since {first}: what looks further back counts from that day."


def look(found: Limits, number: int) -> str:
    count = SPANS[found.span][number]
    unit = {DAY: "day", MONTH: "month"}[found.span]
    return f"last {count} whole {unit}s" if count > 1 else f"last whole {unit}"


def row(query: CostQuery, found: Limits, limit: Limit, chosen: list[Decimal]) -> LimitRow:
    return LimitRow(
        amount=formats.money_long(limit.amount, ""),
        is_proposed=limit.is_proposed,
        is_chosen=limit.amount in chosen,
        looks=tuple(shown(each, look(found, number)) for number, each in enumerate(limit.savings)),
        budget_href=budget_href(query, found.span, limit.amount),
    )


def shown(saving: Saving, name: str) -> Shown:
    return Shown(
        name,
        formats.money_long(saving.excess.cost, ""),
        formats.MISSING if saving.cost_share is None else formats.share_short(saving.cost_share, 1),
        formats.count_long(saving.excess.users),
        formats.MISSING
        if saving.request_share is None
        else formats.share_short(saving.request_share, 1),
    )


def words(found: Limits, limit: Limit) -> str:
    saving = limit.savings[-1]
    users = formats.count_long(saving.excess.users)
    return (
        f"{formats.money_long(limit.amount, settings.CURRENCY)} for each user a {found.span} would "
        f"have saved {formats.money_long(saving.excess.cost, settings.CURRENCY)} over the "
        f"{look(found, -1)} and touched {users} of {formats.count_long(found.users)} users."
    )


def budget_href(query: CostQuery, span: str, amount: Decimal) -> str:
    """A new budget for each user, of the same usage, with that amount."""
    filters = [(f.dimension, written(v, f.exclude)) for f in query.filters for v in f.values]
    given = [
        ("name", f"Each user, per {span}"),
        ("for_each", "user"),
        ("period", PERIODS[span]),
        ("amount", f"{amount:f}"),
        *filters,
    ]
    return f"{reverse('budget-new')}?{urlencode(given)}"
