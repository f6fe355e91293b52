"""What a localization finds: combinations of dimensions that explain a difference."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# Dimension and value, in the order in which the dimensions were given.
Elements = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """One combination of dimensions that changed.

    `actual` and `expected` are its figures, without what causes before it hold already (then
    `is_rest` is true); None of a ratio of nothing. `difference` is what it adds to the difference
    of the whole: the differences of all causes and what is unexplained sum to that exactly.
    `share_of_difference` is that as a part of it, below zero where it goes the other way, None
    where there is no difference in all. `score` is the evidence, in natural log-likelihood: larger
    is surer. `same` lists combinations of as few elements that hold the very same leaves.
    """

    elements: Elements
    actual: Decimal | None
    expected: Decimal | None
    difference: Decimal
    share_of_difference: float | None
    score: float
    reason: str
    is_rest: bool = False
    same: tuple[Elements, ...] = ()


@dataclass(frozen=True, slots=True)
class Localization:
    """Causes, the one with most evidence first, and what they leave.

    `unexplained` = `difference` − the differences of the causes. `difference` is None where a
    ratio is of nothing. `note` says in words why there is no cause, or that the search was bounded.
    """

    causes: tuple[Cause, ...]
    actual: Decimal | None
    expected: Decimal | None
    difference: Decimal | None
    unexplained: Decimal | None
    note: str = ""
