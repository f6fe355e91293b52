"""What an allocation is made of and comes to: usage by line, shares of cost items, totals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from finops.pricing.formula import EXACT
from finops.query import UNATTRIBUTED

ZERO = Decimal(0)


class LineKey(NamedTuple):
    """One line of a month. A dimension that the cost has not, as the feature of a seat, is ''."""

    cost_center: str
    team: str = ""
    feature: str = ""
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over requests. `direct_cost` is in the reporting currency and knows nothing of the
    `unpriced_requests`, whose cost is not known."""

    requests: int = 0
    unpriced_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    direct_cost: Decimal = ZERO

    @property
    def counts(self) -> tuple[int, int, int]:
        """Requests, input and output tokens."""
        return self.requests, self.input_tokens, self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.unpriced_requests + other.unpriced_requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            EXACT.add(self.direct_cost, other.direct_cost),
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a closed month came to later: it is borne in this one and points to where it is from.
    `item` is that of paid capacity which it gives back, '' of usage."""

    key: LineKey
    amount: Decimal
    month: date  # the first day of the month that it corrects
    version: int  # of that month's statements
    reason: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """All that a line bears. Money is exact, in the reporting currency."""

    key: LineKey
    usage: Usage = Usage()
    shared_cost: Decimal = ZERO
    idle_cost: Decimal = ZERO
    adjustment: Decimal = ZERO

    @property
    def direct_cost(self) -> Decimal:
        return self.usage.direct_cost

    @property
    def total_cost(self) -> Decimal:
        return add_up((self.direct_cost, self.shared_cost, self.idle_cost, self.adjustment))

    def plus(self, column: str, amount: Decimal) -> Line:
        """With so much more in `shared_cost`, `idle_cost` or `adjustment`."""
        changed: dict[str, Any] = {column: EXACT.add(getattr(self, column), amount)}
        return replace(self, **changed)


@dataclass(frozen=True, slots=True)
class Share:
    """What one cost center bears of one charge, and why: its weight of the weight of all."""

    item: str
    name: str
    column: str
    cost_center: str
    amount: Decimal
    method: str
    measure: str
    weight: Decimal
    of_weight: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """A month's cost by line, in the order of their keys, and the shares that led to it, in the
    order in which the charges were shared out."""

    lines: tuple[Line, ...]
    shares: tuple[Share, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def totals(self) -> Line:
        return in_all(self.lines)

    def by_cost_center(self) -> dict[str, Line]:
        """Their totals, dearest first."""
        held: dict[str, list[Line]] = {}
        for line in self.lines:
            held.setdefault(line.key.cost_center, []).append(line)
        sums = {center: in_all(lines) for center, lines in held.items()}
        return dict(sorted(sums.items(), key=lambda pair: (-pair[1].total_cost, pair[0])))

    def allocated_percent(self) -> Decimal | None:
        """How much of the cost has a cost center; None where nothing cost anything. What is given
        back counts by its size: a credit that nobody owns is not allocated either."""
        borne = {code: abs(each.total_cost) for code, each in self.by_cost_center().items()}
        total = add_up(borne.values())
        return Decimal(100) - 100 * borne.get(UNATTRIBUTED, Decimal(0)) / total if total else None


def in_all(lines: Iterable[Line]) -> Line:
    """The sums of each column, of no key."""
    found = Line(LineKey(""))
    for line in lines:
        found = Line(
            found.key,
            found.usage + line.usage,
            EXACT.add(found.shared_cost, line.shared_cost),
            EXACT.add(found.idle_cost, line.idle_cost),
            EXACT.add(found.adjustment, line.adjustment),
        )
    return found


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, to the last digit."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
