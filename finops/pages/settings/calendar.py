"""The reporting zone and currency, and the month in which the fiscal year begins."""

from __future__ import annotations

import calendar
import os

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops.organisation.calendar import begin_fiscal_year, fiscal_first_month
from finops.pages.settings.desk import act, context

MONTHS = [(number, calendar.month_name[number]) for number in range(1, 13)]


class FiscalYearForm(forms.Form):
    month = forms.TypedChoiceField(
        choices=MONTHS,
        coerce=int,
        label="The fiscal year begins in",
        help_text="Its quarters begin then and every three months after.",
        error_messages={"invalid_choice": "Choose one of the twelve months."},
    )


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    month = fiscal_first_month()
    form = FiscalYearForm(
        request.POST if request.method == "POST" else None, initial={"month": month}
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["month"]
        if begin_fiscal_year(chosen, act(request, timezone.now())):
            messages.success(request, f"The fiscal year begins in {calendar.month_name[chosen]}.")
        else:
            messages.info(request, "Nothing was changed.")
        return redirect("settings-calendar")
    found = context(
        request,
        "settings-calendar",
        form=form,
        month=calendar.month_name[month],
        currency=settings.CURRENCY,
        zone_is_set=bool(os.environ.get("FARTHING_TIME_ZONE", "").strip()),
        currency_is_set=bool(os.environ.get("FARTHING_CURRENCY", "").strip()),
    )
    return render(request, "settings/calendar.html", found, status=400 if form.errors else 200)
