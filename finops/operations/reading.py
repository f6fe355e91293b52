"""What is told of operations, on pages, in answers and in metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count, Q

from finops.models import Operation

RECENT = 20
# After these the figures of a day are others, or on their way.
_CHANGING = (Operation.Kind.RERATE, Operation.Kind.REBUILD, Operation.Kind.REFOLD)


def recent(limit: int = RECENT) -> list[Operation]:
    """Those that have not ended, in the order they are done, then the last that have."""
    unfinished = list(Operation.objects.filter(finished_at=None).order_by("pk"))
    ended = Operation.objects.filter(finished_at__isnull=False)
    return [*unfinished, *ended.order_by("-finished_at", "-pk")[:limit]]


def working_on(start: datetime, end: datetime) -> list[Operation]:
    """Operations that have begun and not ended, and change figures of this period."""
    found = Operation.objects.filter(
        Q(start__lt=end, end__gt=start) | Q(kind=Operation.Kind.REFOLD),
        kind__in=_CHANGING,
        finished_at=None,
        started_at__isnull=False,
    )
    return list(found.order_by("pk"))


def by_state() -> Mapping[tuple[str, str], int]:
    """(kind, state) → how many, of those that have not ended."""
    rows = Operation.objects.filter(finished_at=None).values_list("kind", "state")
    return {(kind, state): count for kind, state, count in rows.annotate(Count("id")).order_by()}
