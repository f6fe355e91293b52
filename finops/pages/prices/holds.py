"""The review queue: prices of the catalogue that are held, and deciding about them."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from finops import formats, price_holds, price_reviews
from finops.models import PriceHold
from finops.pages.prices import frame

PAGE = 25
DECIDED = 20
HEADING = "Which new prices look wrong?"
LONGEST_SEARCH, LONGEST_REASON = 200, 1000


class Reason(NamedTuple):
    """One finding in words. Prices are USD per million tokens, or per request."""

    bucket: str
    text: str
    old: str
    new: str
    ratio: str


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    in_use = price_holds.used(timezone.now())
    urgent = price_holds.most_urgent(search, in_use)
    page = Paginator(urgent, PAGE).get_page(request.GET.get("page"))
    context = {
        **frame(request, "holds", HEADING),
        "search": search,
        "page": page,
        "holds": [_shown(hold, in_use) for hold in page],
        "waiting": price_holds.count_waiting(),
        "used": sum((hold.provider, hold.model) in in_use for hold in urgent),
        "decided": [_shown(hold) for hold in price_holds.decided(DECIDED)],
    }
    return render(request, "prices/holds.html", context)


@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Asks once more, with what follows, and does it."""
    if verb not in {"accept", "refuse"}:
        raise Http404
    if request.method == "POST":
        return _decided(request, pk, verb)
    hold = price_holds.waiting().filter(pk=pk).first()
    if hold is None:
        messages.info(request, "This price does not wait for a decision any more.")
        return redirect("prices-holds")
    context = {
        **frame(request, "holds", HEADING),
        "hold": _shown(hold),
        "accepts": verb == "accept",
    }
    return render(request, "prices/hold.html", context)


def _decided(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    act = price_reviews.accept if verb == "accept" else price_reviews.refuse
    try:
        hold = act(
            pk,
            by=request.user,
            now=timezone.now(),
            reason=request.POST.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON],
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except PriceHold.DoesNotExist:
        messages.info(request, "This price does not wait for a decision any more.")
        return redirect("prices-holds")
    done = "accepted: it is a line of the ledger now" if verb == "accept" else "refused"
    messages.success(request, f"{hold.described} is {done}.")
    return redirect("prices-holds")


def _shown(hold: PriceHold, in_use: Collection[tuple[str, str]] = ()) -> dict[str, Any]:
    zone = settings.REPORTING_ZONE
    today = timezone.now().astimezone(zone).date()
    return {
        "pk": hold.pk,
        "described": hold.described,
        "source": hold.source,
        "seen": formats.moment(hold.seen_at, zone, today),
        "since": formats.moment(hold.effective_from, zone, today)
        if hold.effective_from
        else "all dates",
        "has_predecessor": hold.has_predecessor,
        "is_used": (hold.provider, hold.model) in in_use,
        "reasons": [_reason(finding) for finding in hold.findings],
        "status": hold.get_status_display(),
        "decided": formats.moment(hold.decided_at, zone, today) if hold.decided_at else "",
        "decided_by": hold.decided_by,
        "reason": hold.reason,
    }


def _reason(finding: dict[str, str | None]) -> Reason:
    bucket = finding["bucket"] or ""
    ratio = Decimal(finding["ratio"]) if finding["ratio"] else None
    return Reason(
        bucket.replace("_", " "),
        finding["text"] or "",
        per_million(finding["old"], bucket),
        per_million(finding["new"], bucket),
        formats.ratio_short(ratio) if ratio is not None else "–",
    )


def per_million(price: str | Decimal | None, bucket: str) -> str:
    if price is None:
        return "–"
    amount = Decimal(price) * (1 if bucket == "request" else 1_000_000)
    return f"{amount.normalize():,f}"
