"""What a provider says was used or is owed: one line of a usage report, a cost report or a bill."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from finops.pricing.formula import EXACT

# The kinds of what is billed, as rollups keep cost and quantity by them.
UNCACHED_INPUT = "uncached_input"
CACHE_READ = "cache_read_input"
CACHE_CREATION = "cache_creation_input"
OUTPUT = "output"
REQUEST = "request"
TOKEN_KINDS = (UNCACHED_INPUT, CACHE_READ, CACHE_CREATION, OUTPUT)
USAGE, CREDIT, TAX, FEE = "usage", "credit", "tax", "fee"
# What a report is by besides, where its lines are of less than a day: the length of a slot → it.
SLOTS = {2: "hour", 5: "minute"}

# How providers and price sheets name them; of several that fit the first one holds.
_NAMED = (
    (CACHE_CREATION, r"cache[ _-]?(writ|creat)|ephemeral|cachewrite"),
    (CACHE_READ, r"cache[ _-]?(read|hit)|cached|cacheread"),
    (OUTPUT, r"output|completion|generated"),
    (UNCACHED_INPUT, r"input|prompt|context"),
)


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line. `quantity` is in tokens (of a kind of tokens) or requests, `amount` in `currency`;
    None is what the report does not say: a usage report has no amounts, a cost report may have no
    quantities. `day` is the provider's, of UTC.

    `account` is the project, workspace or key, `detail` whatever else tells two lines of a report
    apart, and `grouping` names what the report is by: two reports of one day by different things
    are the same usage twice. `slot` is the part of the day that it is of, where that is less than
    the day: "05" an hour, "05:07" a minute.
    """

    provider: str
    source: str
    day: date
    model: str = ""
    kind: str = ""
    account: str = ""
    detail: str = ""
    quantity: Decimal | None = None
    amount: Decimal | None = None
    currency: str = "USD"
    category: str = USAGE
    grouping: tuple[str, ...] = ()
    slot: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What a later report of the same has in common with it."""
        return (
            *(self.provider, self.source, self.day.isoformat(), self.account, self.model),
            *(self.kind, self.detail, self.category, self.currency),
            *([self.slot] if self.slot else []),
        )

    @property
    def place(self) -> tuple[str, str, date]:
        """Of what a report by other things would say the same usage again."""
        return self.provider, self.source, self.day


@dataclass(slots=True)
class LeftOut:
    """What a file has besides inference: how many lines, and what they come to by currency."""

    lines: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def add(self, amount: Decimal | None, currency: str) -> None:
        self.lines += 1
        if amount:
            self.amounts[currency] = EXACT.add(self.amounts.get(currency, Decimal(0)), amount)


class UnreadableBill(ValueError):
    """Nothing is taken of a report of which a line cannot be read: `problems` say which and why."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems[:5]))


def kind_of(text: str) -> str:
    """The kind that the words of a line item mean, '' of none."""
    words = text.lower()
    return next((kind for kind, named in _NAMED if re.search(named, words)), "")


def merged(lines: Iterable[BillLine]) -> list[BillLine]:
    """Lines of one report that say the same of different requests are one. What a report is by is
    what any of its lines is by: a request without a key leaves the key out."""
    found: dict[tuple[str, ...], BillLine] = {}
    groupings: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
    for line in lines:
        groupings[line.source, len(line.slot)].update(dict.fromkeys(line.grouping))
        identity = line.identity
        held = found.get(identity)
        if held is None:
            found[identity] = line
        else:
            quantity, amount = (
                plus(held.quantity, line.quantity),
                plus(held.amount, line.amount),
            )
            found[identity] = replace(held, quantity=quantity, amount=amount)
    by = {
        (source, width): tuple(sorted(names)) + ((SLOTS[width],) if width else ())
        for (source, width), names in groupings.items()
    }
    return [replace(each, grouping=by[each.source, len(each.slot)]) for each in found.values()]


def kept(held: Iterable[BillLine], fresh: Iterable[BillLine]) -> list[BillLine]:
    """What there is once another report has come: it takes the place of what says the same, and of
    all that a report by other things said of the same part of a day. So overlapping reports count
    once."""
    came = list(fresh)
    by: dict[tuple[str, str, date], set[tuple[tuple[str, ...], str]]] = defaultdict(set)
    for line in came:
        by[line.place].add((line.grouping, line.slot))
    found = {
        line.identity: line
        for line in held
        if not any(
            grouping != line.grouping and (slot.startswith(line.slot) or line.slot.startswith(slot))
            for grouping, slot in by.get(line.place, ())
        )
    }
    found.update({line.identity: line for line in came})
    return list(found.values())


def plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return one if other is None else other
    return EXACT.add(one, other)
