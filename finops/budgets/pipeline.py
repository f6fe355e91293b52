"""Whether figures can be judged: a pipeline that stands still is told once, and once more when it
moves again, instead of letting budgets look quiet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from finops import alerts
from finops.health import Pipeline, read_pipeline
from finops.models import PipelineWatch

# The fold looks every second; a large load may keep it from the newest for some seconds.
STALE = timedelta(minutes=3)
FRESH = timedelta(seconds=30)
THREAD = "pipeline"


@dataclass(frozen=True, slots=True)
class Health:
    """`behind` is how far the figures are behind by the slower of what waits and who folds."""

    behind: timedelta
    pending_events: int
    has_folded: bool

    @property
    def is_stale(self) -> bool:
        return self.behind >= STALE

    @property
    def is_fresh(self) -> bool:
        return self.behind < FRESH


def health(pipeline: Pipeline, now: datetime) -> Health:
    silent = now - pipeline.folded_at if pipeline.folded_at else timedelta(0)
    return Health(
        behind=max(pipeline.lag(now), silent, timedelta(0)),
        pending_events=pipeline.pending_events,
        has_folded=pipeline.folded_at is not None,
    )


def watch(now: datetime) -> bool:
    """Whether the pipeline stands still, which is told when it begins and when it has ended.

    It begins at STALE and ends below FRESH, so that what is just at the edge is told once.
    """
    found = health(read_pipeline(), now)
    held = PipelineWatch.objects.filter(pk=1).first()
    was_stale = held is not None and held.stale_since is not None
    if not (found.is_fresh if was_stale else found.is_stale):
        return was_stale
    with transaction.atomic():
        PipelineWatch.objects.get_or_create(pk=1, defaults={"looked_at": now})
        row = PipelineWatch.objects.select_for_update().get(pk=1)
        if (row.stale_since is not None) == found.is_stale:
            return found.is_stale  # another worker was here first
        if found.is_stale:
            row.episode, row.stale_since = row.episode + 1, now - found.behind
        _tell(row, found, now)
        if not found.is_stale:
            row.stale_since = None
        row.looked_at = now
        row.save()
    return found.is_stale


def _tell(row: PipelineWatch, found: Health, now: datetime) -> None:
    minutes = int(found.behind / timedelta(minutes=1))
    since = row.stale_since
    assert since is not None
    facts = {
        "stale_since": since.isoformat(),
        "behind_seconds": int(found.behind.total_seconds()),
        "pending_events": found.pending_events,
        "url": "/ingest",
    }
    if found.is_stale:
        alerts.raise_alert(
            key=f"pipeline-stale-{row.episode}",
            kind="pipeline_stale",
            severity="critical",
            title=f"Figures are {minutes} minutes behind: budgets cannot be judged",
            facts=facts,
            thread=f"{THREAD}-{row.episode}",
            now=now,
        )
    else:
        alerts.raise_alert(
            key=f"pipeline-recovered-{row.episode}",
            kind="pipeline_recovered",
            severity="note",
            title="Figures are fresh again: budgets are judged again",
            facts=facts,
            thread=f"{THREAD}-{row.episode}",
            now=now,
        )
