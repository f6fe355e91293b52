"""Cells added up to what people read: cost, value, and what one of the other costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from finops.allocation import add_up
from finops.periods import InvalidQuery, bucket_day, next_bucket_day
from finops.unit_economics.cells import (
    MATCHED,
    NO_PRICE,
    NO_VALUE,
    NOT_RECORDED,
    RUNNING,
    STATES,
    ZERO,
    Cell,
)
from finops.unit_economics.questions import Question

# A ratio is a figure to read, not one to add up: as those of finops.costs.
RATIO_DIGITS = 18
# Why there is no cost per unit; the first that holds is said.
NOTHING, NO_OUTCOMES = "nothing", "no_outcomes"
REASONS = (NO_VALUE, NO_PRICE, NOT_RECORDED, RUNNING)


@dataclass(frozen=True, slots=True)
class Figure:
    """Of some cells. `cost` is all of it as Explore shows it, and the costs `by_state` add up to
    it; `value` all that was counted. A cost per unit, a margin, is of what is matched alone."""

    cost: Decimal | None
    value: Decimal | None
    matched_cost: Decimal | None
    matched_value: Decimal | None
    by_state: Mapping[str, Decimal]
    cells: Mapping[str, int]
    unpriced_requests: int

    @property
    def cost_per_unit(self) -> Decimal | None:
        return ratio(self.matched_cost, self.matched_value)

    @property
    def margin(self) -> Decimal | None:
        """What is left of money."""
        if self.matched_value is None or self.matched_cost is None:
            return None
        return add_up((self.matched_value, -self.matched_cost))

    @property
    def margin_percent(self) -> Decimal | None:
        share = ratio(self.margin, self.matched_value)
        return None if share is None else share * 100

    @property
    def reason(self) -> str:
        """Why there is no cost per unit; '' where there is one."""
        if self.matched_value is not None:
            return "" if self.matched_value > 0 else NO_OUTCOMES
        return next((each for each in REASONS if self.cells.get(each)), NOTHING)


def ratio(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    if part is None or whole is None or whole <= 0:
        return None
    with localcontext(prec=RATIO_DIGITS):
        return part / whole


@dataclass(frozen=True, slots=True)
class Row:
    """One group in one step. `start` is the first day of the step, None without steps; `is_partial`
    where it is still running or the period holds only a part of it."""

    start: date | None
    keys: tuple[str, ...]
    figure: Figure
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    rows: tuple[Row, ...]
    totals: Figure


def fold(question: Question, found: Sequence[Cell], *, first: date, end: date) -> Answer:
    """Rows by step and group, the dearest first in each step. `first` and `end` are the days of the
    period. What does not add up is only in rows. Raises InvalidQuery where a step is shorter than
    what a value is of."""
    terms, query = question.terms, question.query
    places = [terms.dimensions.index(name) for name in query.group_by]
    held: defaultdict[tuple[date | None, tuple[str, ...]], list[Cell]] = defaultdict(list)
    for cell in found:
        keys = tuple(cell.place.keys[place] for place in places)
        held[step_of(question, cell), keys].append(cell)
    rows = [
        Row(start, keys, figure_of(own), is_partial(question, start, own, first, end))
        for (start, keys), own in held.items()
    ]
    rows.sort(key=lambda row: (row.start or first, -(row.figure.cost or ZERO), row.keys))
    totals = figure_of(found)
    if not terms.adds_up and len(found) != 1:
        totals = without_value(totals)
    return Answer(tuple(rows), totals)


def step_of(question: Question, cell: Cell) -> date | None:
    granularity = question.query.granularity
    if granularity == "total":
        return None
    if cell.place.is_month and granularity != "month":
        raise InvalidQuery(
            "granularity",
            f"{question.terms.name} has a value for {cell.place.day:%B %Y} as a whole: ask for "
            "month or total",
        )
    return bucket_day(cell.place.day, granularity)


def is_partial(
    question: Question, start: date | None, own: Iterable[Cell], first: date, end: date
) -> bool:
    if any(cell.state == RUNNING for cell in own):
        return True
    if start is None:
        return False
    return start < first or next_bucket_day(start, question.query.granularity) > end


def figure_of(found: Iterable[Cell]) -> Figure:
    own = list(found)
    known = [each.cost.amount for each in own if each.cost.amount is not None]
    values = [each.value for each in own if each.value is not None]
    matched = [each for each in own if each.state == MATCHED]
    costs: defaultdict[str, list[Decimal]] = defaultdict(list)
    for each in own:
        costs[each.state].append(each.cost.amount or ZERO)
    return Figure(
        cost=add_up(known) if known or not own else None,
        value=add_up(values) if values else None,
        matched_cost=add_up(each.cost.amount or ZERO for each in matched) if matched else None,
        matched_value=add_up(each.value or ZERO for each in matched) if matched else None,
        by_state={state: add_up(costs[state]) for state in STATES if state in costs},
        cells={state: len(costs[state]) for state in STATES if state in costs},
        unpriced_requests=sum(each.cost.unpriced_requests for each in own),
    )


def summed(figures: Sequence[Figure]) -> Figure:
    """Of several groups, what adds up."""

    def known(name: str) -> Decimal | None:
        amounts = [each for each in (getattr(held, name) for held in figures) if each is not None]
        return add_up(amounts) if amounts else None

    states = {state for held in figures for state in held.by_state}
    return Figure(
        known("cost"),
        known("value"),
        known("matched_cost"),
        known("matched_value"),
        {
            state: add_up(held.by_state.get(state, ZERO) for held in figures)
            for state in STATES
            if state in states
        },
        {
            state: sum(held.cells.get(state, 0) for held in figures)
            for state in STATES
            if state in states
        },
        sum(held.unpriced_requests for held in figures),
    )


def without_value(held: Figure) -> Figure:
    """Of values that do not add up there is no sum."""
    return Figure(held.cost, None, None, None, held.by_state, held.cells, held.unpriced_requests)
