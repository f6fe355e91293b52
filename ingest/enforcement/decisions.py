"""The rules: what a budget says to one call. Pure: figures and the moment are arguments.

block     what is spent, what is reserved and this call fit into the amount, or it is refused
throttle  from a percentage of the amount on, calls are spread over what is left of the period
"""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Context, Decimal
from typing import NamedTuple

from ingest.enforcement.terms import Place, Terms

ALLOW, THROTTLE, BLOCK = "allow", "throttle", "block"
SEVERITY = {ALLOW: 0, THROTTLE: 1, BLOCK: 2}
# A call that costs nobody knows what is let in as often.
SHORTEST_PAUSE = 1.0
# However little remains, a throttled budget lets a call in as often; blocking is another policy.
LONGEST_PAUSE = 60.0
# Reservations end when calls do.
RESERVED_PAUSE = 2.0
ROLLING_PAUSE = 300.0
STALE_PAUSE = 5.0
# With so much of the amount left after a call no other process can have reserved all of it since
# this one read the figures; nearer to the limit the database is asked.
NEAR_SHARE = Decimal("0.1")
# Asked by its methods: to make it the thread's own takes longer than they do.
EXACT = Context(prec=120)
NOTHING = Decimal(0)


class Position(NamedTuple):
    """What is spent, by the figures, and what is reserved beside it."""

    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)


class Verdict(NamedTuple):
    """What one budget says, and why. `pause` is in seconds; None where waiting is of no use."""

    terms: Terms
    place: Place
    decision: str
    code: str
    position: Position
    estimate: Decimal
    remaining: Decimal
    pause: float | None = None


def judge(
    terms: Terms, place: Place, position: Position, estimate: Decimal | None, at: datetime
) -> Verdict:
    """Of a call that costs `estimate`, None where nobody knows a price, as far as amounts go.

    A decision to throttle holds if the budget has let in another call within `pause`.
    """
    cost = NOTHING if estimate is None else estimate
    used = EXACT.add(position.spent, position.reserved)
    remaining = EXACT.subtract(terms.amount, used)
    said = Verdict(terms, place, ALLOW, "within_budget", position, cost, remaining)
    if estimate is None and terms.unpriced == "breach":
        decision, pause = (BLOCK, None) if terms.policy == BLOCK else (THROTTLE, LONGEST_PAUSE)
        return said._replace(decision=decision, code="price_missing", pause=pause)
    if terms.policy == BLOCK and not fits(terms.amount, position, cost):
        code = _why_it_does_not_fit(terms.amount, position, cost)
        return said._replace(decision=BLOCK, code=code, pause=_pause(terms, code, at))
    start = throttled_from(terms)
    if start is not None and EXACT.add(used, cost) >= start:
        pause = pacing(terms, remaining, cost, at)
        return said._replace(decision=THROTTLE, code="paced", pause=pause)
    return said


def fits(amount: Decimal, position: Position, cost: Decimal) -> bool:
    """Whether a call of this cost keeps the amount; one of no known cost needs something left."""
    after = EXACT.add(EXACT.add(position.spent, position.reserved), cost)
    return after <= amount if cost else after < amount


def _why_it_does_not_fit(amount: Decimal, position: Position, cost: Decimal) -> str:
    if not fits(amount, Position(), cost):
        return "over_amount"
    return "budget_reserved" if fits(amount, Position(position.spent), cost) else "budget_spent"


def is_near(verdict: Verdict, undecided: Decimal) -> bool:
    """Whether this call, and those on which is not decided yet, leave so little that the database
    must be asked."""
    left = EXACT.subtract(EXACT.subtract(verdict.remaining, undecided), verdict.estimate)
    return left < EXACT.multiply(verdict.terms.amount, NEAR_SHARE)


def pacing(terms: Terms, remaining: Decimal, cost: Decimal, at: datetime) -> float:
    """Seconds between calls of this cost that spend what remains just by the period's end."""
    if terms.ends is None:
        return SHORTEST_PAUSE if remaining > 0 else LONGEST_PAUSE
    if remaining <= 0:
        return LONGEST_PAUSE
    left = max((terms.ends - at).total_seconds(), 0.0)
    return min(max(float(EXACT.divide(cost, remaining)) * left, SHORTEST_PAUSE), LONGEST_PAUSE)


def stale(terms: Terms, place: Place, position: Position, cost: Decimal, code: str) -> Verdict:
    """Without figures to go by: let in, or, where the budget fails closed, not."""
    used = EXACT.add(position.spent, position.reserved)
    remaining = EXACT.subtract(terms.amount, used)
    said = Verdict(terms, place, ALLOW, code, position, cost, remaining)
    return said._replace(decision=BLOCK, pause=STALE_PAUSE) if terms.fail_closed else said


def worst(verdicts: list[Verdict]) -> str:
    return max((each.decision for each in verdicts), key=SEVERITY.__getitem__, default=ALLOW)


def retry_after(verdicts: list[Verdict], decision: str) -> int | None:
    """Whole seconds until the last of those that say so lets it in; None where none ever may."""
    pauses = [each.pause for each in verdicts if each.decision == decision]
    known = [pause for pause in pauses if pause is not None]
    if decision == ALLOW or len(known) < len(pauses):
        return None
    return max(1, math.ceil(max(known)))


def throttled_from(terms: Terms) -> Decimal | None:
    """What is spent, reserved and asked for from there on is let in by turns; None where never."""
    if terms.throttle_percent is not None:
        return EXACT.multiply(terms.amount, terms.throttle_percent.scaleb(-2))
    return terms.amount if terms.policy == THROTTLE else None


def _pause(terms: Terms, code: str, at: datetime) -> float | None:
    if code == "over_amount":  # nor would it in a period of which nothing is spent
        return None
    if code == "budget_reserved":
        return RESERVED_PAUSE
    if terms.ends is None:
        return ROLLING_PAUSE
    return max((terms.ends - at).total_seconds(), SHORTEST_PAUSE)
