"""Accounts of the general ledger that journals need besides those of cost centers."""

from __future__ import annotations

from dataclasses import asdict

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops.exports import accounts
from finops.exports.accounts import LONGEST, General
from finops.models import CostCenter
from finops.pages.settings.desk import act, context

TAB = "settings-journal"
SHOWN = 20


class AccountsForm(forms.Form):
    clearing = forms.CharField(
        label="Clearing account",
        max_length=LONGEST,
        required=False,
        help_text="Credited with what cost centers are charged. Where a cost item has a GL account "
        "of its own, its part is credited there.",
    )
    unattributed = forms.CharField(
        label="Account of what is unattributed",
        max_length=LONGEST,
        required=False,
        help_text="Debited with what has no cost center.",
    )


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    held = accounts.general()
    form = AccountsForm(request.POST if request.method == "POST" else None, initial=asdict(held))
    if request.method == "POST" and form.is_valid():
        if accounts.keep(General(**form.cleaned_data), act(request, timezone.now())):
            messages.success(request, "Saved. Journals that were made already stay as they are.")
        else:
            messages.info(request, "Nothing was changed.")
        return redirect(TAB)
    without = CostCenter.objects.filter(gl_account="", is_active=True)
    found = context(
        request,
        TAB,
        form=form,
        held=held,
        without=list(without.values_list("code", flat=True)[:SHOWN]),
        more=max(without.count() - SHOWN, 0),
    )
    return render(request, "settings/journal.html", found, status=400 if form.errors else 200)
