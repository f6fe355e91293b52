"""What is paid beside requests, in one month, and who is to bear it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from finops.allocation.lines import LineKey, Usage
from finops.query import UNATTRIBUTED

Column = Literal["shared_cost", "idle_cost"]
# What a share is in proportion to. `so_far` is what a line bears before this charge, `used` what
# its use of paid capacity comes to of the fee, hour by hour.
Measure = Literal["direct_cost", "so_far", "requests", "tokens", "used"]
Method = Literal["proportional", "even", "fixed", "weighted"]


@dataclass(frozen=True, slots=True)
class Percent:
    """An amount that follows what others come to: overhead, a tax, a credit (below zero)."""

    percent: Decimal
    of: Literal["direct_cost", "so_far"] = "direct_cost"


@dataclass(frozen=True, slots=True)
class Charge:
    """One amount of one cost item in one month, and how it is shared out.

    - `proportional`: by `measure`.
    - `even`: the same for every cost center that is meant.
    - `fixed`: `weights` are percent; what they leave of a hundred is the `fallback`'s.
    - `weighted`: by `weights`, whatever they come to.

    `scope` is the usage that is meant, where it is not all of the month; `targets` the cost
    centers, where it is not all that have usage there. What nobody there can bear is the
    `fallback`'s. `used` is what each line used of capacity, and `paid` what it bears of the amount
    already, as its direct cost: it bears so much less.
    """

    item: str
    name: str
    amount: Decimal | Percent
    column: Column = "shared_cost"
    method: Method = "proportional"
    measure: Measure = "direct_cost"
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    scope: Mapping[LineKey, Usage] | None = None
    used: Mapping[LineKey, Decimal] = field(default_factory=dict)
    paid: Mapping[LineKey, Decimal] = field(default_factory=dict)
    targets: frozenset[str] | None = None
    fallback: str = UNATTRIBUTED


def problem_of(charge: Charge) -> str | None:
    """Why it cannot be shared out so, in words for whoever wrote it; None where it can."""
    total = sum(charge.weights.values(), Decimal(0))
    if any(weight < 0 for weight in charge.weights.values()):
        return "A share is not negative."
    if charge.method == "fixed" and not 0 < total <= 100:
        return f"The shares come to {total:f} percent: write more than 0 and at most 100."
    if charge.method == "weighted" and not total:
        return "Give at least one cost center a weight above 0."
    is_relative = isinstance(charge.amount, Percent) and charge.amount.of == "so_far"
    if charge.scope is not None and (is_relative or charge.measure == "so_far"):
        return "What was borne so far is known of whole lines: leave the scope out."
    return None
