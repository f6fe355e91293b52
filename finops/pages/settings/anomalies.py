"""From when on people are told of anomalies. What is detected does not depend on it."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops.anomalies import severities
from finops.anomalies.severities import Thresholds
from finops.pages.settings.desk import act, context

TAB = "settings-anomalies"
NUMBER = {"invalid": "Write a number.", "required": "Write a number."}


def number(label: str, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        max_digits=15,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal"}),
        error_messages=NUMBER,
    )


class ThresholdsForm(forms.Form):
    is_on = forms.BooleanField(label="Tell people of anomalies", required=False)
    watches_users = forms.BooleanField(
        label="Tell people of users who have run away, call like a bot, or are new and cost much",
        help_text="From the least money below in a day on, of new ones since their first day; a "
        "bot or a new user once, a loop once a day.",
        required=False,
    )
    least_money = number(
        "Least money at stake",
        "What it has cost, or costs in a day if it goes on, times how surprising it is: half to "
        "twice.",
    )
    least_percent = number("Least difference, percent", "From what was expected.")
    critical_money = number("Critical from", "Money at stake, counted the same way.")
    new_user_percent = number(
        "New users from, percent",
        "Of what all usage has cost since their first day, in the last 7 days.",
    )

    def clean(self) -> None:
        if not self.errors:
            for field, problem in severities.problems(self.wanted()).items():
                self.add_error(field, problem)

    def wanted(self) -> Thresholds:
        return Thresholds(**self.cleaned_data)


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    held = severities.in_force()
    initial = severities.described(held)
    form = ThresholdsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if severities.change(form.wanted(), act(request, timezone.now())):
            messages.success(request, "Saved. It holds for what is judged from now on.")
        else:
            messages.info(request, "Nothing was changed.")
        return redirect(TAB)
    found = context(request, TAB, form=form, held=held, currency=settings.CURRENCY)
    return render(request, "settings/anomalies.html", found, status=400 if form.errors else 200)
