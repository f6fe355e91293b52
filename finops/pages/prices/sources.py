"""The catalogue and the second source side by side: where they differ, and importing the second."""

from __future__ import annotations

import glob
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from finops import access, costs, formats, price_sources
from finops.pages.prices import frame
from finops.pages.prices.holds import LONGEST_SEARCH, per_million
from finops.price_sources import Disagreement, Name
from finops.pricing import reference
from finops.pricing.matching import match
from finops.query import CostQuery

PAGE = 50
PROBLEMS = 10
COST = "effective_cost"


class ImportForm(forms.Form):
    file = forms.FileField(
        label="Price file, JSON as LiteLLM writes it",
        help_text=f"At most {reference.MAX_BYTES >> 20} MiB and {reference.MAX_ENTRIES:,} entries. "
        "It replaces what was imported before.",
        max_length=200,
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > reference.MAX_BYTES:
            raise forms.ValidationError(f"Larger than {reference.MAX_BYTES >> 20} MiB.")
        return file


@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    """The disagreements; POST imports a file."""
    now = timezone.now()
    form = ImportForm()
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES)
        if form.is_valid() and _imported(request, form, now):
            return redirect("prices-sources")
    search = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    found = price_sources.disagreements(now, _costs(request, now), search)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    source, count = price_sources.source_in_use()
    context = frame(request, "sources", "Which prices do others list differently?")
    context |= {
        "form": form,
        "search": search,
        "page": page,
        "rows": [_shown(each, now) for each in page],
        "count": formats.count_long(len(found)),
        "source": source,
        "source_prices": formats.count_long(count),
        "currency": settings.CURRENCY,
    }
    return render(request, "prices/sources.html", context, status=400 if form.errors else 200)


def _imported(request: HttpRequest, form: ImportForm, now: datetime) -> bool:
    file: UploadedFile[bytes] = form.cleaned_data["file"]
    try:
        found = price_sources.import_reference(
            file.read(reference.MAX_BYTES + 1),
            file.name or "a file",
            by=request.user,
            now=now,
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except reference.InvalidFile as problem:
        form.add_error("file", str(problem))
        return False
    messages.success(
        request,
        f"Prices of {len(found.models):,} models are compared now. {found.unknown:,} entries are "
        "of models that the catalogue does not list.",
    )
    if found.problems:
        told = "; ".join(
            " ".join(filter(None, [each.name, each.field, each.message]))
            for each in found.problems[:PROBLEMS]
        )
        messages.warning(request, f"{len(found.problems):,} values were left out: {told}")
    return True


def _costs(request: HttpRequest, now: datetime) -> dict[Name, Decimal]:
    """What each model of the catalogue cost in 30 days, of what the reader may see."""
    params = {
        "period": ["30d"],
        "group_by": ["provider,model"],
        "granularity": ["total"],
        "metrics": [COST],
    }
    query = CostQuery.from_params(params, now=now, zone=settings.REPORTING_ZONE)
    try:
        rows = costs.run(access.narrow(query, request.user)).rows
    except PermissionDenied:
        return {}  # in no team: prices are seen, costs are not
    found: dict[Name, Decimal] = {}
    for row in rows:
        provider, model = row.keys
        cost, listed = row.values[COST], match(provider or "", model or "")
        if cost is not None and listed is not None:
            name = (listed.owner, listed.model)
            found[name] = found.get(name, Decimal(0)) + Decimal(cost)
    return found


def _shown(each: Disagreement, now: datetime) -> dict[str, Any]:
    zone = settings.REPORTING_ZONE
    return {
        "provider": each.provider,
        "model": each.model,
        "bucket": each.bucket.replace("_", " "),
        "catalog": per_million(each.catalog, each.bucket),
        "reference": per_million(each.reference, each.bucket),
        "ratio": formats.ratio_short(each.ratio) if each.ratio is not None else "–",
        "since": formats.moment(each.since, zone, now.astimezone(zone).date()),
        "name": each.name,
        "cost": formats.money_short(each.cost, settings.CURRENCY) if each.cost else "–",
        "cost_title": formats.money_long(each.cost, settings.CURRENCY) if each.cost else "",
        "history_href": reverse("prices-model")
        + "?"
        + urlencode({"provider": each.provider, "model": each.model}),
        "use_href": _use_href(each, now),
    }


def _use_href(each: Disagreement, now: datetime) -> str:
    """The form for a new line, filled in; it leads on to a preview of what the line would do."""
    if each.bucket == "request":
        price = {"request_price": f"{each.reference:f}"}
    else:
        amount = per_million(each.reference, each.bucket)
        price = {f"{each.bucket}_price_per_million": amount}
    terms = {
        "kind": "contract",
        "provider": glob.escape(each.provider),
        "model": glob.escape(each.model),
        "service_tier": "standard",
        "effective_from": now.astimezone(settings.REPORTING_ZONE).date().isoformat(),
        "source": f"{each.source}: {each.name}"[:200],
        **price,
    }
    return f"{reverse('prices-new')}?{urlencode(terms)}"
