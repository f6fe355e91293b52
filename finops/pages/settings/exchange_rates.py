"""Exchange rates: what is known by day, and importing more."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import exchange_imports, exchange_rates
from finops.exchange import MOST_BYTES, MOST_DAYS, Fixing
from finops.models import ExchangeFixing, Price
from finops.pages.settings.desk import act, context

TAB = "settings-exchange-rates"
PAGE_SIZE = 31
# Beside the currencies of prices, so that the table says something before there are any.
ALWAYS = ("USD", "EUR")


class RatesForm(forms.Form):
    file = forms.FileField(
        label="File of rates",
        help_text="eurofxref.csv or eurofxref-hist.csv of the European Central Bank, zipped or "
        f"not, or a table of that shape; at most {MOST_BYTES // 2**20} MiB.",
        error_messages={"required": "Choose a file."},
    )
    source = forms.CharField(
        label="Whose rates they are", max_length=200, initial=exchange_imports.ECB
    )
    corrects = forms.BooleanField(
        label="It corrects rates that are known",
        required=False,
        help_text="Otherwise nothing that is known is changed. Requests that were rated with the "
        "former rates keep them until their days are rated again.",
    )


class Line(NamedTuple):
    """One day: what one unit of each currency is in the reporting currency."""

    day: str
    factors: list[str]
    source: str
    imported: str
    is_superseded: bool


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = RatesForm(request.POST, request.FILES) if request.method == "POST" else RatesForm()
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            content = form.cleaned_data["file"].read(MOST_BYTES + 1)
            done = exchange_imports.take(
                content,
                form.cleaned_data["source"],
                act(request, now),
                corrects=form.cleaned_data["corrects"],
            )
        except ValidationError as error:
            problems = error.messages
        else:
            messages.success(request, exchange_imports.in_words(done))
            return redirect(TAB)
    today = now.astimezone(UTC).date()
    reaches = exchange_rates.reaches(today)
    found: dict[str, Any] = {
        "form": form,
        "problems": problems,
        "missing": [each.currency for each in reaches if each.last is None],
        "ending": [each for each in reaches if each.is_ending],
        "today": today.isoformat(),
        "most_days": MOST_DAYS,
        "currency": settings.CURRENCY,
        **table(request),
    }
    status = 400 if problems or form.errors else 200
    return render(
        request, "settings/exchange_rates.html", context(request, TAB, **found), status=status
    )


def table(request: HttpRequest) -> dict[str, Any]:
    currencies = currencies_shown()
    shown = Paginator(ExchangeFixing.objects.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    return {
        "shown": shown,
        "currencies": currencies,
        "lines": [line(each, currencies) for each in shown],
    }


def currencies_shown() -> list[str]:
    """Those of prices, and the dollar and the euro, without the reporting currency."""
    used = Price.objects.filter(superseded_at=None).values_list("currency", flat=True).distinct()
    return sorted({*used.order_by(), *ALWAYS} - {settings.CURRENCY})


def line(held: ExchangeFixing, currencies: list[str]) -> Line:
    rates = {currency: Decimal(rate) for currency, rate in held.rates.items()}
    fixing = Fixing(held.pk, held.day, rates)
    return Line(
        day=f"{held.day:%a} {held.day.isoformat()}",
        factors=[
            f"{fixing.factor(each, settings.CURRENCY):f}"
            if fixing.knows((each, settings.CURRENCY))
            else "–"
            for each in currencies
        ],
        source=held.source,
        imported=f"{held.imported_at:%Y-%m-%d %H:%M} {held.imported_by}",
        is_superseded=held.superseded_at is not None,
    )
