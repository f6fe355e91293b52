"""What a provider says was used or is owed: one line of a usage report, a cost report or a bill."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    are the same usage twice.
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

    @property
    def identity(self) -> tuple[str, ...]:
        """What a later report of the same has in common with it."""
        return (
            *(self.provider, self.source, self.day.isoformat(), self.account, self.model),
            *(self.kind, self.detail, self.category, self.currency),
        )


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
    """Lines of one report that say the same of different requests are one."""
    found: dict[tuple[str, ...], BillLine] = {}
    for line in lines:
        held = found.get(line.identity)
        if held is None:
            found[line.identity] = line
        else:
            quantity, amount = (
                plus(held.quantity, line.quantity),
                plus(held.amount, line.amount),
            )
            found[line.identity] = replace(held, quantity=quantity, amount=amount)
    return list(found.values())


def kept(held: Iterable[BillLine], fresh: Iterable[BillLine]) -> list[BillLine]:
    """What there is once another report has come: it takes the place of what says the same, and of
    all that a report by other things said of its days. So overlapping reports count once."""
    found = {line.identity: line for line in held}
    came = list(fresh)
    by = {(line.provider, line.source, line.day): line.grouping for line in came}
    found = {
        identity: line
        for identity, line in found.items()
        if by.get((line.provider, line.source, line.day), line.grouping) == line.grouping
    }
    found.update({line.identity: line for line in came})
    return list(found.values())


def plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return one if other is None else other
    return EXACT.add(one, other)
