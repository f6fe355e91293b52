"""Previews that were asked for on a page and that the worker does.

What is to do is read from the database, so a worker that was stopped begins a preview again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Now

from finops import ledger, rating_previews, rerating
from finops.locks import Lock, alone
from finops.models import Price, RatingPreview
from finops.rating_changes import Change, Rerating
from finops.rating_previews import Supposed
from finops.rollups import ZoneChanged

log = logging.getLogger(__name__)

MODELS = 200
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
# Runs that nobody asked for, with nothing to tell.
CHANGED_NOTHING = Q(
    requested_by=rerating.AUTOMATIC, events_changed=0, error="", finished_at__isnull=False
)
REFUSED = (ZoneChanged, Price.DoesNotExist, ValidationError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a preview found: in all, and the models that change, largest difference first.

    `lacking` is, of the models that keep requests without a price, those with most first: bucket
    that has no price ("" where no line is for them) → requests. `older` is what a line does to what
    has no price and is older than the preview's period, None where that was not asked.
    """

    total: Change
    models: tuple[tuple[str, str, Change], ...]
    skipped: int
    lacking: tuple[tuple[str, str, dict[str, int]], ...]
    older: Change | None


def work(zone: ZoneInfo) -> int:
    """Do everything that waits; returns how many previews that was."""
    done = 0
    with alone(Lock.RATING_JOBS) as is_alone:
        if not is_alone:
            return 0
        for preview in RatingPreview.objects.filter(finished_at=None).order_by("pk"):
            _finish(preview, zone)
            done += 1
    return done


def outcome(preview: RatingPreview) -> Outcome | None:
    """None until it is finished."""
    if not preview.result:
        return None
    return Outcome(
        Change.of(preview.result["total"]),
        tuple(
            (provider, model, Change.of(each)) for provider, model, each in preview.result["models"]
        ),
        preview.result["skipped"],
        tuple((*model, counts) for *model, counts in preview.result.get("lacking", ())),
        Change.of(preview.result["older"]) if preview.result.get("older") else None,
    )


def _finish(preview: RatingPreview, zone: ZoneInfo) -> None:
    try:
        _preview(preview, zone)
    except REFUSED as problem:
        said = "; ".join(problem.messages) if isinstance(problem, ValidationError) else str(problem)
        log.warning("rating_preview %d: %s", preview.pk, said)
        RatingPreview.objects.filter(pk=preview.pk).update(error=said, finished_at=Now())


def _preview(preview: RatingPreview, zone: ZoneInfo) -> None:
    supposed = None
    if preview.terms:
        price = ledger.draft(preview.terms, author=preview.requested_by, zone=zone)
        supposed = Supposed(replace(ledger.line_of(price), id=ledger.UNSAVED), preview.replaces)
    found, older = Rerating(), Rerating()
    kept = RatingPreview.objects.filter(pk=preview.pk)
    if supposed is not None:
        # Once it is saved, everything without a price is rated, however old it is.
        for day_end, part in rating_previews.preview_days(
            BEGINNING, preview.start, zone, only_unpriced=True, supposed=supposed
        ):
            older.merge(part)
            kept.update(done_to=day_end)
    for day_end, part in rating_previews.preview_days(
        preview.start,
        preview.end,
        zone,
        only_unpriced=preview.only_unpriced,
        supposed=supposed,
    ):
        found.merge(part)
        kept.update(done_to=day_end)
    result = _json(found)
    if supposed is not None:
        result["older"] = older.total.as_json()
    kept.update(result=result, finished_at=Now())


def _json(found: Rerating) -> dict[str, Any]:
    changed = [(*key, change) for key, change in found.by_model.items() if change.changed]
    changed.sort(key=lambda row: abs(row[2].difference), reverse=True)
    lacking = sorted(found.lacking.items(), key=lambda row: -max(row[1].values()))
    return {
        "total": found.total.as_json(),
        "models": [[provider, model, each.as_json()] for provider, model, each in changed][:MODELS],
        "skipped": found.skipped,
        "lacking": [[*model, dict(counts)] for model, counts in lacking[:MODELS]],
    }
