"""Retention on a page: how long single events are kept, and what a shorter time would drop."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import formats
from finops.organisation import retention
from finops.organisation.retention import Expiring
from finops.pages.settings.desk import act, context
from finops.periods import local_day

TAB = "settings-retention"


class RetentionForm(forms.Form):
    """`confirm` is asked for where events would go."""

    days = forms.IntegerField(
        required=False,
        label="Keep single events for, days",
        widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={"invalid": "Write a whole number of days, or nothing."},
    )
    confirm = forms.CharField(required=False, label="Type what would happen")


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    now, longest = timezone.now(), settings.EVENT_RETENTION_DAYS
    form = RetentionForm(
        request.POST if request.method == "POST" else None, initial={"days": retention.decided()}
    )
    form.fields[
        "days"
    ].help_text = f"1 to {longest:,}. Empty: {longest:,}, as FARTHING_EVENT_RETENTION_DAYS has it."
    going = None
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        try:
            retention.check(days, longest)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            going = to_confirm(
                form, retention.expiring(days or longest, now, settings.REPORTING_ZONE)
            )
            if going is None:
                is_new = retention.keep(days, longest, act(request, now))
                messages.success(request, said(days, longest) if is_new else "Nothing was changed.")
                return redirect(TAB)
    found = context(request, TAB, form=form, longest=longest, going=shown(going, now))
    found["in_force"] = retention.in_force(longest)
    return render(request, "settings/retention.html", found, status=400 if form.errors else 200)


def to_confirm(form: RetentionForm, going: Expiring) -> Expiring | None:
    """What has to be confirmed first; None where nothing goes, or what goes was typed."""
    typed = form.cleaned_data["confirm"].strip()
    if not going.phrase or typed == going.phrase:
        return None
    if typed:
        form.add_error("confirm", f"This is not it. Type: {going.phrase}")
    return going


def shown(going: Expiring | None, now: datetime) -> dict[str, str] | None:
    if going is None or going.first_day is None:
        return None
    today = local_day(now, settings.REPORTING_ZONE)
    return {
        "phrase": going.phrase,
        "requests": formats.count_long(going.requests),
        "days": formats.count_long(going.days),
        "first": formats.day(going.first_day, today),
        "last": formats.day(going.cutoff - timedelta(days=1), today),
    }


def said(days: int | None, longest: int) -> str:
    kept = days or longest
    return f"Single events are kept for {kept:,} day{'s' if kept != 1 else ''}."
