"""The ledger: found, filtered, page by page; one model's history; one line."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from finops import access, formats, ledger, price_listing
from finops.models import Price
from finops.models.prices import SERVICE_TIERS
from finops.pages.prices import frame
from finops.pages.prices.lines import amounts, is_of_one_model, model_href, name_of, shown
from finops.price_listing import Search
from finops.pricing.steps import price_steps
from finops.query import is_text


@require_GET
def prices(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = {name: _text(request, name) for name in ("q", "provider", "kind", "tier", "show")}
    wanted = Search(
        text=asked["q"],
        provider=asked["provider"],
        kind=asked["kind"],
        service_tier=asked["tier"],
        everything=asked["show"] == "all",
    )
    page = price_listing.search(wanted, now, _text(request, "page"))
    context = frame(request, "ledger", "What does a token cost?")
    kept = {name: value for name, value in asked.items() if value}
    context |= {
        "asked": asked,
        "page": page,
        "lines": [shown(each, now) for each in page],
        "count": page.paginator.count,
        "shown_count": formats.count_long(page.paginator.count),
        "previous_href": _page_href(kept, page.number - 1) if page.has_previous() else "",
        "next_href": _page_href(kept, page.number + 1) if page.has_next() else "",
        "providers": price_listing.providers(),
        "kinds": Price.Kind.choices,
        "tiers": [tier for tier in SERVICE_TIERS if tier],
        "is_filtered": bool(kept),
    }
    return render(request, "prices/ledger.html", context)


@require_GET
def model(request: HttpRequest) -> HttpResponse:
    """One model, by what clients or the catalogue call it: every line that ever was for it."""
    now = timezone.now()
    provider, name = _text(request, "provider"), _text(request, "model")
    if not name:
        raise Http404
    found = price_listing.of_model(provider, name)
    use = price_listing.use_of(
        [each.pk for each in found], now, access.standing(request.user).teams
    )
    held = [(ledger.line_of(each), each.recorded_at, each.superseded_at) for each in found]
    chart = price_steps(held, now)
    prefilled = {"kind": "contract", "provider": provider, "model": name}
    context = frame(request, "ledger", f"What does {name} cost?")
    context |= {
        "provider": provider,
        "model": name,
        "chart": chart,
        "has_chart": chart.figure is not None,
        "lines": [shown(each, now, use) for each in found],
        "use_is_known": use is not None,
        "new_query": urlencode(prefilled),
        "breadcrumb": [("Ledger", reverse("prices")), (f"{provider} / {name}", "")],
    }
    return render(request, "prices/model.html", context)


@require_GET
def line(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    price = Price.objects.filter(pk=pk).first()
    if price is None:
        raise Http404
    use = price_listing.use_of([pk], now, access.standing(request.user).teams)
    context = frame(request, "ledger", f"Line #{pk}: {name_of(price)}")
    context |= {
        "line": shown(price, now, use),
        "amounts": amounts(price),
        "model_href": model_href(price.provider, price.model) if is_of_one_model(price) else "",
        "is_ours": price.kind != Price.Kind.CATALOG,
        "breadcrumb": [("Ledger", reverse("prices")), (f"#{pk}", "")],
    }
    return render(request, "prices/line.html", context)


def _text(request: HttpRequest, name: str) -> str:
    text = request.GET.get(name, "").strip()
    return text if is_text(text) else ""


def _page_href(kept: dict[str, str], number: int) -> str:
    return f"{reverse('prices')}?{urlencode({**kept, 'page': str(number)})}"
