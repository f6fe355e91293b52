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
) -> Reservation:
    """Of every budget that the call costs something, with the limits of those that block."""
    holds = tuple(
        Hold(
            each.place,
            each.terms.period(at),
            cost,
            each.terms.amount if _is_limited(each) else None,
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
    so one that the call is held nothing of."""
    limited = {hold.place for hold in reservation.holds if hold.limit is not None}
    return all(each.decision == ALLOW or each.place in limited for each in verdicts)


def limited_at(near: Container[Place], reservation: Reservation) -> Reservation:
    """With the limits of these places alone."""
    return reservation._replace(
        holds=tuple(
            hold if hold.limit is None or hold.place in near else hold._replace(limit=None)
            for hold in reservation.holds
        )
    )


def _is_limited(verdict: Verdict) -> bool:
    return verdict.terms.policy == BLOCK and verdict.code != "figures_stale"
