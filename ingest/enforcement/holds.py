"""From a question and what budgets say of it to the reservation that is asked for."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from ingest.enforcement.decisions import ALLOW, BLOCK, Verdict
from ingest.enforcement.estimates import Estimate
from ingest.enforcement.questions import TTL_SECONDS, Question
from ingest.enforcement.reservations import Hold, Reservation, key_of
from ingest.enforcement.terms import Place
from ingest.facts import Scope


def reservation_of(
    scope: Scope,
    question: Question,
    verdicts: Sequence[Verdict],
    estimate: Estimate,
    at: datetime,
    *,
    limits: Container[Place],
) -> Reservation:
    """Of every budget that the call costs something, with the limits of those that block, as far
    as the database has to look at them."""
    holds = tuple(
        Hold(
            each.place,
            each.terms.period(at),
            cost,
            each.terms.amount if each.place in limits and _is_limited(each) else None,
        )
        for each in verdicts
        if (cost := estimate.by(each.terms))
    )
    return Reservation(
        id=uuid4(),
        key_id=scope.key_id,
        source=scope.source,
        created_at=at,
        expires_at=at + timedelta(seconds=question.ttl_seconds or TTL_SECONDS),
        holds=holds,
        event_key=key_of(scope.source, question.event_id) if question.event_id else None,
    )


def may_be_held(reservation: Reservation, verdicts: Sequence[Verdict]) -> bool:
    """Whether every budget that says no might say yes by what is reserved at this very moment; not
    so one of which the call holds nothing. What says no is near its limit."""
    limited = {hold.place for hold in reservation.holds if hold.limit is not None}
    return all(each.decision == ALLOW or each.place in limited for each in verdicts)


def _is_limited(verdict: Verdict) -> bool:
    return verdict.terms.policy == BLOCK and verdict.code != "figures_stale"
