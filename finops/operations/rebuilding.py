"""Rebuilding roll-ups as an operation: a day a step; in another zone, a chunk of batches a step."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from finops import rebuilds, rollup_checks, rollups
from finops.locks import Lock, alone
from finops.models import Operation
from finops.operations.counts import days_between, requests_of, unfolded_events
from finops.operations.steps import Busy, note
from finops.periods import local_day, start_of_day


def begin(operation: Operation, zone: ZoneInfo) -> None:
    assert operation.start
    assert operation.end
    operation.total = days_between(operation.start, operation.end, zone)


def step(operation: Operation, now: datetime, zone: ZoneInfo) -> bool:
    assert operation.start
    assert operation.end
    day = local_day(operation.done_to or operation.start, zone)
    if start_of_day(day, zone) >= operation.end:
        return False
    done_to = start_of_day(day + timedelta(days=1), zone)
    with alone(Lock.RERATING) as is_free:
        if not is_free:
            raise Busy
        rebuilds.rebuild_day(
            day,
            zone,
            lambda: note(operation, done_to, events=requests_of(day)),
            trust_events=operation.terms["trust_events"],
        )
    if day in rollup_checks.differing_days():
        # The alarm ends here, not in the night to come.
        rollup_checks.check_day(day, zone)
    return True


def begin_refold(operation: Operation, zone: ZoneInfo) -> None:
    """Its total is known since it was asked for."""


def refold_step(operation: Operation, now: datetime, zone: ZoneInfo) -> bool:
    """The worker folds too; what either has folded is done."""
    report = rollups.fold_chunk(now, zone)
    if report.busy:
        raise Busy
    # Older rows of the table know no newest batch: they end when nothing at all is left.
    left = unfolded_events(operation.terms.get("newest_batch")) if report.batches else 0
    done = max(operation.done, operation.total - left)
    Operation.objects.filter(pk=operation.pk).update(done=done, events=done)
    return left > 0
