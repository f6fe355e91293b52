"""Ingest: what comes in, what was refused and why, what overflowed, and how to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from finops import access, attribution_limits, formats, health, intake, intake_chart
from finops.costs import QueryTooSlow
from finops.intake import Intake, Scope, Sender, Settlements, Window
from finops.models import IngestKey, Team
from finops.pages import saturation
from finops.pages.kpis import Kpi
from finops.pages.refusals import EXAMPLES, moment, reasons
from finops.pages.snippets import snippets
from finops.pages.states import FreshnessLine

PERIODS = (("3h", "3 hours"), ("24h", "24 hours"), ("7d", "7 days"))
VIEWS = (("key", "Key"), ("service", "Service"), ("client", "Client"))
SENDERS = 50


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One key, service or client in the table."""

    name: str
    of: str
    cells: tuple[str, ...]
    last: str


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    teams = access.standing(request.user).teams
    period, view = request.GET.get("period", "24h"), request.GET.get("by", "key")
    wrong = ""
    if period not in dict(PERIODS):
        wrong, period = f"period: write {', '.join(dict(PERIODS))}.", "24h"
    if view not in dict(VIEWS):
        wrong, view = f"by: write {', '.join(dict(VIEWS))}.", "key"
    keys = keys_of(teams)
    chosen = chosen_key(request.GET.get("key", ""), keys)
    within = intake.window(period, now)
    context: dict[str, Any] = {"section": "ingest", "heading": "Is everything coming in?"}
    context |= controls(period, view, chosen, keys) | sending(request, chosen, keys, teams)
    context["wrong"] = wrong
    status = 400 if wrong else 200
    try:
        found = intake.read(Scope(teams, chosen.pk if chosen else None), within)
        pipeline = health.read_pipeline(teams)
        context |= figures(found, pipeline, within, view, now)
        context["saturation"] = saturation.panel(teams, pipeline, now)
        context["limits"] = attribution_limits.fullness(teams)
        context["sees_all"] = teams is None
    except QueryTooSlow as error:
        context |= {"error": {"message": str(error)}, "way_on": ""}
        status = 503
    return render(request, "ingest/page.html", context, status=status)


def keys_of(teams: frozenset[str] | None) -> list[IngestKey]:
    """The keys in use that the reader sees, by service."""
    found = IngestKey.objects.filter(revoked_at=None)
    if teams is not None:
        found = found.filter(team__in=teams)
    return list(found.order_by("service", "id"))


def chosen_key(text: str, keys: list[IngestKey]) -> IngestKey | None:
    """By its prefix, so that an address says which; 404 for one that the reader does not see."""
    if not text:
        return None
    for key in keys:
        if key.prefix == text:
            return key
    raise Http404


def controls(
    period: str, view: str, chosen: IngestKey | None, keys: list[IngestKey]
) -> dict[str, Any]:
    held = {"period": period, "by": view, "key": chosen.prefix if chosen else ""}

    def choices(name: str, options: tuple[tuple[str, str], ...]) -> list[Choice]:
        return [
            Choice(label, address({**held, name: value}), held[name] == value)
            for value, label in options
        ]

    return {
        "periods": choices("period", PERIODS),
        "views": choices("by", VIEWS),
        "period": period,
        "period_text": f"the last {dict(PERIODS)[period]}",
        "view": view,
        "view_label": dict(VIEWS)[view],
        "keys": keys,
        "chosen": chosen,
    }


def address(params: dict[str, str]) -> str:
    return f"{reverse('ingest')}?{urlencode({k: v for k, v in params.items() if v})}"


def sending(
    request: HttpRequest,
    chosen: IngestKey | None,
    keys: list[IngestKey],
    teams: frozenset[str] | None,
) -> dict[str, Any]:
    """What the part about sending shows: snippets, and whose test event may be sent."""
    names = Team.objects.order_by("name").values_list("name", flat=True)
    return {
        "snippets": snippets(request.build_absolute_uri("/").rstrip("/")),
        "may_test": access.allows("ingest-test", "POST", request.user),
        "test_teams": sorted(teams) if teams is not None else list(names),
        "test_without_team": teams is None,
        "has_keys": bool(keys),
        "service": chosen.service if chosen else "",
    }


def figures(
    found: Intake, pipeline: health.Pipeline, within: Window, view: str, now: datetime
) -> dict[str, Any]:
    examples = intake.examples(found.refused, EXAMPLES)
    return {
        "freshness": freshness(pipeline, now),
        "kpis": kpis(found, pipeline, now),
        "chart": intake_chart.events_per_minute(found.steps, within, now, settings.REPORTING_ZONE),
        "lines": lines(found, view, now),
        "reasons": reasons(found.refused, examples, now),
        "unknown_names": [
            (each.name, ", ".join(each.services), moment(each.last_at, now))
            for each in found.unknown_names
        ],
        "is_empty": found.last_at is None and not found.keys,
        "is_quiet": not found.keys,
        "last": moment(found.last_at, now),
    }


def freshness(pipeline: health.Pipeline, now: datetime) -> FreshnessLine:
    looked = pipeline.folded_at
    if looked is None or now - looked > health.WORKER_SILENT:
        since = f"since {moment(looked, now)}" if looked else "yet"
        return FreshnessLine(
            f"The worker has not folded events {since}: costs do not grow. Check that it runs.",
            is_alarm=True,
        )
    if pipeline.lag(now) > health.LAG_LIMIT:
        # Those that wait may all be of teams that are not the reader's.
        waiting = formats.count_long(pipeline.pending_events) if pipeline.pending_events else "some"
        return FreshnessLine(
            f"Roll-up stalled: {waiting} events are not in the costs. Check the worker's log.",
            is_alarm=True,
        )
    return FreshnessLine(f"As of {moment(now, now)}, of committed batches", is_alarm=False)


def kpis(found: Intake, pipeline: health.Pipeline, now: datetime) -> list[Kpi]:
    accepted = sum(step.accepted for step in found.steps)
    duplicates = sum(step.duplicates for step in found.steps)
    rejected = sum(step.rejected for step in found.steps)
    batches = sum(step.batches for step in found.steps)
    unknown = sum(key.unknown_fields for key in found.keys)
    seen = accepted + duplicates + rejected
    lag = pipeline.lag(now)
    late = lag > health.LAG_LIMIT
    return [
        count_kpi(
            "Accepted events",
            accepted,
            f"in {formats.count_long(batches)} batch{'es' if batches != 1 else ''}",
        ),
        count_kpi("Duplicates", duplicates, "counted once"),
        count_kpi(
            "Rejected",
            rejected,
            f"{formats.share_short(rejected, seen)} of all events" if seen else "",
            "warn" if rejected else "",
            "#rejected" if rejected else "",
        ),
        count_kpi("Unknown fields", unknown, "ignored", href="#unknown" if unknown else ""),
        Kpi(
            "Roll-up lag",
            formats.duration(lag.total_seconds() * 1000) if lag else "none",
            note=f"{formats.count_short(pipeline.pending_events)} events wait",
            tone="warn" if late else "",
        ),
        last_event_kpi(found.last_at, now),
        *settlements_kpi(found.settlements),
    ]


def settlements_kpi(found: Settlements) -> list[Kpi]:
    """None while nobody settles anything."""
    arrived = found.applied + found.waiting + found.given_up
    if not arrived:
        return []
    note = "all applied"
    if found.waiting or found.given_up:
        parts = ((found.waiting, "wait for their event"), (found.given_up, "given up"))
        note = ", ".join(f"{formats.count_short(count)} {what}" for count, what in parts if count)
    return [count_kpi("Settlements", arrived, note, "warn" if found.given_up else "")]


def count_kpi(label: str, count: int, note: str, tone: str = "", href: str = "") -> Kpi:
    short, exact = formats.count_short(count), formats.count_long(count)
    return Kpi(label, short, exact, note=note, tone=tone, href=href)


def last_event_kpi(at: datetime | None, now: datetime) -> Kpi:
    if at is None:
        return Kpi("Last event", formats.MISSING)
    passed = formats.duration((now - at).total_seconds() * 1000)
    return Kpi("Last event", passed, moment(at, now), note="ago")


def lines(found: Intake, view: str, now: datetime) -> list[Line]:
    senders = {"key": found.keys, "client": found.clients, "service": by_service(found.keys)}[view]
    return [
        Line(
            name=each.name,
            of=each.service + (f" · {each.team}" if each.team else "") if view == "key" else "",
            cells=tuple(
                formats.count_long(count)
                for count in (each.accepted, each.duplicates, each.rejected, each.batches)
            ),
            last=moment(each.last_at, now),
        )
        for each in senders[:SENDERS]
    ]


def by_service(keys: list[Sender]) -> list[Sender]:
    """Several keys may be of one service."""
    held: dict[str, list[Sender]] = {}
    for key in keys:
        held.setdefault(key.service, []).append(key)
    summed = [
        Sender(
            name=service,
            prefix="",
            service=service,
            team="",
            accepted=sum(each.accepted for each in of),
            duplicates=sum(each.duplicates for each in of),
            rejected=sum(each.rejected for each in of),
            unknown_fields=sum(each.unknown_fields for each in of),
            batches=sum(each.batches for each in of),
            last_at=max(each.last_at for each in of),
        )
        for service, of in held.items()
    ]
    return sorted(summed, key=lambda each: (-each.accepted, each.service))
