"""What both sides say of the same usage: bill lines and our own sums, brought to the same cells.

A cell is a provider's model on a day of UTC, by account where both sides know accounts. It is as
fine as the bill is: one that names no model is set against all models of the provider and day.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from finops.pricing.formula import EXACT
from finops.reconciliation.lines import USAGE, BillLine, plus

# Of a provider and day the amounts are of one report: they all say the same again.
SOURCES = ("openai costs", "anthropic costs", "aws cost and usage", "focus", "csv")
DATED = re.compile(r"[-@](20\d{2}-?\d{2}-?\d{2}|\d{4})(-v\d+(:\d+)?)?$")
# As OpenTelemetry names them.
PROVIDERS = {
    "aws": "aws.bedrock",
    "amazon web services": "aws.bedrock",
    "azure": "azure.ai.openai",
    "microsoft": "azure.ai.openai",
    "google": "gcp.vertex_ai",
}
ALL_MODELS = ""


class CellKey(NamedTuple):
    provider: str
    model: str
    account: str
    day: date


@dataclass(slots=True)
class Used:
    """What we saw, by kind: quantities, and the effective cost of requests that have a price."""

    requests: int = 0
    unpriced_requests: int = 0
    quantities: dict[str, Decimal] = field(default_factory=dict)
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, other: Used) -> None:
        self.requests += other.requests
        self.unpriced_requests += other.unpriced_requests
        for mine, theirs in ((self.quantities, other.quantities), (self.costs, other.costs)):
            for kind, number in theirs.items():
                mine[kind] = EXACT.add(mine.get(kind, Decimal(0)), number)

    @property
    def cost(self) -> Decimal:
        total = Decimal(0)
        for each in self.costs.values():
            total = EXACT.add(total, each)
        return total


@dataclass(slots=True)
class Billed:
    """What the provider says, by kind ('' is of all kinds). `others` are amounts that are no usage:
    their category → amount."""

    quantities: dict[str, Decimal] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    others: dict[str, Decimal] = field(default_factory=dict)

    def add(self, line: BillLine, *, with_amount: bool) -> None:
        if line.category != USAGE:
            if with_amount and line.amount is not None:
                held = self.others.get(line.category, Decimal(0))
                self.others[line.category] = EXACT.add(held, line.amount)
            return
        if line.quantity is not None and line.kind:
            found = plus(self.quantities.get(line.kind), line.quantity)
            self.quantities[line.kind] = found or Decimal(0)
        if with_amount and line.amount is not None:
            self.amounts[line.kind] = plus(self.amounts.get(line.kind), line.amount) or Decimal(0)


@dataclass(slots=True)
class Pair:
    """One cell: either side may know nothing of it."""

    used: Used | None = None
    billed: Billed | None = None


def pairs(
    ours: Mapping[CellKey, Used],
    bill: Iterable[BillLine],
    accounts: Mapping[str, str] | None = None,
) -> dict[CellKey, Pair]:
    """Both sides by cell. `accounts`: the bill's account → what ours calls it; without it accounts
    are not told apart."""
    lines = list(bill)
    models = model_names({(key.provider, key.model) for key in ours})
    sources = amounts_of(lines)
    found: dict[CellKey, Pair] = {}
    for line in lines:
        provider = provider_name(line.provider)
        account = (accounts or {}).get(line.account, line.account) if accounts else ""
        model = named(models, provider, line.model)
        pair = found.setdefault(CellKey(provider, model, account, line.day), Pair())
        pair.billed = pair.billed or Billed()
        is_source = line.source == sources.get((line.provider, line.day))
        if is_source or line.amount is None:
            pair.billed.add(line, with_amount=is_source)
    whole = without_models(found)
    for key, used in ours.items():
        account = key.account if accounts else ""
        model = ALL_MODELS if (key.provider, account, key.day) in whole else key.model
        pair = found.setdefault(CellKey(key.provider, model, account, key.day), Pair())
        pair.used = pair.used or Used()
        pair.used.add(used)
    return found


def amounts_of(lines: Iterable[BillLine]) -> dict[tuple[str, date], str]:
    """The report whose amounts count, of each provider and day."""
    held: dict[tuple[str, date], set[str]] = defaultdict(set)
    for line in lines:
        if line.amount is not None:
            held[line.provider, line.day].add(line.source)
    order = {name: rank for rank, name in enumerate(SOURCES)}
    return {
        key: min(sources, key=lambda name: (order.get(name, len(order)), name))
        for key, sources in held.items()
    }


def without_models(found: Mapping[CellKey, Pair]) -> set[tuple[str, str, date]]:
    """Provider, account and day of which the bill names no model at all."""
    named_models: dict[tuple[str, str, date], bool] = defaultdict(bool)
    for key, pair in found.items():
        is_usage = pair.billed is not None and (pair.billed.amounts or pair.billed.quantities)
        if is_usage:
            named_models[key.provider, key.account, key.day] |= key.model != ALL_MODELS
    return {place for place, has_names in named_models.items() if not has_names}


def provider_name(name: str) -> str:
    return PROVIDERS.get(name.lower(), name.lower())


def undated(model: str) -> str:
    """gpt-4o-2024-08-06 is a gpt-4o."""
    return DATED.sub("", model.lower())


def model_names(ours: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    """Our models by provider and name without its date."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for provider, model in ours:
        found[provider, undated(model)].add(model)
    return found


def named(models: Mapping[tuple[str, str], Collection[str]], provider: str, model: str) -> str:
    """What we call the bill's model: that one, or the only one of its family. Between two of ours
    nothing is guessed."""
    family = models.get((provider, undated(model)), ())
    return next(iter(family)) if len(family) == 1 and model not in family else model
