"""Rating again as an operation: a day of the reporting zone a step."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models.functions import Now

from finops import ledger, rerating
from finops.models import Operation, RatingRun
from finops.operations import wording
from finops.operations.asking import days_text
from finops.operations.counts import last_event_at
from finops.operations.steps import note
from finops.rating_changes import Rerating
from finops.rating_spans import days_with_events

BEGUN_AGAIN = "Begun again from the first day"
RESET = (
    *("start", "end", "total", "done", "done_to", "events", "result", "worked_seconds"),
    *("terms", "message"),
)


def begin(operation: Operation, zone: ZoneInfo) -> None:
    """What comes after the last event of now is rated by today's ledger anyway."""
    assert operation.start
    assert operation.end
    if not operation.what:
        operation.what = days_text(operation.start, operation.end, zone)
    last = last_event_at()
    if last is not None:
        operation.end = min(operation.end, last + timedelta(microseconds=1))
    operation.terms["ledger"] = ledger.version()
    RatingRun.objects.filter(pk=operation.terms["run"]).update(
        ledger_version=operation.terms["ledger"]
    )
    start = operation.done_to or operation.start
    operation.total = sum(1 for _ in days_with_events(start, operation.end, zone))


def step(operation: Operation, now: datetime, zone: ZoneInfo) -> bool:
    assert operation.start
    assert operation.end
    card = rerating.card_in_force()
    if card.version != operation.terms.get("ledger", card.version):
        _begin_again(operation, zone)
        return True
    start = operation.done_to or operation.start
    span = next(days_with_events(start, operation.end, zone), None)
    if span is None:
        return False

    def record(part: Rerating) -> None:
        found = Rerating.of(operation.result)
        found.merge(part)
        note(operation, span.end, events=part.total.examined, result=found.as_json())

    rerating.apply_day(RatingRun.objects.get(pk=operation.terms["run"]), span, card, zone, record)
    return True


def _begin_again(operation: Operation, zone: ZoneInfo) -> None:
    """From the first day, as a run of its own: one run is rated by one ledger. What came since it
    began was rated by the ledger of before, so the end is again what was asked for."""
    former = RatingRun.objects.get(pk=operation.terms["run"])
    with transaction.atomic():
        # First, as `finish` does: two that lock the same in different orders wait for each other.
        locked = Operation.objects.select_for_update().get(pk=operation.pk)
        if locked.finished_at:
            return
        far = wording.done_of(operation)
        run = rerating.begin(
            former.start,
            former.end,
            zone,
            requested_by=former.requested_by,
            reason=former.reason,
            only_unpriced=former.only_unpriced,
        )
        RatingRun.objects.filter(pk=former.pk).update(
            finished_at=Now(),
            error=f"The price ledger changed, {far}. Run #{run.pk} begins again.",
        )
        operation.start, operation.end = former.start, former.end
        operation.done, operation.done_to, operation.events, operation.result = 0, None, 0, {}
        operation.worked_seconds = 0
        operation.terms = {**operation.terms, "run": run.pk}
        operation.message = (
            f"{BEGUN_AGAIN}, because the price ledger changed when {far}: all is rated by the "
            "ledger as it is now."
        )
        begin(operation, zone)
        operation.save(update_fields=RESET)
