"""What a new line, or rating again, would do; and the button that does it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from finops import formats, labels, ledger, price_entries, rating_jobs
from finops.models import Price, RatingPreview
from finops.pages.prices import frame
from finops.pages.prices.forms import ReasonForm
from finops.pages.prices.lines import amounts, moment, shown
from finops.rating_changes import Change
from finops.rollups import ZoneChanged


@require_GET
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, get_object_or_404(RatingPreview, pk=pk), ReasonForm())


@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(RatingPreview.objects.exclude(terms={}), pk=pk)
    try:
        price = price_entries.save(
            found,
            by=request.user,
            zone=settings.REPORTING_ZONE,
            now=timezone.now(),
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except (Price.DoesNotExist, ValidationError) as problem:
        said = problem.messages if isinstance(problem, ValidationError) else [str(problem)]
        messages.add_message(request, messages.ERROR, f"Not saved: {' '.join(said)}", "crit")
        return redirect("prices-preview", pk)
    messages.success(
        request,
        f"Line #{price.pk} is in the ledger. New requests are rated with it at once, and those "
        "without a price that it is for within a minute. What has a price keeps it, unless its "
        "period is rated again.",
    )
    return redirect("prices-line", price.pk)


@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(RatingPreview, pk=pk, terms={})
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, found, form, status=400)
    try:
        run = price_entries.ask_run(
            found,
            by=request.user,
            zone=settings.REPORTING_ZONE,
            now=timezone.now(),
            reason=form.cleaned_data["reason"],
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except ZoneChanged as refused:
        messages.error(request, str(refused))
        return redirect("prices-ratings")
    messages.success(request, f"Run #{run.pk} begins within seconds.")
    return redirect("prices-ratings")


def _show(
    request: HttpRequest, found: RatingPreview, form: ReasonForm, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    heading = "What would this line do?" if found.terms else "What would rating again do?"
    context = frame(request, "ledger" if found.terms else "ratings", heading)
    context |= {
        "preview": found,
        "form": form,
        "period": _period(found, now),
        "done_to": moment(found.done_to, now),
        **_difference(found),
        "fill_query": _fill_query(found),
        **(_proposed(request, found, now) if found.terms else {}),
    }
    return render(request, "prices/preview.html", context, status=status)


def _fill_query(found: RatingPreview) -> str:
    """The form again, as it was filled in."""
    replaces = {} if found.replaces is None else {"replaces": str(found.replaces)}
    return urlencode({**found.terms, **replaces})


def _period(found: RatingPreview, now: datetime) -> str:
    return f"{moment(found.start, now)} to {moment(found.end, now)}"


def _proposed(request: HttpRequest, found: RatingPreview, now: datetime) -> dict[str, Any]:
    try:
        price = price_entries.check(found.terms, request.user, settings.REPORTING_ZONE)
    except ValidationError as problem:
        return {"refused": problem.messages}
    price.recorded_at = now
    return {
        "description": ledger.line_of(price).describe(),
        "kind": price.get_kind_display(),
        "amounts": amounts(price),
        "rivals": [
            {
                "href": reverse("prices-line", args=[each.other.id]),
                "text": f"#{each.other.id} {each.other.describe()}",
                "when": _when(each.starts, each.ends, now),
                "wins": each.other_wins,
            }
            for each in price_entries.rivals(price, found.replaces)
        ],
        "replaced": _replaced(found.replaces, now),
    }


def _replaced(pk: int | None, now: datetime) -> Any:
    price = Price.objects.filter(pk=pk).first() if pk is not None else None
    return shown(price, now) if price else None


def _when(starts: datetime | None, ends: datetime | None, now: datetime) -> str:
    since = f"from {moment(starts, now)}" if starts else "always"
    return f"{since} until {moment(ends, now)}" if ends else since


def _difference(found: RatingPreview) -> dict[str, Any]:
    outcome = rating_jobs.outcome(found)
    if outcome is None:
        return {}
    return {
        "outcome": outcome,
        "total": row("All events", outcome.total),
        "lacking": [
            {
                "name": f"{provider} / {model}",
                "what": labels.lacking(
                    (bucket, formats.count_long(number)) for bucket, number in counts.items()
                ),
            }
            for provider, model, counts in outcome.lacking
        ],
        "skipped": formats.count_long(outcome.skipped) if outcome.skipped else "",
        "older": _older(outcome.older) if found.terms else "",
        "rows": [row(f"{provider} / {model}", each) for provider, model, each in outcome.models],
    }


def _older(change: Change | None) -> str:
    """What saving a line rates besides what its preview counts."""
    if change is None:
        return "also rates older ones without a price, which are not in these figures"
    count = change.unpriced_before - change.unpriced_after
    if not count:
        return ""
    cost = formats.money_long(change.known_after, settings.CURRENCY)
    if count == 1:
        return f"also rates 1 older request without a price, {cost}, not in these figures"
    number = formats.count_long(count)
    return f"also rates {number} older requests without a price, {cost}, not in these figures"


def row(name: str, change: Change) -> dict[str, str]:
    """One model's difference, or that of all of them."""
    before, after = change.known_before, change.known_after
    difference = None if before is None and after is None else change.difference
    return {
        "name": name,
        "examined": formats.count_long(change.examined),
        "changed": formats.count_long(change.changed),
        "before": formats.money_long(before, ""),
        "before_title": formats.money_exact(before, settings.CURRENCY),
        "after": formats.money_long(after, ""),
        "after_title": formats.money_exact(after, settings.CURRENCY),
        "difference": formats.money_long(difference, ""),
        "difference_title": formats.money_exact(difference, ""),
        "unpriced": f"{formats.count_long(change.unpriced_before)} → "
        f"{formats.count_long(change.unpriced_after)}",
    }
