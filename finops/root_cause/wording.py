"""Causes told in words, with exact figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from finops.formats import share_short
from finops.root_cause.findings import Elements

Tell = Callable[[Decimal], str]


def plainly(number: Decimal) -> str:
    """1,234.5, four digits of what is below 1."""
    return f"{number:,.2f}" if abs(number) >= 1 else f"{number:.4g}"


@dataclass(frozen=True, slots=True)
class Words:
    """How figures are written, and what the numerator of a ratio is counted by ("requests")."""

    tell: Tell = plainly
    denominator: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What one combination came to. `weight` is its part of the denominator of a ratio."""

    actual: Decimal | None
    expected: Decimal | None
    weight: Decimal | None = None
    former_weight: Decimal | None = None


def named(elements: Elements) -> str:
    return " AND ".join(f"{dimension}={value}" for dimension, value in elements)


def reason(
    elements: Elements,
    part: Part,
    difference: Decimal,
    whole: Decimal,
    words: Words,
    *,
    is_rest: bool,
) -> str:
    """feature=search AND model=gpt-x rose from $120.00 to $480.00, 91.0 % of the rise."""
    subject = f"the rest of {named(elements)}" if is_rest else named(elements)
    return f"{subject} {movement(part, words)}, {contribution(difference, whole)}"


def movement(part: Part, words: Words) -> str:
    if not part.expected and not part.actual:
        return "stayed at nothing"
    if part.expected is None or (not part.expected and part.weight is None):
        return f"came to {words.tell(part.actual or Decimal(0))} where nothing was before"
    if part.actual is None or (not part.actual and part.weight is None):
        return f"fell to nothing, from {words.tell(part.expected)}"
    moved = changed(part.expected, part.actual, words.tell)
    if part.weight is None or part.former_weight is None:
        return moved
    weights = changed(part.former_weight, part.weight, lambda share: share_short(share, 1))
    return f"{moved}, and its part of all {words.denominator or 'usage'} {weights}"


def changed(before: Decimal, now: Decimal, tell: Tell) -> str:
    if tell(before) == tell(now):
        return f"stayed at {tell(now)}"
    return f"{'rose' if now > before else 'fell'} from {tell(before)} to {tell(now)}"


def contribution(difference: Decimal, whole: Decimal) -> str:
    if not whole:
        return "which other changes cancel"
    direction = "rise" if whole > 0 else "fall"
    if not difference:
        return f"without a part in the {direction}"
    if (difference > 0) != (whole > 0):
        return f"against the {direction}"
    return f"{share_short(difference, whole)} of the {direction}"


def absence(
    count: int, combinations: int, actual: Decimal | None, expected: Decimal | None, words: Words
) -> str:
    """Why there is no cause."""
    if not count or (actual is None and expected is None):
        return "There is nothing to compare: neither side has usage."
    if actual == expected:
        return f"Nothing stands out: it came to {words.tell(actual or Decimal(0))} both times."
    if count == 1 or not combinations:
        return "All of it is one combination, so there is nothing to tell apart."
    return (
        "No combination stands out: what changed is spread over many, or within their usual play."
    )


def alike(actual: Decimal | None, expected: Decimal | None, words: Words) -> str:
    """Where everything changed by much the same factor."""
    if not expected and actual:
        return "There was nothing before: all of it is new."
    if not actual and expected:
        return "There is nothing any more: all of it is gone."
    if actual is None or expected is None:
        return ""
    return f"Everything {changed(expected, actual, words.tell)} much alike, as a whole."
