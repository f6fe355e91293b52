"""Entering a line: a new one, one in place of another, or the end of one. Nothing is saved here;
what is right leads to its preview, where it is."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from finops import price_entries
from finops.models import Price
from finops.pages.prices import frame
from finops.pages.prices.forms import EndForm, PriceForm, filled_from, last_days, prices_from
from finops.pages.prices.lines import shown
from finops.periods import Period
from finops.query import is_text


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`replaces` names the line to change, `like` one whose prices are a start."""
    form = (
        PriceForm(request.POST)
        if request.method == "POST"
        else PriceForm(None, _prefilled(request))
    )
    if request.method == "POST":
        is_read = form.is_valid()
        replaces = form.cleaned_data.get("replaces")
        if replaces is not None:
            _ours(replaces)
        terms = form.terms()
        try:
            price_entries.check(terms, request.user, settings.REPORTING_ZONE)
        except ValidationError as problem:
            form.show(problem)
        else:
            if is_read:
                days = form.cleaned_data["preview_days"]
                return _to_preview(request, terms, replaces, days)
    replaced = form["replaces"].value()
    heading = f"Change line #{replaced}" if replaced else "Add a price"
    context = frame(request, "ledger", heading)
    context |= {"form": form, "breadcrumb": [("Ledger", reverse("prices")), (heading, "")]}
    return render(request, "prices/new.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """The line is superseded by one that is equal but ends: history is not rewritten."""
    price = _ours(pk)
    form = EndForm(request.POST if request.method == "POST" else None)
    is_read = form.is_valid()
    if request.method == "POST" and "effective_to" in form.cleaned_data:
        terms = price_entries.ending(
            price, form.cleaned_data["effective_to"], form.cleaned_data.get("note", "")
        )
        try:
            price_entries.check(terms, request.user, settings.REPORTING_ZONE)
        except ValidationError as problem:
            for messages in problem.message_dict.values():
                for message in messages:
                    form.add_error("effective_to", message.removeprefix("effective_to: "))
        else:
            if is_read:
                return _to_preview(request, terms, pk, "30")
    context = frame(request, "ledger", f"End line #{pk}")
    context |= {
        "form": form,
        "line": shown(price, timezone.now()),
        "breadcrumb": [
            ("Ledger", reverse("prices")),
            (f"#{pk}", reverse("prices-line", args=[pk])),
            ("End it", ""),
        ],
    }
    return render(request, "prices/end.html", context, status=400 if form.errors else 200)


def _ours(pk: int) -> Price:
    """A line in force that people entered."""
    lines = Price.objects.exclude(kind=Price.Kind.CATALOG)
    return get_object_or_404(lines, pk=pk, superseded_at=None)


def _prefilled(request: HttpRequest) -> dict[str, str]:
    filled: dict[str, str] = {}
    if "replaces" in request.GET:
        price = _ours(_number(request.GET["replaces"]))
        filled = {**filled_from(price), "replaces": str(price.pk)}
    elif "like" in request.GET:
        filled = prices_from(get_object_or_404(Price, pk=_number(request.GET["like"])))
    asked = {name: request.GET[name] for name in request.GET if name in PriceForm().fields}
    return {**filled, **{name: text for name, text in asked.items() if is_text(text)}}


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Http404
    return int(text)


def _to_preview(
    request: HttpRequest, terms: dict[str, str], replaces: int | None, days: str
) -> HttpResponse:
    now = timezone.now()
    preview = price_entries.ask_preview(
        Period(now - last_days(days), now),
        by=request.user,
        now=now,
        terms=terms,
        replaces=replaces,
    )
    return redirect("prices-preview", preview.pk)
