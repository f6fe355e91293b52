"""Cost centers: the list, and the form that makes and changes them."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops.ownership import centers
from finops.ownership.centers import LONGEST, LONGEST_ACCOUNT, CenterEntry
from finops.pages.settings.desk import act, context

TAB = "settings-ownership"


class CenterForm(forms.Form):
    code = forms.CharField(max_length=LONGEST, help_text="As the general ledger knows it.")
    name = forms.CharField(max_length=LONGEST, required=False)
    gl_account = forms.CharField(label="GL account", max_length=LONGEST_ACCOUNT, required=False)
    owner_email = forms.CharField(label="Owner's e-mail", max_length=254, required=False)
    is_active = forms.BooleanField(label="In use", required=False, initial=True)


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    held = {each.code: each for each in centers.everything()}
    chosen = held.get(request.GET.get("code", ""))
    initial = dict(centers.described(chosen)) if chosen else {"is_active": True}
    form = CenterForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = centers.keep(CenterEntry(**form.cleaned_data), act(request, timezone.now()))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"The cost center {made.code} is saved.")
            return redirect("settings-cost-centers")
    found = context(
        request, TAB, view="centers", centers=list(held.values()), chosen=chosen, form=form
    )
    return render(request, "ownership/centers.html", found, status=400 if form.errors else 200)
