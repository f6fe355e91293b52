"""One request: what it used, why it cost what it did, and where its time went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from finops import access, formats, labels, requests
from finops.costs import UNATTRIBUTED
from finops.pages.kpis import Kpi
from finops.pages.links import address
from finops.pages.requests import address_of
from finops.pages.settling import settled_line, settling_table
from finops.pages.trace import missing, price_cards, trace_lines
from finops.periods import days, local_day, start_of_day
from finops.query import DIMENSIONS, CostQuery
from finops.requests import Settling, UsageRequest

STAGES = ("gateway", "prompt", "retrieval", "prefill", "decode", "postprocess", "network")
OWNERS = {"team", "feature", "user"}


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    text: str
    share: str
    width: float


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str
    href: str = ""


@require_GET
def detail(request: HttpRequest, request_id: str) -> HttpResponse:
    now = timezone.now()
    seen = access.narrow(
        CostQuery.from_params({}, now=now, zone=settings.REPORTING_ZONE), request.user
    )
    day = day_of(request.GET.get("day", ""))
    found = requests.get(request_id, day=day, filters=seen.filters)
    if not found:
        raise Http404("There is no such request, or it is older than single requests are kept.")
    context = {"section": "requests", "found": [(address_of(each), each) for each in found]}
    if len(found) > 1:
        return render(request, "request/choice.html", context | {"request_id": request_id})
    each = found[0]
    query = access.narrow(around(each), request.user)
    settling = requests.settling_of(each, seen.filters)
    told = story(each, leading(each, settling), query, now)
    told["settling"] = settling_table(settling, each)
    told["settled"] = settled_line(settling, each, str(told["currency"])) if settling else None
    told["may_see_prices"] = access.allows("prices-line", "GET", request.user)
    told["may_add_price"] = access.allows("prices-new", "POST", request.user)
    return render(request, "request/page.html", context | told)


def day_of(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def around(each: UsageRequest) -> CostQuery:
    """The day of the request, for links to others like it."""
    zone = settings.REPORTING_ZONE
    start = start_of_day(local_day(each.started_at, zone), zone)
    query = CostQuery.from_params({"granularity": ["day"]}, now=start, zone=zone)
    first = local_day(start, zone)
    return query.replace(period=days(first, date.fromordinal(first.toordinal() + 1), zone))


def leading(each: UsageRequest, settling: Settling | None) -> UsageRequest:
    """Whose figures the page leads with: those that count; a reversal's page is of its own."""
    return settling.in_force if settling and each.kind != "reversal" else each


def story(
    each: UsageRequest, counted: UsageRequest, query: CostQuery, now: datetime
) -> dict[str, object]:
    """The record `each`, with the figures of `counted`, which may have replaced its own."""
    trace = counted.trace
    assert trace is not None
    today = local_day(now, query.zone)
    currency = settings.CURRENCY
    return {
        "usage": each,
        "counted": counted,
        "heading": heading(counted, currency),
        "moment": formats.moment(each.started_at, query.zone, today, seconds=True),
        "kpis": kpis(counted, currency),
        "trace": trace,
        "trace_lines": trace_lines(trace, currency),
        "missing": missing(trace),
        "list_total": formats.money_exact(trace.list_cost, ""),
        "total": formats.money_exact(trace.effective_cost, ""),
        "price_cards": price_cards(trace, query.zone, now),
        "stages": stages(counted),
        "facts": facts(each, query, now),
        "currency": currency,
        "provider": counted.dimensions["provider"],
        "model": counted.dimensions["model"],
        "add_query": urlencode(
            {
                "kind": "contract",
                **{name: counted.dimensions[name] for name in ("provider", "model")},
            }
        ),
    }


def heading(each: UsageRequest, currency: str) -> str:
    cost = each.costs["effective_cost"]
    if cost is None:
        return "Why has this request no cost?"
    if each.kind == "reversal":
        return f"What did a settlement take back? {formats.money_long(-cost, currency)}"
    return f"Why did this request cost {formats.money_long(cost, currency)}?"


def kpis(each: UsageRequest, currency: str) -> list[Kpi]:
    cost, listed = each.costs["effective_cost"], each.costs["list_cost"]
    tiles = [
        money_kpi("Effective cost", cost, currency, difference(cost, listed, "the list cost")),
        money_kpi("List cost", listed, currency, ""),
    ]
    if each.reported_cost is not None:
        note = difference(each.reported_cost, cost, "ours") if currency == "USD" else ""
        note = note or "not used in any figure"
        # What clients report is in dollars, whatever the figures are in.
        tiles.append(money_kpi("Reported by the client", each.reported_cost, "USD", note))
    cached = each.tokens["cache_read_input_tokens"]
    from_cache = f"{formats.share_short(cached, each.input_tokens)} from cache" if cached else ""
    tiles += [
        Kpi("Input tokens", formats.count_short(each.input_tokens), note=from_cache),
        Kpi("Output tokens", formats.count_short(each.output_tokens)),
        Kpi("Latency", formats.duration(each.latency_ms), note=first_token(each)),
    ]
    return tiles


def money_kpi(label: str, amount: Decimal | None, currency: str, note: str) -> Kpi:
    if amount is None:
        return Kpi(label, formats.MISSING, "No price is known", note="no price known", tone="warn")
    exact = formats.money_exact(amount, currency)
    return Kpi(label, formats.money_long(amount, currency), exact, note=note)


def difference(amount: Decimal | None, other: Decimal | None, what: str) -> str:
    if amount is None or other is None:
        return ""
    return (
        f"same as {what}" if amount == other else f"{formats.change_short(amount, other)} on {what}"
    )


def first_token(each: UsageRequest) -> str:
    return f"first token after {formats.duration(each.ttft_ms)}" if each.ttft_ms is not None else ""


def stages(each: UsageRequest) -> list[Stage]:
    """The parts of the request in the order they take place, then what no part accounts for."""
    order = {name: place for place, name in enumerate(STAGES)}
    parts = sorted(each.stages_ms.items(), key=lambda part: order.get(part[0], len(STAGES)))
    if not parts:
        return []
    known = sum(spent for _, spent in parts)
    whole = max(known, each.latency_ms or 0)
    if whole - known >= 1:
        parts.append(("not accounted for", whole - known))
    return [
        Stage(
            name.capitalize(),
            formats.duration(spent),
            formats.share_short(spent, whole),
            round(spent * 100 / whole, 2) if whole else 0,
        )
        for name, spent in parts
    ]


def facts(each: UsageRequest, query: CostQuery, now: datetime) -> list[Fact]:
    """Dimensions lead to the other requests of that day that share them."""
    today = local_day(now, query.zone)
    dimensions = [
        Fact(
            labels.dimension(name),
            value or UNATTRIBUTED,
            address("requests", query.with_filter(name, value or UNATTRIBUTED)),
        )
        for name in DIMENSIONS
        if (value := each.dimensions[name]) or name in OWNERS
    ]
    others = (
        ("Session", each.session),
        ("Prompt hash", each.prompt_hash),
        ("Quality", "" if each.quality is None else f"{each.quality:g}"),
        ("GPU time", "" if each.gpu_seconds is None else f"{each.gpu_seconds:f}{formats.SPACE}s"),
        ("Received", formats.moment(each.received_at, query.zone, today, seconds=True)),
        ("Door", each.format),
        ("Source", each.source),
        ("Id", each.id),
        ("Tokens", "an ambiguous convention was resolved" if each.is_normalised else ""),
    )
    tags = [Fact(f"Tag {name}", value) for name, value in sorted(each.tags.items())]
    return [*dimensions, *tags, *(Fact(name, value) for name, value in others if value)]
