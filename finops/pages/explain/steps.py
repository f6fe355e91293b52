"""The waterfall: from one period's cost to the other's, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops import formats
from finops.explanations import Explanation, Row
from finops.pages.explain import wording
from finops.pages.filters import period_text
from finops.waterfall import Bar, Waterfall, waterfall

# A group is named beside a part that it makes so much of.
MOSTLY = Decimal("0.4")
# Of a part that is less than so much of the largest one none is.
ASKED = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Line:
    """One bar of the waterfall, in words and figures."""

    name: str
    amount: str
    title: str
    bar: Bar
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """`cut` says where the axis begins, "" where that is zero; `zero` is where zero is on it."""

    lines: tuple[Line, ...]
    cut: str
    zero: float | None
    currency: str


def steps(found: Explanation, shown: Sequence[Row], now: datetime) -> Steps:
    """Parts that are nothing are left out."""
    whole, currency = found.bridge.whole, found.result.currency
    parts = {name: amount for name, amount in whole.parts.items() if amount}
    before, after = whole.before.effective_cost, whole.after.effective_cost
    drawn = waterfall(before, list(parts.values()))
    places = wording.places_for(before, after)
    rounded = wording.steps_of(whole, places)
    known = (whole.before.known_cost, whole.after.known_cost)
    sums = [
        Line(
            name,
            formats.MISSING
            if amount is None
            else wording.unsigned(amount, round(amount, places), places),
            formats.money_exact(amount, currency),
            bar,
        )
        for name, amount, bar in (
            (wording.sum_text(found, now), known[0], drawn.bars[0]),
            (period_text(found.result.query, now), known[1], drawn.bars[-1]),
        )
    ]
    lines = [
        Line(
            wording.PARTS[name],
            wording.signed(amount, rounded[name], places),
            formats.money_exact(amount, currency),
            bar,
            notes(found, name, leader(name, shown, parts), places),
        )
        for (name, amount), bar in zip(parts.items(), drawn.bars[1:-1], strict=True)
    ]
    return Steps((sums[0], *lines, sums[1]), cut(drawn, currency), drawn.zero, currency)


def leader(part: str, shown: Sequence[Row], parts: dict[str, Decimal]) -> Row | None:
    """The group that makes most of a part, where there are several and the part is worth asking."""
    amount = parts[part]
    named = [row for row in shown if not row.is_other]
    if len(shown) < 2 or not named or abs(amount) < ASKED * max(map(abs, parts.values())):
        return None
    first = max(named, key=lambda row: row.group.parts[part] * (1 if amount > 0 else -1))
    own = first.group.parts[part]
    return first if own * amount > 0 and abs(own) >= MOSTLY * abs(amount) else None


def notes(found: Explanation, part: str, first: Row | None, places: int) -> tuple[str, ...]:
    """What the part is, and the group it comes from: lengths and shares are then that one's, as
    those of all may hide what changed there."""
    if first is None:
        return (wording.meaning(part, found, found.bridge.whole),)
    own = first.group.parts[part]
    amount = wording.signed(own, round(own, places), places, found.result.currency)
    mostly = f"mostly {' · '.join(first.keys)} {amount}"
    if part in wording.OF_ONE_GROUP:
        return (f"{mostly}, with {wording.meaning(part, found, first.group)}",)
    return wording.meaning(part, found, found.bridge.whole), mostly


def cut(drawn: Waterfall, currency: str) -> str:
    if drawn.zero is not None:
        return ""
    return formats.money_short(drawn.begins_at, currency)
