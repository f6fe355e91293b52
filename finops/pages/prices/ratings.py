"""Rating again: every run on record, and the form that begins one with its preview."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from finops import formats, price_entries, rating_jobs
from finops.models import RatingRun
from finops.pages.prices import frame
from finops.pages.prices.forms import RatingForm
from finops.pages.prices.lines import moment
from finops.periods import InvalidQuery, absolute_period, parse_instant

SHOWN = 100


@require_http_methods(["GET", "POST"])
def ratings(request: HttpRequest) -> HttpResponse:
    now, zone = timezone.now(), settings.REPORTING_ZONE
    form = RatingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            period = absolute_period(asked["start"], asked["end"], now=now, zone=zone)
        except InvalidQuery as problem:
            form.add_error(problem.field, f"{problem.message}.")
            _tell_of_end(form, asked["end"], zone)
        else:
            preview = price_entries.ask_preview(
                period, by=request.user, now=now, only_unpriced=asked["only_unpriced"]
            )
            return redirect("prices-preview", preview.pk)
    shows_all = request.GET.get("show") == "all"
    found = RatingRun.objects.order_by("-pk")
    empty = 0 if shows_all else found.filter(rating_jobs.CHANGED_NOTHING).count()
    runs = list((found if shows_all else found.exclude(rating_jobs.CHANGED_NOTHING))[:SHOWN])
    context = frame(request, "ratings", "What was rated again?")
    context |= {
        "form": form,
        "runs": [_row(each, now) for each in runs],
        "empty": formats.count_long(empty) if empty else "",
        "shows_all": shows_all,
        "is_under_way": any(each.is_queued and each.finished_at is None for each in runs),
    }
    return render(request, "prices/ratings.html", context, status=400 if form.errors else 200)


def _tell_of_end(form: RatingForm, end: str, zone: ZoneInfo) -> None:
    """Where the first day is wrong, the last has not been looked at."""
    if not end or "end" in form.errors:
        return
    try:
        parse_instant("end", end, zone)
    except InvalidQuery as problem:
        form.add_error("end", f"{problem.message}.")


def _row(run: RatingRun, now: datetime) -> dict[str, Any]:
    difference = run.cost_after - run.cost_before
    return {
        "pk": run.pk,
        "asked": moment(run.created_at, now),
        "by": run.requested_by,
        "reason": run.reason,
        "since": moment(run.start, now),
        "until": moment(run.end, now),
        "examined": formats.count_long(run.events_examined),
        "changed": formats.count_long(run.events_changed),
        "before": formats.money_long(run.cost_before, ""),
        "after": formats.money_long(run.cost_after, ""),
        "difference": formats.money_long(difference, ""),
        "unpriced": f"{formats.count_long(run.unpriced_before)} → "
        f"{formats.count_long(run.unpriced_after)}",
        "error": run.error,
        "state": _state(run, now),
        "is_finished": run.finished_at is not None,
    }


def _state(run: RatingRun, now: datetime) -> str:
    if run.error:
        return "stopped"
    if run.finished_at is not None:
        return f"done {moment(run.finished_at, now)}"
    if run.done_to is not None:
        return f"done up to {moment(run.done_to, now)}"
    return "waiting" if run.is_queued else "interrupted"
