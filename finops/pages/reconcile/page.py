"""Reconcile: bills come in, differences are told, true-ups go into the books."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import access
from finops.bills import imports, months, storing, true_ups
from finops.bills.imports import MOST_BYTES
from finops.bills.mappings import COLUMNS, TERMS, mapping_of
from finops.bills.months import Reconciliation
from finops.budgets.fields import number
from finops.costs import QueryTooSlow
from finops.models import BillImport
from finops.pages import states
from finops.pages.filters import Choice
from finops.pages.reconcile import advice, sentences, tables
from finops.pages.settings.desk import act
from finops.periods import MONTH, InvalidQuery, add_months, days
from finops.query import CostQuery
from finops.reconciliation import KNOWN
from finops.rollups import ZoneChanged

MONTHS = 24


class BillForm(forms.Form):
    file = forms.FileField(
        label="Bill or report",
        help_text=f"{KNOWN[0].upper()}{KNOWN[1:]}; at most {MOST_BYTES // 2**20} MiB.",
    )
    day = forms.DateField(
        label="Day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Only of a single result that names none.",
    )


class MappingForm(forms.Form):
    """What the columns of a table of one's own are."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for name in TERMS:
            label = name.removeprefix("column_").capitalize()
            if name in COLUMNS:
                label = f"Column of the {label.lower()}"
            self.fields[name] = forms.CharField(label=label, required=False, max_length=200)
        self.fields["provider"].label = "Or the provider of all lines"
        self.fields["currency"].label = "Or the currency of all lines"
        self.fields["column_kind"].help_text = (
            "Its cells are input, output, cache read, cache write or requests; needed where there "
            "is a quantity. Of an amount for all of them they are empty."
        )
        self.fields["unit"].help_text = "How many tokens one of the quantity is: 1, 1000 …"


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    may_change = access.allows("reconcile", "POST", request.user)
    chosen = month_of(request)
    is_file = request.method == "POST" and not {"accept", "withdraw"} & request.POST.keys()
    form = BillForm(request.POST, request.FILES) if is_file else BillForm()
    mapping = MappingForm(request.POST if is_file else None)
    context: dict[str, Any] = {"may_change": may_change, "form": form, "mapping": mapping}
    status = 200
    if request.method == "POST":
        try:
            if is_file:
                to = taken(request, form, now)
            elif "withdraw" in request.POST:
                to = withdrawn(request, chosen, now)
            else:
                to = accepted(request, chosen, now)
            if to is not None:
                return redirect(to)
            status = 400
        except ValidationError as error:
            context |= {"problems": error.messages[:100]}
            status = 400
        except (QueryTooSlow, ZoneChanged, InvalidQuery) as error:
            context |= {"problems": [str(error)]}
            status = 503
    context |= frame(chosen)
    try:
        by_account = request.GET.get("by") == "account"
        context |= figures(request, months.of_month(chosen, by_account=by_account), now)
    except InvalidQuery as error:
        context["error"], status = error, 400
    except (QueryTooSlow, ZoneChanged) as error:
        context["error"], status = {"message": str(error)}, 503
    return render(request, "reconcile/page.html", context, status=status)


def month_of(request: HttpRequest) -> date:
    """That of the address; without one, or with what is none, the last one that has a bill, where
    that is not long ago."""
    found = MONTH.fullmatch(request.POST.get("month") or request.GET.get("month", ""))
    if found and 2000 <= int(found[1]) < 2100:
        return date(int(found[1]), int(found[2]), 1)
    present = timezone.now().date().replace(day=1)
    last = (storing.last_day() or present).replace(day=1)
    return last if add_months(present, 1 - MONTHS) <= last <= present else present


def address(month: date) -> str:
    return f"{reverse('reconcile')}?{urlencode({'month': f'{month:%Y-%m}'})}"


def taken(request: HttpRequest, form: BillForm, now: datetime) -> str | None:
    """Where to go on; None where the form says what is wrong. Raises ValidationError."""
    if not form.is_valid():
        return None
    file = form.cleaned_data["file"]
    if file.size > MOST_BYTES:
        raise ValidationError(f"The file is larger than {MOST_BYTES // 2**20} MiB: part it.")
    mapping = mapping_of({name: request.POST.get(name, "") for name in TERMS})
    found = imports.take(
        file.read(),
        file.name[:200],
        act(request, now),
        mapping=mapping,
        day=form.cleaned_data["day"],
    )
    if not found.is_new:
        messages.info(request, f"{file.name} was imported before, and all of it still holds.")
    else:
        more = " The provider has further pages: import those too." if found.made.has_more else ""
        said = f"{file.name} is in, lines: {found.made.lines:,}."
        if found.replaced:
            said += f" It takes the place of {sentences.lines(found.replaced)} of earlier imports."
        if out := sentences.left_out(found.made):
            said += f" {out}."
        messages.success(request, said + more)
    last = storing.last_day(found.made)
    return address(last.replace(day=1)) if last else reverse("reconcile")


def withdrawn(request: HttpRequest, month: date, now: datetime) -> str:
    """Raises ValidationError."""
    number = request.POST.get("withdraw", "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise ValidationError("There is no such import.")
    try:
        made, restored = imports.withdraw(int(number), act(request, now))
    except BillImport.DoesNotExist:
        raise ValidationError("There is no such import.") from None
    more = f" {sentences.lines(restored)} of earlier imports hold again." if restored else ""
    messages.success(
        request, f"{made.file_name} is withdrawn.{more} True-ups that were accepted stay."
    )
    return address(month)


def accepted(request: HttpRequest, month: date, now: datetime) -> str:
    """Raises ValidationError, and what months.of_month does."""
    provider = request.POST.get("accept", "")
    amount = number(request.POST.get("amount"))
    if amount is None:
        raise ValidationError("Write what is left of the difference.")
    item = true_ups.accept(month, provider, amount, act(request, now))
    messages.success(
        request,
        f"{item.name} is a cost item of {item.effective_from:%B %Y} now: see Settings, Cost items.",
    )
    return address(month)


def frame(chosen: date) -> dict[str, Any]:
    present = timezone.now().date().replace(day=1)
    offered = sorted({add_months(present, -n) for n in range(MONTHS)} | {chosen}, reverse=True)
    return {
        "section": "reconcile",
        "heading": f"Is what was billed in {chosen:%B %Y} what was used?",
        "month": chosen,
        "month_name": f"{chosen:%B %Y}",
        "months": [Choice(f"{m:%B %Y}", f"{m:%Y-%m}", m == chosen) for m in offered],
        "imports": [
            (made, holding, sentences.left_out(made)) for made, holding in imports.everything(20)
        ],
        "currency": settings.CURRENCY,
    }


def figures(request: HttpRequest, found: Reconciliation, now: datetime) -> dict[str, Any]:
    zone = settings.REPORTING_ZONE
    period = days(found.month, add_months(found.month, 1), zone)
    query = CostQuery(period, "total", (), (), ("requests",), None, False, zone)
    held: dict[str, Any] = {
        "found": found,
        "freshness": states.freshness_line(found.freshness, query, now),
        "apart": list(sentences.apart(found)),
        "exchanged": list(sentences.exchanged(found)),
        "by_account": found.by_account,
    }
    if not found.cells:
        return held
    provider, model = request.GET.get("provider", ""), request.GET.get("model", "")
    if shown := tables.days(found, provider, model):
        held |= {"days": shown, "days_of": f"{provider} {model or tables.NO_MODEL}"}
    explore = f"{reverse('explore')}?{urlencode({'period': f'{found.month:%Y-%m}'})}"
    return held | {
        "kpis": tables.kpis(found.total, found.currency),
        "headline": tables.headline(found.total, found.currency),
        "steps": tables.steps(found.total, found.currency),
        "explore_href": explore,
        "models": tables.models(found),
        "advice": advice.advice(found, found.cells),
        "offers": [] if found.by_account else tables.offers(found),
        "goes_to": true_ups.goes_to(found.month),
    }
