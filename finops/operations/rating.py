"""Rating again as an operation: a day of the reporting zone a step."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from finops import rerating
from finops.models import Operation, RatingRun
from finops.operations.asking import days_text
from finops.operations.counts import last_event_at
from finops.operations.steps import note
from finops.rating_changes import Rerating
from finops.rating_spans import days_with_events


def begin(operation: Operation, zone: ZoneInfo) -> None:
    """What comes after the last event of now is rated by today's ledger anyway."""
    assert operation.start
    assert operation.end
    if not operation.what:
        operation.what = days_text(operation.start, operation.end, zone)
    last = last_event_at()
    if last is not None:
        operation.end = min(operation.end, last + timedelta(microseconds=1))
    start = operation.done_to or operation.start
    operation.total = sum(1 for _ in days_with_events(start, operation.end, zone))


def step(operation: Operation, now: datetime, zone: ZoneInfo) -> bool:
    assert operation.start
    assert operation.end
    start = operation.done_to or operation.start
    span = next(days_with_events(start, operation.end, zone), None)
    if span is None:
        return False

    def record(part: Rerating) -> None:
        found = Rerating.of(operation.result)
        found.merge(part)
        note(operation, span.end, events=part.total.examined, result=found.as_json())

    rerating.apply_day(RatingRun.objects.get(pk=operation.terms["run"]), span, zone, record)
    return True
