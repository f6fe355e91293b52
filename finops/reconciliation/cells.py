"""What both sides say of the same usage: bill lines and our own sums, brought to the same cells.

A cell is a provider's model on a day of UTC, by account where both sides know accounts. It is as
fine as the bill is: one whose amounts name no model is set against all models of the provider and
day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from finops.pricing.formula import EXACT
from finops.reconciliation.lines import USAGE, BillLine, plus
from finops.reconciliation.naming import cell_names, provider_name
from finops.reconciliation.openai_reports import USAGE_REPORTS

# Of a provider and day the amounts are of one report, as are the quantities of a cell's kind: they
# all say the same again. The best come first.
OWN = "csv"
SOURCES = ("openai costs", "anthropic costs", "aws cost and usage", "focus", OWN)
COUNTING = (USAGE_REPORTS, "anthropic usage", "aws cost and usage", "focus", OWN)
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

    def add(self, line: BillLine) -> None:
        """What it comes to."""
        held, name = (
            (self.amounts, line.kind) if line.category == USAGE else (self.others, line.category)
        )
        held[name] = plus(held.get(name), line.amount) or Decimal(0)


@dataclass(slots=True)
class Pair:
    """One cell: either side may know nothing of it. `is_known`: what the provider bills of it is
    known, be it nothing."""

    used: Used | None = None
    billed: Billed | None = None
    is_known: bool = False


Place = tuple[str, date]


def pairs(
    ours: Mapping[CellKey, Used],
    bill: Iterable[BillLine],
    *,
    targets: Mapping[tuple[str, str], str] | None = None,
    empty: Collection[Place] = (),
) -> dict[CellKey, Pair]:
    """Both sides by cell. `targets`: provider and account of the bill → what ours calls it; without
    it accounts are not told apart. `empty` are providers and days of which nothing is billed."""
    placed = [(provider_name(line.provider), line) for line in bill]
    sources = amounts_of(placed)
    names = names_of(ours, placed)
    keyed = [
        (
            CellKey(
                provider,
                names.get((provider, line.day), {}).get(line.model.lower(), line.model),
                (targets or {}).get((provider, line.account), ""),
                line.day,
            ),
            line,
        )
        for provider, line in placed
    ]
    whole = without_models(keyed, sources)
    found: dict[CellKey, Pair] = defaultdict(Pair)
    fill(found, keyed, sources, whole)
    known = Known.of(keyed, sources, empty)
    for key, used in ours.items():
        account = key.account if targets is not None else ""
        is_whole = (key.provider, account, key.day) in whole
        named = names[key.provider, key.day].get(key.model.lower(), key.model)
        place = CellKey(key.provider, ALL_MODELS if is_whole else named, account, key.day)
        pair = found[place]
        pair.used = pair.used or Used()
        pair.used.add(used)
    for key, pair in found.items():
        pair.is_known = known.has(key)
    return dict(found)


@dataclass(frozen=True, slots=True)
class Known:
    """Of what the amounts are known. A provider's report of costs says all of its day; a table of
    one's own only what it names."""

    whole_days: frozenset[Place]
    named: frozenset[tuple[str, str, date]]

    @classmethod
    def of(
        cls,
        keyed: Iterable[tuple[CellKey, BillLine]],
        sources: Mapping[Place, str],
        empty: Collection[Place],
    ) -> Known:
        days, named = set(empty), set()
        for key, line in keyed:
            if line.amount is None or line.source != sources[key.provider, key.day]:
                continue
            if line.source == OWN:
                named.add((key.provider, key.model, key.day))
            else:
                days.add((key.provider, key.day))
        return cls(frozenset(days), frozenset(named))

    def has(self, key: CellKey) -> bool:
        return (key.provider, key.day) in self.whole_days or (
            (key.provider, key.model, key.day) in self.named
        )


def fill(
    found: dict[CellKey, Pair],
    keyed: Iterable[tuple[CellKey, BillLine]],
    sources: Mapping[Place, str],
    whole: Collection[tuple[str, str, date]],
) -> None:
    """The billed side of cells: amounts of one report, quantities of that or of one that counts."""
    counts: dict[tuple[CellKey, str], dict[str, Decimal]] = defaultdict(dict)
    for key, line in keyed:
        source = sources.get((key.provider, key.day))
        is_whole = (key.provider, key.account, key.day) in whole
        place = key._replace(model=ALL_MODELS) if is_whole else key
        if line.amount is not None and line.source != source:
            continue
        pair = found[place]
        pair.billed = pair.billed or Billed()
        if line.amount is not None:
            pair.billed.add(line)
        if line.category == USAGE and line.quantity is not None and line.kind:
            held, family = counts[place, line.kind], family_of_source(line.source)
            held[family] = plus(held.get(family), line.quantity) or Decimal(0)
    for (place, kind), held in counts.items():
        pair = found[place]
        assert pair.billed is not None
        source = sources.get((place.provider, place.day), "")
        family = source if source in held else min(held, key=rank(COUNTING))
        pair.billed.quantities[kind] = held[family]


def family_of_source(source: str) -> str:
    """The reports of OpenAI's endpoints are of different requests."""
    return USAGE_REPORTS if source.startswith(USAGE_REPORTS) else source


def rank(order: tuple[str, ...]) -> Callable[[str], tuple[int, str]]:
    return lambda name: (order.index(name) if name in order else len(order), name)


def amounts_of(placed: Iterable[tuple[str, BillLine]]) -> dict[Place, str]:
    """The report whose amounts count, of each provider and day."""
    held: dict[Place, set[str]] = defaultdict(set)
    for provider, line in placed:
        if line.amount is not None:
            held[provider, line.day].add(line.source)
    return {place: min(sources, key=rank(SOURCES)) for place, sources in held.items()}


def names_of(
    ours: Iterable[CellKey], placed: Iterable[tuple[str, BillLine]]
) -> dict[Place, dict[str, str]]:
    sides: dict[Place, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for provider, line in placed:
        if line.model:
            sides[provider, line.day][0].add(line.model)
    for key in ours:
        sides[key.provider, key.day][1].add(key.model)
    return {place: cell_names(*models) for place, models in sides.items()}


def without_models(
    keyed: Iterable[tuple[CellKey, BillLine]], sources: Mapping[Place, str]
) -> set[tuple[str, str, date]]:
    """Provider, account and day of which the bill's amounts name no model at all; where it has no
    amounts, its quantities."""
    amounts: dict[tuple[str, str, date], bool] = defaultdict(bool)
    counts: dict[tuple[str, str, date], bool] = defaultdict(bool)
    for key, line in keyed:
        place = (key.provider, key.account, key.day)
        if line.category != USAGE:
            continue
        if line.amount is not None and line.source == sources[key.provider, key.day]:
            amounts[place] |= key.model != ALL_MODELS
        elif line.amount is None and line.quantity is not None:
            counts[place] |= key.model != ALL_MODELS
    return {place for place, has_names in (counts | amounts).items() if not has_names}
