"""Privacy: erasing one user's history is asked, shown, confirmed by typing the name, and proven."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from finops import erasures, formats, name_hashing
from finops.erasures.certificates import NOT_REACHED
from finops.models import Erasure
from finops.pages.requester import address_of, signed_in
from finops.pages.settings.desk import context
from finops.periods import local_day
from finops.query import is_text

SHOWN = 50
SUMS = {
    "requests": "Requests",
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "effective_cost": f"Effective cost, {settings.CURRENCY}",
    "list_cost": f"List cost, {settings.CURRENCY}",
}


class NameForm(forms.Form):
    name = forms.CharField(
        label="Name of the user",
        help_text="Exactly as services send it.",
        strip=False,
        error_messages={"required": "Write the user's name as services send it."},
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not is_text(name):
            raise forms.ValidationError("No user's name is as long as this.")
        return name


class ConfirmForm(NameForm):
    """`typed` is the same name once more."""

    name = forms.CharField(widget=forms.HiddenInput, strip=False)
    typed = forms.CharField(
        label="Type the name again",
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Type the name, exactly as above."},
    )
    is_everywhere = forms.BooleanField(
        required=False,
        label="Also replace the name where other records mention it as a word",
        help_text="In other users' events, the audit log, features, notes and so on. Leave it off "
        "where the name is an everyday word, such as search or 1: it would be replaced wherever "
        "it stands. With it off the certificate lists what remains.",
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("typed") and given["typed"] != given.get("name"):
            self.add_error("typed", "This is not the name above. Type it exactly.")
        return given


@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    return shown(request, NameForm())


@never_cache
@require_POST
def erase(request: HttpRequest) -> HttpResponse:
    """First shows what is stored of the user; with the name typed again it erases."""
    is_confirmed = "typed" in request.POST
    form = ConfirmForm(request.POST) if is_confirmed else NameForm(request.POST)
    name = request.POST.get("name", "")
    try:
        if form.is_valid() and is_confirmed:
            return begun(request, form.cleaned_data)
        if "name" in form.errors or not name:
            return shown(request, NameForm(request.POST))
        found = erasures.find(name)
    except erasures.UnknownUser:
        again = NameForm(request.POST)
        again.add_error("name", "No user of exactly this name has sent anything. Check the case.")
        return shown(request, again)
    if not is_confirmed:
        form = ConfirmForm(initial={"name": name, "is_everywhere": not found.also})
    more = {"form": form, "name": name, "found": found, "days": days_of(found)}
    return render(
        request,
        "settings/privacy_erase.html",
        context(request, "settings-privacy", **more),
        status=400 if form.errors else 200,
    )


def begun(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    """Raises UnknownUser."""
    erasure = erasures.begin(
        given["name"],
        signed_in(request),
        timezone.now(),
        is_everywhere=given["is_everywhere"],
        address=address_of(request),
    )
    return redirect("settings-erasure", pk=erasure.pk)


@never_cache
@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    erasure = get_object_or_404(Erasure, pk=pk)
    sums = [
        (label, erasure.sums_before[kind][name], erasure.sums_after.get(kind, {}).get(name, "–"))
        for kind in ("events", "rollups")
        for name, label in SUMS.items()
        if erasure.sums_before
    ]
    more = {
        "erasure": erasure,
        "asked": moment(erasure.asked_at),
        "finished": moment(erasure.finished_at) if erasure.finished_at else "",
        "events": sums[: len(SUMS)],
        "rollups": sums[len(SUMS) :],
        "are_equal": erasure.sums_before == erasure.sums_after,
        "days": sum(step[0].isdigit() for step in erasure.steps),
        "days_done": sum(step[0].isdigit() for step in erasure.steps[: erasure.done]),
        "not_reached": NOT_REACHED,
    }
    return render(
        request,
        "settings/privacy_erasure.html",
        context(request, "settings-privacy", **more),
    )


@never_cache
@require_GET
def as_json(request: HttpRequest, pk: int) -> JsonResponse:
    erasure = get_object_or_404(Erasure, pk=pk)
    if not erasure.finished_at:
        raise Http404("It has not finished yet.")
    return JsonResponse({**erasures.certificate(erasure), "sha256": erasure.digest})


def shown(request: HttpRequest, form: NameForm) -> HttpResponse:
    done = [(each, moment(each.asked_at)) for each in Erasure.objects.all()[:SHOWN]]
    more = {
        "form": form,
        "done": done,
        "not_reached": NOT_REACHED,
        "hashing": name_hashing.current(),
    }
    return render(
        request,
        "settings/privacy.html",
        context(request, "settings-privacy", **more),
        status=400 if form.errors else 200,
    )


def days_of(found: erasures.Found) -> str:
    if not (found.first and found.last):
        return ""
    today = local_day(timezone.now(), settings.REPORTING_ZONE)
    return formats.day_range(found.first, found.last, today)


def moment(at: datetime) -> str:
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(timezone.now(), zone))
