"""The table of unit economics: a row for each group, or each step, and the totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.urls import reverse
from django.utils.http import urlencode

from finops import formats, labels
from finops.allocation import add_up
from finops.business_metrics import Answered
from finops.charts import buckets_of
from finops.pages.links import address, zoomed
from finops.pages.tables import Cell
from finops.pages.unit_economics.wording import REASONS, exact, per_unit
from finops.periods import next_bucket_day, start_of_day
from finops.unit_economics import Figure, Question, Row, Terms, summed

MOST_ROWS = 500
WORST, COST, VALUE = "worst", "cost", "value"
PERCENT, REST = "Margin, %", "In no figure"


@dataclass(frozen=True, slots=True)
class Column:
    """`label` names it, `unit` is what its numbers are in; `href` sorts by it, '' where nothing
    does. `order` is that of the table where it is sorted by this."""

    label: str
    unit: str = ""
    href: str = ""
    order: str = ""

    @property
    def head(self) -> str:
        return f"{self.label}, {self.unit}" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Line:
    """`pairs` are cells with their columns' names; `note` says what is odd, `note_tone` how odd."""

    name: str
    href: str
    pairs: Sequence[tuple[str, Cell]]
    change: str = ""
    change_title: str = ""
    tone: str = ""
    note: str = ""
    note_tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    first: str
    columns: Sequence[Column]
    lines: Sequence[Line]
    totals: Line
    is_compared: bool
    is_by_group: bool


def table(found: Answered, sort: str, now: datetime) -> Table:
    question = found.question
    is_by_group = bool(question.query.group_by) and question.terms.adds_up
    rows = list(found.groups) if is_by_group else list(found.answer.rows)
    if is_by_group:
        rows = ordered(rows, found, sort)
    shown, rest = rows[:MOST_ROWS], [row.figure for row in rows[MOST_ROWS:]]
    columns = columns_of(found, sort if is_by_group else "", is_by_group)
    figures = [row.figure for row in shown]
    figures += [*([summed(rest)] if rest else []), found.answer.totals]
    filled = [column(found, figures, each.label) for each in columns]
    names = [each.label for each in columns]
    cells = [list(zip(names, own, strict=True)) for own in zip(*filled, strict=True)]
    earlier = {row.keys: row.figure for row in found.previous_groups}
    is_compared = is_by_group and bool(found.previous) and not question.terms.is_money
    lines = [
        line(found, row, own, earlier.get(row.keys) if is_compared else None, now)
        for row, own in zip(shown, cells, strict=False)
    ]
    if rest:
        lines.append(Line(f"{len(rest):,} more", "", cells[len(shown)], note="in the CSV"))
    grouped = labels.dimensions(question.query.group_by)
    steps = {"day": "Day", "week": "Week", "month": "Month"}.get(question.query.granularity, "")
    return Table(
        title=f"By {grouped.lower() if grouped else steps.lower() or 'period'}",
        first=(grouped[:1].upper() + grouped[1:]) if is_by_group else steps or "Period",
        columns=columns,
        lines=lines,
        totals=Line("Total", "", cells[-1]),
        is_compared=is_compared,
        is_by_group=is_by_group,
    )


def columns_of(found: Answered, sort: str, is_by_group: bool) -> list[Column]:
    terms = found.question.terms
    chosen = sort or (WORST if terms.is_money else COST)
    named = (
        [(terms.name, VALUE), ("Cost", COST), ("Margin", WORST), (PERCENT, "")]
        if terms.is_money
        else [("Cost", COST), (terms.name, VALUE), (per_unit(terms), WORST)]
    )
    if any(rest_of(row.figure) for row in found.answer.rows):
        named.append((REST, ""))
    counts = {PERCENT, *([] if terms.is_money else [terms.name])}
    return [
        Column(
            name,
            "" if name in counts else found.currency,
            sorted_by(found, by) if is_by_group and by else "",
            order_of(by, terms) if is_by_group and by == chosen else "",
        )
        for name, by in named
    ]


def sorted_by(found: Answered, sort: str) -> str:
    params = [pair for pair in full_params(found.question) if pair[0] != "sort"]
    return f"{reverse('unit-economics')}?{urlencode([*params, ('sort', sort)])}"


def order_of(sort: str, terms: Terms) -> str:
    return "ascending" if terms.is_money and sort == WORST else "descending"


def full_params(question: Question) -> list[tuple[str, str]]:
    """As asked, with the granularity, which others may choose otherwise."""
    rest = [pair for pair in question.to_params() if pair[0] != "granularity"]
    return sorted([*rest, ("granularity", question.query.granularity)])


def rest_of(held: Figure) -> Decimal | None:
    """What of the cost is in no figure; with what is, it is all of it."""
    if held.cost is None or held.matched_cost is None:
        return held.cost
    return add_up((held.cost, -held.matched_cost))


def column(found: Answered, figures: Sequence[Figure], name: str) -> list[Cell]:
    """Cells of one column, the total's last; what adds up is rounded so that it does. Cost and
    value are those that a figure is made of."""
    terms, currency = found.question.terms, found.currency
    if name == PERCENT:
        shares = [each.margin_percent for each in figures]
        return [Cell(formats.share_short(share, 100)) for share in shares]
    if name == terms.name and not terms.is_money:
        return [count_cell(each) for each in figures]
    amounts = [amount_of(each, name, terms) for each in figures]
    adds_up = name != per_unit(terms)
    texts, total = formats.money_column(amounts[:-1], amounts[-1], adds_up=adds_up)
    texts.append(total if amounts[-1] is not None else formats.MISSING)
    return [
        Cell(text, exact(amount, currency)) for text, amount in zip(texts, amounts, strict=True)
    ]


def amount_of(held: Figure, name: str, terms: Terms) -> Decimal | None:
    if name == "Cost":
        return held.matched_cost
    if name == "Margin":
        return held.margin
    if name == REST:
        return rest_of(held)
    return held.cost_per_unit if name == per_unit(terms) else held.matched_value


def count_cell(held: Figure) -> Cell:
    value = held.matched_value
    if value is None:
        return Cell(formats.MISSING, REASONS.get(held.reason, ""))
    is_whole = value == value.to_integral_value()
    return Cell(formats.count_long(value) if is_whole else f"{value:,f}")


def ordered(rows: list[Row], found: Answered, sort: str) -> list[Row]:
    """Worst first of money, dearest first of outcomes, unless something else is asked."""
    is_money = found.question.terms.is_money
    nothing = Decimal(0)

    def place(row: Row) -> tuple[bool, Decimal, tuple[str, ...]]:
        held = row.figure
        match sort or (WORST if is_money else COST):
            case "name":
                return False, nothing, row.keys
            case "value":
                return held.value is None, -(held.value or nothing), row.keys
            case "worst" if is_money:
                # What cost without a value is as bad as its cost.
                left = held.margin if held.margin is not None else -(held.cost or nothing)
                return False, left, row.keys
            case "worst":
                each = held.cost_per_unit
                return each is None, -(each or nothing), row.keys
            case _:
                return held.cost is None, -(held.cost or nothing), row.keys

    return sorted(rows, key=place)


def line(
    found: Answered,
    row: Row,
    pairs: Sequence[tuple[str, Cell]],
    before: Figure | None,
    now: datetime,
) -> Line:
    note, tone = noted(found, row)
    text, title, worse = "", "", ""
    if before is not None:
        own, then = row.figure.cost_per_unit, before.cost_per_unit
        text = formats.change_short(own, then) if own is not None and then is not None else ""
        title = f"{formats.money_long(then, found.currency)} before" if text else ""
        if text and own is not None and then is not None and own != then:
            worse = "worse" if own > then else "better"
    return Line(
        name=name_of(found, row, now),
        href=href_of(found, row),
        pairs=pairs,
        change=text,
        change_title=title,
        tone=worse,
        note=note,
        note_tone=tone,
    )


def noted(found: Answered, row: Row) -> tuple[str, str]:
    held, terms = row.figure, found.question.terms
    said = []
    if terms.is_money and terms.absent_is_zero and held.value == 0 and held.cost:
        said.append("cost without " + terms.name.lower())
    elif held.value and not held.cost and not held.unpriced_requests:
        said.append("no usage")
    if held.reason and held.reason not in {"no_outcomes", "nothing"}:
        said.append(REASONS[held.reason])
    elif row.is_partial and row.start is not None:
        said.append("so far")
    if held.unpriced_requests:
        said.append(f"{formats.count_long(held.unpriced_requests)} requests unpriced")
    tone = "warn" if held.unpriced_requests or (held.margin or 0) < 0 else ""
    return ", ".join(said), tone


def name_of(found: Answered, row: Row, now: datetime) -> str:
    named = list(row.keys)
    if row.start is not None:
        zone = found.question.query.zone
        held = {b.start: b.name for b in buckets_of(found.question.query, now)}
        named.insert(0, held.get(start_of_day(row.start, zone), row.start.isoformat()))
    return " · ".join(named) or found.question.terms.name


def href_of(found: Answered, row: Row) -> str:
    """The cost side of the row, in Explore."""
    query = found.question.usage.replace(metrics=("effective_cost", "requests"))
    for name, value in zip(query.group_by, row.keys, strict=True):
        query = query.without_filter(name).with_filter(name, value)
    if row.start is None:
        return address("explore", query.replace(granularity="day", group_by=()))
    end = next_bucket_day(row.start, query.granularity)
    start_at, end_at = start_of_day(row.start, query.zone), start_of_day(end, query.zone)
    return zoomed(query.replace(group_by=()), start_at, end_at)
