"""The queue of models without a price, and how to give them one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from finops import access, formats, labels, price_holds, unpriced_models
from finops.models import Price
from finops.pages.prices import frame
from finops.pages.prices.lines import model_href, moment
from finops.pricing.matching import match
from finops.unpriced_models import Progress, UnpricedModel

# So many are looked up in the catalogue for names like theirs.
SUGGESTED_FOR = 20


@require_GET
def unpriced(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    seen = access.standing(request.user).teams
    found = unpriced_models.queue(seen)
    queue = found or []
    like = unpriced_models.suggestions([each.model for each in queue[:SUGGESTED_FOR]], now)
    progress = unpriced_models.progress()
    held = price_holds.without_price()
    context = frame(request, "unpriced", "What has no price?")
    context |= {
        "is_known": found is not None,
        "models": [_row(each, like.get(each.model, []), held, now) for each in queue],
        "progress": _said(progress, now, with_counts=seen is None),
        "is_settled": progress.is_settled,
    }
    return render(request, "prices/unpriced.html", context)


def _row(
    each: UnpricedModel, like: list[Price], held: Collection[tuple[str, str]], now: datetime
) -> dict[str, Any]:
    found = match(each.provider, each.model)
    is_held = found is not None and (found.owner, found.model) in held
    named = {"kind": "contract", "provider": each.provider, "model": each.model}
    return {
        "name": f"{each.provider} / {each.model}",
        "href": model_href(each.provider, each.model),
        "requests": formats.count_long(each.requests),
        "tokens": formats.count_long(each.tokens),
        "since": moment(each.since, now),
        "latest": moment(each.latest, now),
        "teams": ", ".join(team or "Unattributed" for team in each.teams),
        "has_line": each.has_line,
        "lacking": _lacking(each),
        "add_query": urlencode(named),
        "held_query": urlencode({"q": found.model}) if found and is_held else "",
        "like": [
            {"name": f"{p.provider} / {p.model}", "query": urlencode({**named, "like": str(p.pk)})}
            for p in like
        ],
    }


def _lacking(each: UnpricedModel) -> str:
    """What would have to have a price."""
    if not each.has_line:
        return f"no line is for it; it used {labels.buckets(name for name, _, _ in each.lacking)}"
    counts = [(name, formats.count_long(lack)) for name, lack, _ in each.lacking if lack]
    if each.without_line:
        counts.append(("", formats.count_long(each.without_line)))
    return f"no price for {labels.lacking(counts)}"


def _said(progress: Progress, now: datetime, *, with_counts: bool) -> str:
    run = progress.run
    if run is not None and run.finished_at is None:
        upto = f", done up to {moment(run.done_to, now)}" if run.done_to else ""
        return f"Being rated with the ledger as it is now{upto}."
    if not progress.is_settled:
        return "The ledger has changed: what it has a price for now is rated within a minute."
    if run is None or run.finished_at is None:
        return ""
    last = progress.pricing
    if last is None or last.finished_at is None or not with_counts:
        said = ": nothing got a price" if with_counts else ""
        return f"Last rated by itself {moment(run.finished_at, now)}{said}."
    count = last.unpriced_before - last.unpriced_after
    priced = f"{formats.count_long(count)} request{'' if count == 1 else 's'} got a price"
    after = (
        f"; looked again {moment(run.finished_at, now)}, nothing more did"
        if run.pk != last.pk
        else ""
    )
    return f"Last rated by itself {moment(last.finished_at, now)}: {priced}{after}."
