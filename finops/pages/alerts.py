"""The log of alerts: what was raised, who was told, how that went, and what people did about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from finops import access, alerts, formats
from finops.alerts import answering, log, routing
from finops.alerts.answering import NotPossible
from finops.alerts.log import LogQuery
from finops.alerts.quiet import GIVE_UP_AFTER
from finops.channels import keeping, wording
from finops.channels.messages import Told
from finops.models import Alert, Delivery, DeliveryAttempt, Recipient
from finops.pages.refusals import moment
from finops.pages.requester import address_of, signed_in
from finops.periods import InvalidQuery

State = Delivery.State
Why = Recipient.Why
SEVERITY_BADGES = {"critical": "crit", "warning": "warn"}
BADGES = {State.SENT: "ok", State.FAILED: "crit", State.WAITING: "warn", State.SENDING: "warn"}
SNOOZES = (("1", "1 hour"), ("4", "4 hours"), ("24", "1 day"), ("168", "1 week"))
STATES = (
    ("open", "Not acknowledged"),
    ("acknowledged", "Acknowledged"),
    ("undelivered", "Not delivered yet, or failed"),
)
# A few days are no wider than those of a chart of so many.
LEAST_SLOTS = 24


@never_cache
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    now, given = timezone.now(), request.GET.dict()
    query, page, status = LogQuery(), None, 200
    found: dict[str, Any] = {"section": "alerts", "zone": settings.REPORTING_ZONE.key}
    try:
        query = LogQuery.from_params(given)
        page = log.page(query, access.standing(request.user), given.get("cursor", ""))
    except InvalidQuery as error:
        found |= {"error": error, "way_on": reverse("alerts")}
        status = 400
    params = query.to_params()
    if page:
        counted, written = log.counts(page.alerts), log.written(page.alerts)
        found["rows"] = [row(each, counted[each.pk], now, written[each.pk]) for each in page.alerts]
        if page.next_cursor:
            found["next_href"] = address(params | {"cursor": page.next_cursor})
    found |= {
        "query": query,
        "is_filtered": bool(params),
        "first_href": address(params) if given.get("cursor") else "",
        "severities": Alert.Severity.choices,
        "kinds": Alert.Kind.choices,
        "states": STATES,
        "may_manage": access.allows("channels", "GET", request.user),
    }
    return render(request, "alerts/page.html", found, status=status)


@never_cache
@require_GET
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = found_alert(request, pk), timezone.now()
    told = Told(
        number=held.pk, kind=held.kind, severity=held.severity, title=held.title,
        facts=held.facts, team=held.team, thread=held.thread, raised_at=held.raised_at,
    )  # fmt: skip
    may_manage = access.allows("channels", "GET", request.user)
    rows = [delivery(each, now, may_manage) for each in log.deliveries(held)]
    snoozed = answering.snoozed(held, now)
    path, bars = held.facts.get("url"), wording.bars(held.facts)
    found = {
        "section": "alerts",
        "alert": held,
        "row": row(held, Counter(), now),
        "lines": wording.lines(told, settings.REPORTING_ZONE, now),
        "groups": wording.groups(held.facts),
        "bars": drawn(bars),
        "chart_width": max(len(bars), LEAST_SLOTS) * 10,
        "caption": wording.caption(bars),
        "deliveries": rows,
        "unmailed": routing.unmailed_owner(held),
        "is_moving": any(each["is_open"] for each in rows),
        "about": path if isinstance(path, str) and path.startswith("/") else "",
        "snoozed": snoozed,
        "snoozed_until": moment(snoozed.until, now) if snoozed else "",
        "snoozes": SNOOZES,
        "longest_reason": answering.LONGEST_REASON,
        "may_answer": held.kind not in answering.UNANSWERED
        and access.allows("alert-acknowledge", "POST", request.user),
        "others": others(request, held, now),
    }
    return render(request, "alerts/alert.html", found)


@never_cache
@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = found_alert(request, pk), timezone.now()
    user, at, reason = signed_in(request), address_of(request), request.POST.get("reason", "")
    try:
        is_first = alerts.acknowledge(held, by=user, now=now, reason=reason, address=at)
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect("alert", pk)
    if is_first:
        messages.success(request, "Acknowledged: it is not sent again, and who was told hears so.")
    else:
        messages.info(request, "Somebody has acknowledged it already.")
    return redirect("alert", pk)


@never_cache
@require_POST
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """`hours` from now; 0 ends it."""
    held, now = found_alert(request, pk), timezone.now()
    user, at = signed_in(request), address_of(request)
    text = request.POST.get("hours", "")
    hours = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1
    if hours == 0:
        alerts.wake(held, by=user, now=now, address=at)
        messages.success(request, "It is not snoozed any more; what has waited is sent now.")
        return redirect("alert", pk)
    try:
        made = alerts.snooze(
            held, now + timedelta(hours=hours), by=user, now=now, address=at,
            reason=request.POST.get("reason", ""),
        )  # fmt: skip
    except NotPossible as error:
        messages.error(request, str(error))
    else:
        said = moment(made.until, now)
        what = "Nothing but what is critical" if made.spares_critical else "Nothing"
        messages.success(request, f"{what} of this conversation is sent before {said}.")
    return redirect("alert", pk)


def found_alert(request: HttpRequest, pk: int) -> Alert:
    seen = log.visible(access.standing(request.user)).select_related("budget")
    held = seen.filter(pk=pk).first()
    if held is None:
        raise Http404("There is no such alert, or it is of a team that is not yours.")
    return held


def address(params: dict[str, str]) -> str:
    return f"{reverse('alerts')}?{urlencode(params)}" if params else reverse("alerts")


def row(held: Alert, counted: Counter[str], now: datetime, written: int = 0) -> dict[str, Any]:
    waiting = counted[State.WAITING] + counted[State.SENDING]
    parts = [
        (counted[State.SENT] - written, "sent", "ok"),
        (written, "written to a file", "warn"),
        (waiting, "waiting", "warn"),
        (counted[State.FAILED], "failed", "crit"),
        (counted[State.CANCELLED], "not sent", ""),
    ]
    return {
        "pk": held.pk,
        "title": held.title,
        "kind": held.get_kind_display(),
        "severity": held.get_severity_display(),
        "badge": SEVERITY_BADGES.get(held.severity, ""),
        "team": held.team,
        "raised": moment(held.raised_at, now),
        "acknowledged": f"{held.acknowledged_by}, {moment(held.acknowledged_at, now)}"
        if held.acknowledged_at
        else "",
        "deliveries": [(f"{number} {word}", badge) for number, word, badge in parts if number],
    }


def delivery(held: Delivery, now: datetime, may_manage: bool) -> dict[str, Any]:
    """People's addresses, and what receivers answer, are for those who manage channels."""
    of = held.leader or held
    when = moment(held.due_at, now) if held.due_at > now else ""
    is_open = held.state in (State.WAITING, State.SENDING)
    stopped = stopped_of(held, now) if is_open else ""
    is_written = held.state == State.SENT and bool(held.detail)
    return {
        "channel": held.recipient.channel.name,
        "kind": held.recipient.channel.get_kind_display(),
        "address": held.recipient.address if may_manage else "",
        "state": "written to a file" if is_written else held.get_state_display(),
        "badge": "warn" if is_written else BADGES.get(State(held.state), ""),
        "detail": "" if is_written else stopped or log.detail_of(held, with_answers=may_manage),
        "due": when if held.state == State.WAITING else "",
        "sent": moment(held.sent_at, now) if held.sent_at else "",
        "turn": held.turn,
        "in_digest": of.message_id.startswith("digest-"),
        "message_id": of.message_id,
        "is_open": is_open and not when and not stopped,
        "attempts": [attempt(each, now, may_manage) for each in of.attempts.all()],
    }


def stopped_of(held: Delivery, now: datetime) -> str:
    """Why what is open does not go out, and how long it waits."""
    recipient = held.recipient
    channel = recipient.channel
    why = f"the channel is {keeping.word_of(channel)}" if channel.disabled_at else ""
    if recipient.stopped_at:
        why = f"its address was {recipient.get_stopped_why_display()}"
    if not why or recipient.stopped_why in (Why.UNSUBSCRIBED, Why.REMOVED):
        return why
    return f"{why}; given up {moment(held.due_at + GIVE_UP_AFTER, now)} unless it is enabled"


def attempt(held: DeliveryAttempt, now: datetime, may_manage: bool) -> str:
    began = formats.moment(held.began_at, settings.REPORTING_ZONE, now.date(), seconds=True)
    is_fresh = held.ended_at is None and now - held.began_at < timedelta(minutes=3)
    outcome = "under way" if is_fresh else held.get_outcome_display()
    status = f" ({held.status})" if held.status else ""
    if held.outcome == DeliveryAttempt.Outcome.SENT and held.detail:
        return f"{began}: {held.detail}"
    said = f". {held.detail}" if may_manage and held.detail else ""
    return f"{began}: {outcome}{status}{said}"


def drawn(bars: Sequence[wording.Bar]) -> list[dict[str, Any]]:
    """Days as bars of an SVG in which each has 10 of the width, and that is 100 high."""
    return [
        {"x": number * 10 + 1, "y": round(100 - bar.share * 100, 1),
         "height": max(round(bar.share * 100, 1), 1), "day": bar.day, "amount": bar.amount}
        for number, bar in enumerate(bars)
    ]  # fmt: skip


def others(request: HttpRequest, held: Alert, now: datetime) -> list[dict[str, Any]]:
    """The rest of its conversation."""
    seen = log.visible(access.standing(request.user)).filter(thread=held.thread)
    found = seen.exclude(pk=held.pk).order_by("-pk")[:20]
    return [row(each, Counter(), now) for each in found]
