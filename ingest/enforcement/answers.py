"""Answers to questions, as JSON and as statuses that proxies understand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from ingest.doors.door import JSON, Answer, problem_json
from ingest.enforcement.authority import Authorization
from ingest.enforcement.decisions import ALLOW, EXACT, THROTTLE, Verdict
from ingest.facts import Scope
from ingest.problems import Problem

DECISION = b"x-farthing-decision"
CODES = {
    "within_budget": "Within the budget.",
    "paced": "The budget is throttled: its calls are spread over what is left of the period.",
    "budget_spent": "With this call the budget would be overspent.",
    "budget_reserved": "What is left is reserved for calls under way.",
    "over_amount": "This call alone costs more than the whole amount of the budget, so waiting is "
    "of no use. Make it smaller, or ask for a higher amount.",
    "price_missing": "Price missing: nobody knows what this model costs, and the budget counts "
    "that as a breach. Add a price on the Prices desk.",
    "figures_stale": "The figures are too old to go by.",
    "not_reserved": "The database is away, so nothing could be reserved.",
}
# Of a budget that throttles with nothing left.
OVERSPENT = (
    "The amount is spent or reserved; the budget throttles and never blocks, so about one call a "
    "minute is let in."
)


def authorized(said: Authorization, scope: Scope) -> Answer:
    """200 whatever was decided: the question was answered."""
    remaining = [each.remaining for each in said.verdicts if _shows_figures(each, scope)]
    held = said.reservation
    body = {
        "decision": said.decision,
        "reasons": [_reason(each, scope) for each in said.verdicts],
        "remaining": _money(min(remaining)) if remaining else None,
        "estimated_cost": None if said.estimate is None else _money(said.estimate),
        "retry_after": said.retry_after,
        "reservation": str(held.id) if held else None,
        "expires_at": _instant(held.expires_at) if held else None,
        "as_of": _instant(said.as_of),
    }
    headers = [(DECISION, said.decision.encode())]
    if said.retry_after is not None:
        headers.append((b"retry-after", str(said.retry_after).encode()))
    return Answer(msgspec.json.encode(body), JSON, 200, tuple(headers))


def as_status(said: Authorization, throttled: int) -> Answer:
    """204 to go on; 403 for blocked calls and `throttled` for throttled ones."""
    if said.decision == ALLOW:
        return Answer(b"", JSON, 204, ((DECISION, ALLOW.encode()),))
    status = throttled if said.decision == THROTTLE else 403
    [first, *_] = [each for each in said.verdicts if each.decision == said.decision]
    problem = Problem(status, _detail(first))
    if said.retry_after is not None:
        problem.headers["retry-after"] = str(said.retry_after)
    answer = problem_json(problem, "")
    return answer._replace(headers=(*answer.headers, (DECISION, said.decision.encode())))


def ended(id: str, state: str) -> Answer:
    return Answer(msgspec.json.encode({"reservation": id, "state": state}))


def _reason(verdict: Verdict, scope: Scope) -> dict[str, Any]:
    terms, position = verdict.terms, verdict.position
    shown = _shows_figures(verdict, scope)
    return {
        "budget": terms.budget,
        "name": terms.name if shown else None,
        "dimension": terms.each or None,
        "value": verdict.place.value if terms.each else None,
        "decision": verdict.decision,
        "code": verdict.code,
        "detail": _detail(verdict),
        "amount": _money(terms.amount) if shown else None,
        "spent": _money(position.spent) if shown else None,
        "reserved": _money(position.reserved) if shown else None,
        "remaining": _money(verdict.remaining) if shown else None,
        "resets_at": _instant(terms.ends),
    }


def _detail(verdict: Verdict) -> str:
    if verdict.code == "paced" and verdict.remaining <= 0:
        return OVERSPENT
    text = CODES[verdict.code]
    if verdict.code in {"figures_stale", "not_reserved"}:
        is_open = verdict.decision == ALLOW
        text += " The budget fails open." if is_open else " The budget fails closed."
    return text


def _shows_figures(verdict: Verdict, scope: Scope) -> bool:
    """A team's key is told of what its team spends and of nobody else; one of no team, as
    administrators make them for gateways, of everything."""
    terms = verdict.terms
    if not scope.team or terms.team == scope.team:
        return True
    return terms.each == "team" and verdict.place.value == scope.team


def _money(amount: Decimal) -> str:
    return f"{EXACT.normalize(amount):f}" if amount else "0"


@lru_cache(maxsize=1_024)  # of periods that end, and of figures
def _instant(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
