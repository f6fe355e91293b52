"""What people say of an anomaly: real, a false alarm, planned; written down, and learned from."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from finops import audit
from finops.access import Standing
from finops.anomalies import planning, wording
from finops.anomalies.listing import visible
from finops.anomalies.planning import Draft
from finops.models import Anomaly
from finops.organisation.stored import Act
from finops.query import is_text

Verdict = Anomaly.Verdict
LONGEST_REASON = 200
LONGEST_PLAN = planning.LONGEST_SPAN


class NotPossible(ValueError):
    """Why not, and what to do."""


def judge(
    anomaly: Anomaly,
    verdict: str,
    act: Act,
    standing: Standing,
    *,
    reason: str = "",
    until: datetime | None = None,
) -> Anomaly:
    """Say what it is; "" takes that back. Raises NotPossible.

    A false alarm is over, and raises the bar of its series (likeness.py). What is planned is over
    too and becomes an event of the calendar, up to `until` where it goes on, so that nothing is
    learned from it; with the verdict that goes too. What leads others takes along those of them
    that the judge sees, and of which nobody has said anything else.
    """
    if verdict and verdict not in Verdict.values:
        raise NotPossible(f"{verdict[:80]!r} is none of {', '.join(Verdict.values)}.")
    reason = reason.strip()
    if len(reason) > LONGEST_REASON or not is_text(reason):
        raise NotPossible(f"Write at most {LONGEST_REASON} characters of plain text.")
    with transaction.atomic():
        held = Anomaly.objects.select_for_update().get(pk=anomaly.pk)
        end = end_of_plan(held, until) if verdict == Verdict.PLANNED else None
        before = {"verdict": held.verdict, "reason": held.verdict_reason}
        former = (held.verdict, held.decided_at)
        others = visible(standing).select_for_update().filter(lead=held)
        for each in [held, *others]:
            if each.pk == held.pk or not each.verdict or (each.verdict, each.decided_at) == former:
                decide(each, verdict, reason, act)
        audit.record(
            "anomaly.judge", wording.title(held), at=act.at, by=act.by, team=held.team,
            before=before, after={"anomaly": held.pk, "verdict": verdict}, reason=reason,
            address=act.address,
        )  # fmt: skip
        plan(held, end, act)
    return held


def plan(held: Anomaly, end: datetime | None, act: Act) -> None:
    """Let the calendar say the same: one event of it where there is an end, else none."""
    former = held.plans.filter(removed_at=None).first()
    if former and end:
        if former.end < end:
            kept = Draft(former.name, former.start, end, former.filters, former.factor)
            planning.change(former, kept, act)
    elif end:
        planning.add(plan_of(held, end), act, of=held)
    elif former:
        planning.remove(former, act)


def decide(each: Anomaly, verdict: str, reason: str, act: Act) -> None:
    each.verdict, each.verdict_reason = verdict, reason if verdict else ""
    each.decided_by = audit.name_of(act.by) if verdict else ""
    each.decided_at = act.at if verdict else None
    if each.verdict_ends and each.closed_at is None:
        each.closed_at = act.at
    each.save()


def end_of_plan(anomaly: Anomaly, until: datetime | None) -> datetime:
    """As long as it lasted, or as somebody says that it does."""
    if until is None:
        return anomaly.ended_at
    if not anomaly.started_at < until <= anomaly.started_at + LONGEST_PLAN:
        raise NotPossible(
            f"Choose an end after it began, at most {LONGEST_PLAN.days} days after that."
        )
    return max(until, anomaly.ended_at)


def plan_of(anomaly: Anomaly, end: datetime) -> Draft:
    name = f"Planned: {wording.title(anomaly)}".replace("\N{NO-BREAK SPACE}", " ")
    return Draft(
        name=name[: planning.LONGEST_NAME],
        start=anomaly.started_at,
        end=max(end, anomaly.started_at + timedelta(minutes=1)),
        filters={name: [value] for name, value in anomaly.filters.items()},
        factor=None,
    )
