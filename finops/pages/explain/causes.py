"""Where most of a change happened: the combinations of dimensions that explain it, with links."""

from __future__ import annotations

from dataclasses import dataclass

from finops import formats, labels
from finops.explanations import Explanation
from finops.pages.explain import wording
from finops.pages.links import START_OF_PATH, address, next_dimension
from finops.query import CostQuery
from finops.root_cause import Cause


@dataclass(frozen=True, slots=True)
class Line:
    """One cause. `names` are its dimensions in words, with their values."""

    names: tuple[tuple[str, str], ...]
    reason: str
    amount: str
    title: str
    share: str
    tone: str
    explore_href: str
    explain_href: str


@dataclass(frozen=True, slots=True)
class Causes:
    """`left` is what no cause explains, "" where that is nothing."""

    lines: tuple[Line, ...]
    left: str
    notes: tuple[str, ...]


def causes(found: Explanation, carried: dict[str, str]) -> Causes:
    told = found.causes
    currency = found.result.currency
    left = told.unexplained
    return Causes(
        tuple(line(found, each, carried) for each in told.causes),
        formats.money_long(left, currency) if left and told.causes else "",
        told.notes,
    )


def line(found: Explanation, cause: Cause, carried: dict[str, str]) -> Line:
    currency = found.result.currency
    amount = cause.difference
    places = wording.places_for(amount)
    only = narrowed(found.query, cause)
    onward = next((n for n in START_OF_PATH if n not in dict(cause.elements)), "model")
    share = cause.share_of_difference
    return Line(
        names=tuple((labels.dimension(name), value) for name, value in cause.elements),
        reason=cause.reason,
        amount=wording.signed(amount, round(amount, places), places, currency),
        title=formats.money_exact(amount, currency),
        share="" if share is None else formats.share_short(share, 1),
        tone="worse" if amount > 0 else "better" if amount < 0 else "",
        explore_href=address("explore", only.replace(group_by=(onward,), compare=True)),
        explain_href=address(
            "explain", only.replace(group_by=(next_dimension(only) or onward,)), **carried
        ),
    )


def narrowed(query: CostQuery, cause: Cause) -> CostQuery:
    """Of the same usage what the cause is about."""
    for dimension, value in cause.elements:
        query = query.without_filter(dimension).with_filter(dimension, value)
    return query.replace(limit=None)
