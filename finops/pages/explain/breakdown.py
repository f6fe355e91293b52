"""The groups of a change as a table: what each cost, and its own parts of the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from finops import formats, labels
from finops.explanations import Explanation, Row
from finops.pages.explain import wording
from finops.pages.links import address, next_dimension, only_filters
from finops.pages.tables import Cell, Name, unpriced
from finops.query import CostQuery
from finops.variance_bridge import DIGITS, Group, adding_up

UNKNOWN = "No price is known for these requests"


@dataclass(frozen=True, slots=True)
class Line:
    """One group. `mark` says that it is in one of the periods alone; `tone` is that of its
    difference."""

    names: tuple[Name, ...]
    before: Cell
    after: Cell
    difference: Cell
    tone: str
    parts: tuple[Cell, ...]
    mark: str = ""
    unpriced: str = ""
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    heads: tuple[str, ...]
    parts: tuple[str, ...]
    lines: tuple[Line, ...]
    total: Line
    currency: str


def table(found: Explanation, shown: Sequence[Row], carried: dict[str, str]) -> Table:
    """Only parts that are something in a row have a column."""
    whole, currency = found.bridge.whole, found.result.currency
    every = [*(row.group for row in shown), whole]
    parts = [name for name in whole.parts if any(each.parts[name] for each in every)]
    places = wording.places_for(whole.before.effective_cost, whole.after.effective_cost)
    before = column(every, lambda each: each.before.known_cost, places, currency)
    after = column(every, lambda each: each.after.known_cost, places, currency)
    steps = wording.steps_of(whole, places)
    change = sum(steps.values(), Decimal(0))
    difference = column(every, lambda each: each.known_difference, places, currency, change)
    own = [column(every, part_of(name), places, currency, steps[name]) for name in parts]

    def line(index: int, names: tuple[Name, ...], is_other: bool = False) -> Line:
        each = every[index]
        return Line(
            names=names,
            before=before[index],
            after=after[index],
            difference=difference[index],
            tone=tone(each.difference),
            parts=tuple(cells[index] for cells in own),
            mark="" if is_other or each is whole else mark(each),
            unpriced=unpriced(each.after.unpriced_requests),
            is_other=is_other,
        )

    return Table(
        heads=tuple(labels.dimension(name) for name in found.query.group_by),
        parts=tuple(wording.PARTS[name] for name in parts),
        lines=tuple(
            line(index, names_of(found.query, row, carried), row.is_other)
            for index, row in enumerate(shown)
        ),
        total=line(-1, (Name("Total"), *[Name("")] * (len(found.query.group_by) - 1))),
        currency=currency,
    )


def part_of(name: str) -> Callable[[Group], Decimal | None]:
    return lambda each: None if each.known_difference is None else each.parts[name]


def column(
    groups: Sequence[Group],
    amount_of: Callable[[Group], Decimal | None],
    places: int,
    currency: str,
    change: Decimal | None = None,
) -> list[Cell]:
    """Of all rows and, last, their total: rounded so that the rows add up to it. Of a change with
    its sign, and `change` is how its total is written elsewhere."""
    amounts = [amount_of(each) for each in groups]
    *known, total = [amount or Decimal(0) for amount in amounts]
    with localcontext(prec=DIGITS):
        last = round(total, places) if change is None else change
        rounded = [*adding_up(dict(enumerate(known)), last, places).values(), last]
    write = wording.unsigned if change is None else wording.signed
    return [
        Cell(formats.MISSING, UNKNOWN)
        if amount is None
        else Cell(write(amount, shown, places), formats.money_exact(amount, currency))
        for amount, shown in zip(amounts, rounded, strict=True)
    ]


def tone(difference: Decimal) -> str:
    return "worse" if difference > 0 else "better" if difference < 0 else ""


def mark(group: Group) -> str:
    if not group.before.requests:
        return "new"
    return "gone" if not group.after.requests else ""


def names_of(query: CostQuery, row: Row, carried: dict[str, str]) -> tuple[Name, ...]:
    """The first name leads to what is behind the row as a whole."""
    if row.is_other:
        return tuple(map(Name, row.keys))
    href = deeper(query, row.keys, carried)
    return tuple(Name(key, "" if index else href) for index, key in enumerate(row.keys))


def deeper(query: CostQuery, keys: tuple[str, ...], carried: dict[str, str]) -> str:
    """The same change of this group alone, by the next dimension on the way down; at its end the
    requests."""
    for dimension, value in zip(query.group_by, keys, strict=True):
        query = query.without_filter(dimension).with_filter(dimension, value)
    onward = next_dimension(query)
    if onward is None:
        return address("requests", only_filters(query))
    return address("explain", query.replace(group_by=(onward,), limit=None), **carried)
