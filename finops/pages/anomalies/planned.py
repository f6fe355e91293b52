"""The calendar of planned events: what is excused, and the form that adds to it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from finops import access, formats
from finops.anomalies import planning, wording
from finops.anomalies.series import titled
from finops.models import PlannedEvent
from finops.organisation.stored import Act
from finops.pages.anomalies import frame
from finops.pages.requester import address_of, signed_in

SHOWN = 200
DIMENSIONS = ("team", "feature", "model", "user")
GONE = "There is no such event, or it is not of your teams."
NOT_YOURS = "Name one of your teams: other plans are for who sees the whole organisation."


class PlanForm(forms.Form):
    """Names of values, several with a semicolon between them; what is empty is any. One that has a
    semicolon itself stands in quotation marks."""

    name = forms.CharField(label="What is planned", max_length=planning.LONGEST_NAME)
    start = forms.CharField(
        label="Begins", max_length=40, help_text="A date like 2026-12-01, or 2026-12-01T08:00Z."
    )
    end = forms.CharField(
        label="Ends", max_length=40, help_text="The first moment that is no part of it."
    )
    team = forms.CharField(label="Team", required=False, max_length=2000)
    feature = forms.CharField(label="Feature", required=False, max_length=2000)
    model = forms.CharField(label="Model", required=False, max_length=2000)
    user = forms.CharField(
        label="User",
        required=False,
        max_length=2000,
        help_text="Several values are parted by a semicolon, one that has a semicolon itself is in "
        'quotation marks: "a;b"; empty is any.',
    )
    factor = forms.CharField(
        label="Times the usual",
        required=False,
        max_length=20,
        help_text="What is expected, such as 3; what goes beyond is an anomaly. Empty: anything "
        "may happen.",
    )


@dataclass(frozen=True, slots=True)
class Line:
    pk: int
    name: str
    span: str
    what: str
    factor: str
    state: str
    badge: str
    by: str
    may_change: bool


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    form = PlanForm(request.POST if request.method == "POST" else None, initial=request.GET.dict())
    if request.method == "POST" and (draft := draft_of(request, form)):
        made = planning.add(draft, act(request))
        messages.success(request, f"{made.name} is in the calendar.")
        return redirect("planned-events")
    now = timezone.now()
    standing = access.standing(request.user)
    events = list(planning.visible(standing).order_by("-end", "-pk")[:SHOWN])
    found = frame(request, "What is planned?", ("Planned events", ""))
    found |= {"lines": [line(request, each, now) for each in events], "form": form}
    return render(request, "anomalies/planned.html", found, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def event(request: HttpRequest, pk: int) -> HttpResponse:
    held = found_event(request, pk)
    others = {name: held.filters[name] for name in held.filters if name not in DIMENSIONS}
    if request.method == "POST":
        form = PlanForm(request.POST)
        if draft := draft_of(request, form, others):
            try:
                planning.change(held, draft, act(request))
            except PlannedEvent.DoesNotExist:
                raise Http404(GONE) from None
            messages.success(request, "Saved.")
            return redirect("planned-events")
    else:
        form = PlanForm(initial=initial_of(held))
    found = frame(
        request, held.name, ("Planned events", reverse("planned-events")), (held.name, "")
    )
    found |= {"form": form, "event": held, "others": told(others) if others else ""}
    return render(request, "anomalies/event.html", found, status=400 if form.errors else 200)


@never_cache
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    held = found_event(request, pk)
    with suppress(PlannedEvent.DoesNotExist):  # somebody was quicker
        planning.remove(held, act(request))
    messages.success(request, f"{held.name} is not in the calendar any more.")
    return redirect("planned-events")


def found_event(request: HttpRequest, pk: int) -> PlannedEvent:
    """One that the reader may change."""
    standing = access.standing(request.user)
    held = planning.visible(standing).filter(pk=pk).first()
    if held is None or not planning.may_keep(standing, held.filters):
        raise Http404(GONE)
    return held


def draft_of(
    request: HttpRequest, form: PlanForm, others: Mapping[str, list[str]] | None = None
) -> planning.Draft | None:
    """None where the form says what is wrong. `others` are filters that it has no field for."""
    if not form.is_valid():
        return None
    given: dict[str, Any] = dict(form.cleaned_data)
    filters = {name: parted(given.pop(name)) for name in DIMENSIONS} | dict(others or {})
    given["filters"] = {name: values for name, values in filters.items() if values}
    try:
        draft = planning.read(given, settings.REPORTING_ZONE)
    except ValidationError as error:
        for field, wrong in error.message_dict.items():
            form.add_error(field if field in form.fields else None, wrong)
        return None
    if not planning.may_keep(access.standing(request.user), draft.filters):
        form.add_error("team", NOT_YOURS)
        return None
    return draft


def initial_of(held: PlannedEvent) -> dict[str, str]:
    zone = settings.REPORTING_ZONE
    return {
        "name": held.name,
        "start": held.start.astimezone(zone).isoformat(timespec="minutes"),
        "end": held.end.astimezone(zone).isoformat(timespec="minutes"),
        "factor": "" if held.factor is None else f"{held.factor.normalize():f}",
        **{name: joined(held.filters.get(name, ())) for name in DIMENSIONS},
    }


def parted(text: str) -> list[str]:
    """The values of a field."""
    [*rows] = csv.reader(StringIO(text), delimiter=";", skipinitialspace=True)
    return [value.strip() for row in rows for value in row if value.strip()]


def joined(values: Sequence[str]) -> str:
    """The same as a person may write it."""
    text = StringIO()
    csv.writer(text, delimiter=";", lineterminator="").writerow(values)
    return text.getvalue()


def told(filters: Mapping[str, Sequence[str]]) -> str:
    return titled({name: " or ".join(values) for name, values in filters.items()})


def line(request: HttpRequest, held: PlannedEvent, now: datetime) -> Line:
    state = "over" if held.end <= now else "to come" if held.start > now else "now"
    return Line(
        pk=held.pk,
        name=held.name,
        span=f"{wording.moment(held.start, now)} – {wording.moment(held.end, now)}",
        what=told(held.filters),
        factor=formats.ratio_short(held.factor) if held.factor else "anything",
        state=state,
        badge="warn" if state == "now" else "",
        by=held.created_by,
        may_change=planning.may_keep(access.standing(request.user), held.filters)
        and access.allows("planned-event", "POST", request.user),
    )


def act(request: HttpRequest) -> Act:
    return Act(signed_in(request), timezone.now(), address_of(request))
