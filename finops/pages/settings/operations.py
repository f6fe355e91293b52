"""Operations on a page: what runs, how far it is, what ran before; paused, resumed, cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from finops import formats, operations
from finops.models import Operation
from finops.operations import wording
from finops.pages.requester import address_of, signed_in
from finops.pages.settings.desk import context
from finops.periods import local_day

TAB = "settings-operations"
State = Operation.State
VERBS = {
    "pause": (operations.pause, "Paused; a day that is under way is finished first."),
    "resume": (operations.resume, "It goes on within seconds."),
    "cancel": (operations.cancel, "Cancelled. What was done stays done."),
}
BADGES = {State.RUNNING: "ok", State.PAUSED: "warn", State.FAILED: "crit"}


@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    return shown(request)


def shown(request: HttpRequest, asked: dict[str, Any] | None = None) -> HttpResponse:
    """The page; with the operation that somebody asked to cancel and has to confirm."""
    now = timezone.now()
    rows = [row(each, now) for each in operations.recent()]
    unfinished = [each for each in rows if not each["finished"]]
    found = context(
        request, TAB, unfinished=unfinished, ended=rows[len(unfinished) :], asked_to_cancel=asked
    )
    return render(request, "settings/operations.html", found)


@never_cache
@require_POST
def turn(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    operation = get_object_or_404(Operation, pk=pk)
    if verb not in VERBS:
        raise Http404("There is no such act.")
    if verb == "cancel" and not operation.finished_at and "confirmed" not in request.POST:
        said = wording.left_in_the_middle(operation)
        return shown(request, {"pk": operation.pk, "name": str(operation), "left": said})
    act, said = VERBS[verb]
    try:
        act(operation, by=signed_in(request), now=timezone.now(), address=address_of(request))
    except operations.NotPossible as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{operation}. {said}")
    return redirect(TAB)


def row(operation: Operation, now: datetime) -> dict[str, Any]:
    is_silent = wording.is_silent(operation, now)
    return {
        "pk": operation.pk,
        "kind": operation.get_kind_display(),
        "what": operation.what,
        "by": operation.requested_by,
        "asked": moment(operation.created_at, now),
        "finished": moment(operation.finished_at, now) if operation.finished_at else "",
        "state": "interrupted" if is_silent else operation.get_state_display(),
        "badge": "warn" if is_silent else BADGES.get(State(operation.state), ""),
        "percent": round(operation.share * 100),
        "progress": wording.progress(operation),
        "events": formats.count_long(operation.events),
        "message": operation.message
        or ("Its command is gone; the same command goes on from here." if is_silent else ""),
        "verbs": verbs(operation),
    }


def verbs(operation: Operation) -> list[tuple[str, str]]:
    """What may be done to it: (verb, label)."""
    if operation.finished_at or operation.kind == Operation.Kind.REFOLD:
        return []
    is_paused = operation.state == State.PAUSED
    return [("resume", "Resume") if is_paused else ("pause", "Pause"), ("cancel", "Cancel")]


def moment(at: datetime, now: datetime) -> str:
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(now, zone))
