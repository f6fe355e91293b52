"""Previews and runs that were asked for on a page and that the worker does.

What is to do is read from the database, so a worker that was stopped goes on where it was: a run
after the last day it wrote, a preview from its beginning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Now

from finops import ledger, rating_previews, rerating
from finops.locks import Lock, alone
from finops.models import Price, RatingPreview, RatingRun
from finops.rating_changes import Change, Rerating
from finops.rating_previews import Supposed
from finops.rebuilds import EventsDropped
from finops.rollups import ZoneChanged

Job = TypeVar("Job", RatingPreview, RatingRun)

log = logging.getLogger(__name__)

MODELS = 200
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
# Runs that nobody asked for, with nothing to tell.
CHANGED_NOTHING = Q(
    requested_by=rerating.AUTOMATIC, events_changed=0, error="", finished_at__isnull=False
)
REFUSED = (EventsDropped, ZoneChanged, Price.DoesNotExist, ValidationError)


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
    """Do everything that waits; returns how many previews and runs that was."""
    done = 0
    with alone(Lock.RATING_JOBS) as is_alone:
        if not is_alone:
            return 0
        for preview in RatingPreview.objects.filter(finished_at=None).order_by("pk"):
            _finish(preview, _preview, zone)
            done += 1
        for run in RatingRun.objects.filter(is_queued=True, finished_at=None).order_by("pk"):
            _finish(run, rerating.go_on, zone)
            done += 1
    return done


def outcome(preview: RatingPreview) -> Outcome | None:
    """None until it is finished."""
    if not preview.result:
        return None
    return Outcome(
        _change(preview.result["total"]),
        tuple(
            (provider, model, _change(each)) for provider, model, each in preview.result["models"]
        ),
        preview.result["skipped"],
        tuple((*model, counts) for *model, counts in preview.result.get("lacking", ())),
        _change(preview.result["older"]) if preview.result.get("older") else None,
    )


def _finish(job: Job, do: Callable[[Job, ZoneInfo], None], zone: ZoneInfo) -> None:
    try:
        do(job, zone)
    except REFUSED as problem:
        said = "; ".join(problem.messages) if isinstance(problem, ValidationError) else str(problem)
        log.warning("%s %d: %s", job._meta.db_table, job.pk, said)
        type(job).objects.filter(pk=job.pk).update(error=said, finished_at=Now())


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
        result["older"] = _change_json(older.total)
    kept.update(result=result, finished_at=Now())


def _json(found: Rerating) -> dict[str, Any]:
    changed = [(*key, change) for key, change in found.by_model.items() if change.changed]
    changed.sort(key=lambda row: abs(row[2].difference), reverse=True)
    lacking = sorted(found.lacking.items(), key=lambda row: -max(row[1].values()))
    return {
        "total": _change_json(found.total),
        "models": [[provider, model, _change_json(each)] for provider, model, each in changed][
            :MODELS
        ],
        "skipped": found.skipped,
        "lacking": [[*model, dict(counts)] for model, counts in lacking[:MODELS]],
    }


def _change_json(change: Change) -> dict[str, int | str]:
    return {
        "examined": change.examined,
        "changed": change.changed,
        "cost_before": str(change.cost_before),
        "cost_after": str(change.cost_after),
        "unpriced_before": change.unpriced_before,
        "unpriced_after": change.unpriced_after,
    }


def _change(kept: dict[str, Any]) -> Change:
    costs = {name: Decimal(kept[name]) for name in ("cost_before", "cost_after")}
    return Change(**{**kept, **costs})
