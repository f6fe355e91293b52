"""Scheduled exports on the Settings desk: what goes where and when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from finops import formats
from finops.mail import has_server
from finops.models import ExportRun, ExportSchedule
from finops.pages.refusals import moment
from finops.pages.settings.desk import act, context
from finops.pages.settings.export_forms import ExportForm
from finops.periods import add_months, local_day
from finops.scheduled_exports import keeping
from finops.scheduled_exports.running import where
from finops.scheduled_exports.terms import month_of

TAB = "settings-exports"
RUNS = 50
Destination, State = ExportSchedule.Destination, ExportRun.State
KINDS = (
    (Destination.EMAIL, "E-mail", "to people, with the file attached"),
    (Destination.BUCKET, "Bucket", "to Amazon S3, MinIO, R2, Ceph and others that speak S3"),
)
BADGES = {State.SENT: "ok", State.FAILED: "crit"}


@dataclass(frozen=True, slots=True)
class Row:
    schedule: ExportSchedule
    to: str
    when: str
    run: RunRow | None


@dataclass(frozen=True, slots=True)
class RunRow:
    run: ExportRun
    month: str
    due: str
    ended: str
    state: str
    badge: str
    size: str
    may_try: bool


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return redirect(TAB)
    now, held = timezone.now(), list(keeping.everything())
    wanted = [each.last_run for each in held if each.last_run]  # type: ignore[attr-defined]
    runs = {
        each.schedule_id: run_row(each, now) for each in ExportRun.objects.filter(pk__in=wanted)
    }
    rows = [Row(each, where(each), when(each), runs.get(each.pk)) for each in held]
    return render(
        request,
        "settings/exports.html",
        context(request, TAB, rows=rows, kinds=KINDS, notes=notes()),
    )


def notes() -> list[str]:
    if has_server():
        return []
    return ["No mail server is set: mails are written to files until EMAIL_URL names one."]


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    destination = request.GET.get("to", "")
    if destination not in Destination.values:
        raise Http404("There is no such destination.")
    form = ExportForm(destination, request.POST if request.method == "POST" else None)
    terms = form.terms() if request.method == "POST" else None
    if terms:
        try:
            made = keeping.add(terms, act(request, timezone.now()))
        except ValidationError as error:
            form.show(error)
        else:
            messages.success(request, f"{made} is kept. Send a month now to see that it arrives.")
            return redirect("settings-export", made.pk)
    label = Destination(destination).label
    found = context(request, TAB, form=form, title=f"New scheduled export: {label}")
    return render(request, "settings/export.html", found, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = find(pk), timezone.now()
    posted = request.POST if request.method == "POST" else None
    form = ExportForm(held.destination, posted, initial=keeping.terms_of(held))
    terms = form.terms() if posted is not None else None
    if terms:
        try:
            keeping.change(pk, terms, act(request, now))
        except ValidationError as error:
            form.show(error)
        except ExportSchedule.DoesNotExist:
            raise Http404 from None
        else:
            messages.success(request, f"{terms.name} is saved.")
            return redirect("settings-export", pk)
    present = local_day(now, settings.REPORTING_ZONE).replace(day=1)
    found = context(
        request,
        TAB,
        form=form,
        title=held.name,
        schedule=held,
        to=where(held),
        when=when(held),
        runs=[run_row(each, now) for each in held.runs.all()[:RUNS]],
        months=[add_months(present, -back) for back in (1, 0, 2, 3)],
        notes=notes() if held.destination == Destination.EMAIL else (),
    )
    return render(request, "settings/export.html", found, status=400 if form.errors else 200)


@never_cache
@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = find(pk), timezone.now()
    try:
        month = month_of(request.POST.get("month", ""), now, settings.REPORTING_ZONE)
        keeping.ask(pk, month, act(request, now))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except ExportSchedule.DoesNotExist:
        raise Http404 from None
    else:
        messages.success(request, f"{held}: {month:%B %Y} is on its way; see below.")
    return redirect("settings-export", pk)


@never_cache
@require_POST
def turn(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    held, doing = find(pk), act(request, timezone.now())
    try:
        if verb == "remove":
            keeping.remove(pk, doing)
            messages.success(request, f"{held} is removed, and its keys are forgotten.")
            return redirect(TAB)
        if verb in ("pause", "resume"):
            keeping.turn(pk, pause=verb == "pause", act=doing)
        elif verb == "again":
            run = request.POST.get("run", "")
            keeping.again(pk, int(run) if run.isdecimal() and len(run) < 10 else 0, doing)
        else:
            raise Http404("There is no such act.")
    except (ExportSchedule.DoesNotExist, ExportRun.DoesNotExist):
        raise Http404 from None
    return redirect("settings-export", pk)


def find(pk: int) -> ExportSchedule:
    try:
        return keeping.get(pk)
    except ExportSchedule.DoesNotExist:
        raise Http404("There is no such scheduled export.") from None


def when(held: ExportSchedule) -> str:
    if held.paused_at:
        return "paused"
    if held.occasion == ExportSchedule.Occasion.CLOSE:
        return "when a month is closed"
    if held.occasion == ExportSchedule.Occasion.MONTHLY:
        return f"on day {held.day} of the month at {held.hour}:00, of the month before"
    return f"every day at {held.hour}:00, of the month so far"


def run_row(run: ExportRun, now: datetime) -> RunRow:
    state = run.get_state_display()
    if run.state == State.WAITING and run.attempts:
        state = f"tried again {moment(run.next_at, now)}"
    is_troubled = run.state == State.WAITING and run.attempts
    standing = f", version {run.version}" if run.version else ""
    return RunRow(
        run=run,
        month=f"{run.month:%B %Y}{standing}",
        due=moment(run.due_at, now),
        ended=moment(run.ended_at, now),
        state=state,
        badge=BADGES.get(State(run.state), "warn" if is_troubled else ""),
        size=f"{run.size:,} bytes" if run.size is not None else formats.MISSING,
        may_try=run.state == State.FAILED or bool(is_troubled),
    )
