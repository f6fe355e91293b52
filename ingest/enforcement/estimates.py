"""What a call may cost: as the gateway says, or its expected tokens at the ledger's prices now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ingest.enforcement.decisions import EXACT
from ingest.enforcement.questions import Question
from ingest.enforcement.terms import Terms
from ingest.events import SERVICE_TIERS
from ingest.rating import RateCard
from ingest.usage import INPUT_BUCKETS, disjoint

_MILLION = Decimal("0.000001")


class Estimate(NamedTuple):
    """Of both kinds of cost, None where no price is known; `tokens` are those that have none."""

    effective: Decimal | None
    listed: Decimal | None
    tokens: int = 0

    def by(self, terms: Terms) -> Decimal | None:
        """What it comes to for a budget; None where that budget calls it a breach."""
        cost = self.listed if terms.cost == "list" else self.effective
        if cost is not None:
            return cost
        if terms.unpriced == "breach":
            return None
        if terms.unpriced == "estimate" and terms.unpriced_rate is not None:
            return EXACT.multiply(
                EXACT.multiply(terms.unpriced_rate, Decimal(self.tokens)), _MILLION
            )
        return Decimal(0)


NOTHING = Estimate(Decimal(0), Decimal(0))


def estimate_of(card: RateCard | None, question: Question, at: datetime) -> Estimate:
    if question.estimated_cost is not None:
        return Estimate(question.estimated_cost, question.estimated_cost)
    tokens = disjoint(question.input_tokens or 0, question.output_tokens or 0, 0, 0, 0, 0, 0, 0)
    if not any(tokens):
        return NOTHING
    unpriced = Estimate(None, None, sum(tokens))
    if card is None:
        return unpriced
    rate = card.rates(
        provider=question.provider or "unknown",
        model=question.model or "",
        service_tier=SERVICE_TIERS[question.service_tier or "standard"],
        cache="none",
        fleet=question.fleet or "",
    ).at(at, sum(tokens[:INPUT_BUCKETS]))
    costs = card.tariff(rate).estimate(tokens) if rate else None
    return Estimate(*costs) if costs else unpriced
