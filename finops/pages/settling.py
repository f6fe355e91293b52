"""How settlements have changed a request, as a table: event, reversals, settled rows, the sum."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from finops import formats, labels
from finops.pages.requests import address_of
from finops.requests import Settling, UsageRequest

NAMES = {"event": "As it was recorded", "reversal": "Reversal", "settled": "Settled"}


@dataclass(frozen=True, slots=True)
class SettlingLine:
    """`cells` are buckets with their tokens; `is_shown` is the row whose page this is."""

    name: str
    id: str
    href: str
    cells: list[tuple[str, str]]
    cost: str
    counts: bool
    is_shown: bool


@dataclass(frozen=True, slots=True)
class SettlingTable:
    buckets: list[str]
    lines: list[SettlingLine]
    change: list[tuple[str, str]]
    cost_change: str


@dataclass(frozen=True, slots=True)
class SettledLine:
    """What the figures were and how they changed; `href` leads to the row that counts, "" on it."""

    cost: str
    tokens: str
    href: str


def settled_line(settling: Settling, shown: UsageRequest, currency: str) -> SettledLine:
    before, now = settling.original, settling.in_force
    was, change = before.costs["effective_cost"], settling.costs["effective_cost"]
    money = "unpriced" if was is None else formats.money_long(was, currency)
    if change is not None:
        money += f", {added(change, formats.money_long(change, currency))}"
    old, new = (row.input_tokens + row.output_tokens for row in (before, now))
    tokens = f"{formats.count_long(old)} tokens, {added(new - old, formats.count_long(new - old))}"
    is_it = now.event_key == shown.event_key
    return SettledLine(money, tokens, "" if is_it else address_of(now))


def added(change: Decimal | int, text: str) -> str:
    return "no change" if not change else f"+{text}" if change > 0 else text


def settling_table(settling: Settling | None, shown: UsageRequest) -> SettlingTable | None:
    """Of the buckets that any of the rows uses; None where there is nothing to tell."""
    if settling is None:
        return None
    used = [
        name for name in settling.original.tokens if any(row.tokens[name] for row in settling.rows)
    ]
    return SettlingTable(
        [bucket for bucket, _ in cells(settling.original.tokens, used)],
        [line(row, settling, shown, used) for row in settling.rows],
        cells(settling.tokens, used),
        formats.money_exact(settling.costs["effective_cost"], ""),
    )


def line(
    row: UsageRequest, settling: Settling, shown: UsageRequest, used: list[str]
) -> SettlingLine:
    return SettlingLine(
        NAMES[row.kind],
        row.id,
        address_of(row),
        cells(row.tokens, used),
        formats.money_exact(row.costs["effective_cost"], ""),
        row.event_key == settling.in_force.event_key,
        row.event_key == shown.event_key,
    )


def cells(tokens: dict[str, int], used: list[str]) -> list[tuple[str, str]]:
    return [
        (labels.BUCKETS[name.removesuffix("_tokens")], formats.count_long(tokens[name]))
        for name in used
    ]
