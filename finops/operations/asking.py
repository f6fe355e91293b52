"""Operations that are asked for. The same one again, while it waits or is paused, is the same one.

A re-rating is so while it runs too, because it begins again where the ledger changes. A rebuild is
done again: what is wrong may be in a day that it has done already.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from finops import audit, rebuilds, rerating
from finops.locks import Lock, hold
from finops.models import Operation
from finops.operations.control import resume
from finops.operations.counts import newest_batch, unfolded_events
from finops.operations.endings import finish
from finops.periods import local_day

State = Operation.State


def ask_rerate(
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    *,
    now: datetime,
    by: str,
    only_unpriced: bool = False,
    reason: str = "",
    program: str = "",
) -> Operation:
    """Have [start, end) rated again. `program` is who the audit log names at the end, if anybody.

    Raises rollups.ZoneChanged.
    """
    asked = {"only_unpriced": only_unpriced, "program": program}
    with transaction.atomic():
        hold(Lock.OPERATIONS_ASKED)
        if held := _same(Operation.Kind.RERATE, start, end, asked):
            return _resumed(held, by, now)
        run = rerating.begin(
            start, end, zone, requested_by=by, reason=reason, only_unpriced=only_unpriced
        )
        what = f"{days_text(start, end, zone)}" + (", unpriced events" if only_unpriced else "")
        terms = {**asked, "run": run.pk, "reason": reason}
        return _queue(Operation.Kind.RERATE, what, start, end, terms, now, by)


def ask_rebuild(
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    *,
    now: datetime,
    by: str,
    trust_events: bool = False,
    is_whole: bool = False,
    program: str = "",
) -> Operation:
    """Have the roll-ups of the days that [start, end) touches made again; `is_whole` where nobody
    named an end, which then lies later with every event. Raises rollups.ZoneChanged."""
    asked = {"trust_events": trust_events, "is_whole": is_whole, "program": program}
    rerating.refuse_other_zone(zone)
    with transaction.atomic():
        hold(Lock.OPERATIONS_ASKED)
        if held := _same(Operation.Kind.REBUILD, start, end, asked):
            return _resumed(held, by, now)
        what = days_text(start, end, zone)
        return _queue(Operation.Kind.REBUILD, what, start, end, asked, now, by)


def ask_refold(zone: ZoneInfo, *, now: datetime, by: str) -> Operation:
    """Empty the roll-ups, to be folded anew in this zone. Raises rebuilds.ZoneKept, and
    rebuilds.InUse where something else changes them at this moment."""
    with transaction.atomic():
        hold(Lock.OPERATIONS_ASKED)
        for other in Operation.objects.filter(finished_at=None, kind=Operation.Kind.REFOLD):
            finish(other, State.CANCELLED, "Another fold in another zone was begun.", now)
        rebuilds.forget_all(now, zone)
        made = _queue(Operation.Kind.REFOLD, f"all, in {zone.key}", None, None, {}, now, by)
        # What comes later is folded by whoever folds anyway. The rollups are empty from now on.
        made.terms = {"newest_batch": newest_batch()}
        made.unit, made.total, made.started_at = "events", unfolded_events(), now
        made.save(update_fields=["terms", "unit", "total", "started_at"])
        return made


def ask_retention(
    expired: list[date], days: int, *, now: datetime, by: str, may_resume: bool = False
) -> Operation | None:
    """Have the events of these UTC days dropped, which are older than `days`; None of none.

    A drop that is paused is gone on with where a person asks, who `may_resume` it."""
    if not expired:
        return None
    with transaction.atomic():
        hold(Lock.OPERATIONS_ASKED)
        held = Operation.objects.filter(finished_at=None, kind=Operation.Kind.RETENTION).first()
        if held is not None and held.state == State.PAUSED and not may_resume:
            return held
        span = {"first_day": str(expired[0]), "last_day": str(expired[-1])}
        said = {"days": days, **span}
        audit.record("retention.drop", "Old single events", at=now, by=by, after=said)
        if held is not None:
            held.terms = {**held.terms, "days": days}
            held.save(update_fields=["terms"])
            return _resumed(held, by, now)
        what = f"events of {len(expired)} day{'s' if len(expired) > 1 else ''} up to {expired[-1]}"
        terms = {"days": days}
        return _queue(Operation.Kind.RETENTION, what, None, None, terms, now, by)


def days_text(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    first, last = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
    return str(first) if first == last else f"{first} to {last}"


def _same(
    kind: Operation.Kind, start: datetime, end: datetime, asked: dict[str, Any]
) -> Operation | None:
    found = Operation.objects.filter(
        kind=kind, finished_at=None, **{f"terms__{name}": value for name, value in asked.items()}
    )
    if not asked.get("is_whole"):
        found = found.filter(terms__asked_start=start.isoformat(), terms__asked_end=end.isoformat())
    if kind == Operation.Kind.REBUILD:
        found = found.filter(Q(done=0) | Q(state=State.PAUSED))
    return found.order_by("pk").first()


def _resumed(held: Operation, by: str, now: datetime) -> Operation:
    """Who asks for it again wants it done."""
    if held.state == State.PAUSED:
        resume(held, by=by, now=now)
    return held


def _queue(
    kind: Operation.Kind,
    what: str,
    start: datetime | None,
    end: datetime | None,
    terms: dict[str, Any],
    now: datetime,
    by: str,
) -> Operation:
    if start and end:
        terms = {**terms, "asked_start": start.isoformat(), "asked_end": end.isoformat()}
    return Operation.objects.create(
        kind=kind, what=what, start=start, end=end, terms=terms, requested_by=by, created_at=now
    )
