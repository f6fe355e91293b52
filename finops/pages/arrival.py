"""A test event: sent on demand, and watched on its way into the figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from finops import access, costs, formats, intake, probes, startup
from finops.intake import Arrival
from finops.pages import wants_fragment
from finops.probes import Probe, ProbeFailed
from finops.query import CostQuery, Filter, is_text

# Folding takes a second or two; what takes so long does not come by waiting.
PATIENCE = timedelta(seconds=60)
SESSION = "visible test events"


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    is_done: bool
    text: str


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Send one event with the key that was pasted, else with one made for the chosen team."""
    now = timezone.now()
    try:
        probe = sent(request, now)
    except ProbeFailed as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('ingest')}#send")
    return redirect("ingest-arrival", event_key=probe.event_key, day=probe.day.isoformat())


def sent(request: HttpRequest, now: datetime) -> Probe:
    found = access.standing(request.user)
    url = startup.address()
    pasted = request.POST.get("key", "").strip()
    if pasted:
        return probes.send_with_given_key(url, pasted, standing=found, now=now)
    team = request.POST.get("team", "")
    if not (found.sees_team(team) and is_text(team)):
        raise ProbeFailed("Choose one of your teams, or paste a key.")
    address = request.META.get("REMOTE_ADDR", "")
    return probes.send_with_own_key(url, team[:200], by=request.user, now=now, address=address)


@require_GET
def show(request: HttpRequest, event_key: UUID, day: str) -> HttpResponse:
    """How far the event has come; htmx asks again until it has arrived."""
    now = timezone.now()
    on = parse_day(day)
    found = intake.arrival(event_key, on)
    if found is None or not access.standing(request.user).sees_team(found.team):
        raise Http404
    visible_at = seen_at(request, event_key, found, now)
    is_late = now - found.received_at > PATIENCE
    context = {
        "section": "ingest",
        "heading": "Did the test event arrive?",
        "stages": stages(found, visible_at),
        "is_done": visible_at is not None,
        "is_late": is_late and visible_at is None,
        "is_waiting": visible_at is None and not is_late,
        "is_priced": found.is_priced,
        "href": f"{reverse('request', args=[event_key.hex])}?{urlencode({'day': day})}",
        "costs_href": f"{reverse('explore')}?{urlencode({'feature': probes.NAME})}",
    }
    template = "ingest/_arrival.html" if wants_fragment(request) else "ingest/arrival.html"
    return render(request, template, context)


def parse_day(text: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Http404
    return day


def seen_at(
    request: HttpRequest, event_key: UUID, found: Arrival, now: datetime
) -> datetime | None:
    """When the page first saw it in the costs, which this session remembers."""
    held: dict[str, str] = request.session.get(SESSION, {})
    if known := held.get(event_key.hex):
        return datetime.fromisoformat(known)
    if found.folded_at is None or not is_in_costs(request, now):
        return None
    request.session[SESSION] = {event_key.hex: now.isoformat()}
    return now


def is_in_costs(request: HttpRequest, now: datetime) -> bool:
    """What /api/v1/costs answers for the feature of test events, asked in the same way."""
    query = CostQuery.from_params({"period": ["24h"]}, now=now, zone=settings.REPORTING_ZONE)
    query = query.replace(
        metrics=("requests",),
        group_by=(),
        granularity="total",
        filters=(Filter("feature", (probes.NAME,)),),
    )
    return bool(costs.run(access.narrow(query, request.user)).totals["requests"])


def stages(found: Arrival, visible_at: datetime | None) -> list[Stage]:
    return [
        stage("Accepted and committed to disk", found.received_at, found.committed_at),
        stage("Rolled up", found.received_at, found.folded_at),
        stage("Visible in /api/v1/costs", found.received_at, visible_at),
    ]


def stage(name: str, start: datetime, end: datetime | None) -> Stage:
    if end is None:
        return Stage(name, False, "waiting")
    after = max((end - start).total_seconds() * 1000, 0)
    return Stage(name, True, f"{formats.duration(after)} after it was received")
