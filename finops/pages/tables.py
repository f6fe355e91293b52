"""A result as a table: the rows of one grouping with shares, changes and a totals row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops import charts, formats, labels
from finops.costs import CostResult, CostRow, Value, pairs
from finops.pages.comparison import NOTHING, Comparison
from finops.pages.targets import Mark
from finops.query import METRIC_KINDS

UNPRICED = "unpriced_requests"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows and, where it rounds or misses something, what its title tells."""

    text: str
    title: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A difference to the previous period; tone is "worse", "better" or ""."""

    text: str
    title: str
    tone: str
    compared_with: str


@dataclass(frozen=True, slots=True)
class Name:
    """What a row is called in one column, and the page of just that, "" without one."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`href` is the page of the row as a whole: of all its names together. `width` is the share
    bar's length in percent of the largest row's."""

    names: tuple[Name, ...]
    role: str
    href: str
    cells: tuple[Cell, ...]
    share: str = ""
    width: float = 0
    change: Change | None = None
    unpriced: str = ""
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: Row
    has_share: bool
    compared: Comparison


def cost_table(
    result: CostResult,
    *,
    heads: tuple[str, ...],
    names: Callable[[CostRow], tuple[Name, ...]],
    href: Callable[[CostRow], str],
    compared: Comparison = NOTHING,
    marks: Mapping[str, Sequence[Mark | None]] | None = None,
) -> Table:
    """Rows are groups over the whole period or, without groups, its charge periods.

    Unpriced requests are a mark beside a name, not a column.
    """
    query, totals = result.query, result.totals
    metrics = [name for name in query.metrics if name != UNPRICED or name == query.metrics[0]]
    first = metrics[0]
    columns = [column(result, metric, (marks or {}).get(metric, ())) for metric in metrics]
    groups = dict.fromkeys(row.keys for row in result.rows if not row.is_other)
    roles = charts.roles(list(groups))
    largest = max((abs(Decimal(row.values[first] or 0)) for row in result.rows), default=Decimal(0))
    has_share = first in labels.ADDITIVE
    earlier = values_before(result, first)
    rows = tuple(
        Row(
            names=tuple(map(Name, row.keys)) if row.is_other else names(row),
            role="series-other" if row.is_other else roles.get(row.keys, ""),
            href="" if row.is_other else href(row),
            cells=tuple(cells[index] for cells, _ in columns),
            share=formats.share_short(row.values[first], totals[first]) if has_share else "",
            width=width(row.values[first], largest) if has_share else 0,
            change=change(first, row.values[first], earlier(row), result.currency, compared),
            unpriced=unpriced(row.values.get(UNPRICED)),
            is_other=row.is_other,
        )
        for index, row in enumerate(result.rows)
    )
    before = result.previous.totals[first] if result.previous else None
    return Table(
        heads=heads,
        columns=tuple(head(metric, result.currency) for metric in metrics),
        rows=rows,
        totals=Row(
            names=(Name("Total"), *[Name("")] * (len(heads) - 1)),
            role="",
            href="",
            cells=tuple(total for _, total in columns),
            share=formats.share_short(1, 1) if has_share and totals[first] else "",
            change=change(first, totals[first], before, result.currency, compared),
            unpriced=unpriced(totals.get(UNPRICED)),
        ),
        has_share=has_share,
        compared=compared,
    )


def head(metric: str, currency: str) -> str:
    """The unit stands in the head, not in each cell."""
    label = labels.METRICS[metric]
    return f"{label}, {currency}" if METRIC_KINDS[metric] == "money" else label


def column(
    result: CostResult, metric: str, marks: Sequence[Mark | None] = ()
) -> tuple[list[Cell], Cell]:
    """The cells of one metric and its total's, rounded so that the cells add up to the total."""
    values = [row.values[metric] for row in result.rows]
    total = result.totals[metric]
    kind = METRIC_KINDS[metric]
    if kind == "money":
        rest = next((i for i, row in enumerate(result.rows) if row.is_other), None)
        amounts = [decimal(value) for value in values]
        adds_up = metric in labels.ADDITIVE
        texts, total_text = formats.money_column(amounts, decimal(total), rest, adds_up)
        total_text = formats.MISSING if total is None else total_text
    else:
        texts = [formats.value_long(kind, value, "") for value in values]
        total_text = formats.value_long(kind, total, "")
    marked = zip(texts, values, marks or [None] * len(values), strict=True)
    cells = [
        Cell(text, title(metric, value, result.currency), mark) for text, value, mark in marked
    ]
    return cells, Cell(total_text, title(metric, total, result.currency))


def decimal(value: Value) -> Decimal | None:
    return None if value is None else Decimal(value)


def title(metric: str, value: Value, currency: str) -> str:
    """The exact amount; the reason where there is none."""
    kind = METRIC_KINDS[metric]
    if value is None:
        return missing_reason(metric)
    return formats.money_exact(Decimal(value), currency) if kind == "money" else ""


def missing_reason(metric: str) -> str:
    if METRIC_KINDS[metric] == "money":
        return "No price is known for these requests"
    if METRIC_KINDS[metric] == "milliseconds":
        return "None of these requests reported it"
    return "Not known"


def width(value: Value, largest: Decimal) -> float:
    return float(round(abs(Decimal(value or 0)) * 100 / largest, 2)) if largest else 0


def unpriced(count: Value) -> str:
    return f"{formats.count_long(count)} unpriced" if count else ""


def values_before(result: CostResult, metric: str) -> Callable[[CostRow], Value]:
    """What each row's group, or step, came to in the previous period; 0 where it did not exist.

    Nothing is said of the step that is still filling: it would be measured by a whole one.
    """
    if result.previous is None:
        return lambda row: None
    nothing = 0 if metric in labels.ADDITIVE else None
    values = {
        (pair.start, pair.keys, pair.row.is_other): pair.previous_row.values[metric]
        if pair.previous_row
        else nothing
        for pair in pairs(result)
        if pair.row
    }
    upto = result.freshness.rolled_up_to
    if result.query.granularity != "total" and upto and upto < result.query.period.end:
        starts = [row.start for row in result.rows if row.start and row.start <= upto]
        values.update({key: None for key in values if key[0] == max(starts, default=None)})
    return lambda row: values[row.start, row.keys, row.is_other]


def change(
    metric: str, now: Value, before: Value, currency: str, compared: Comparison
) -> Change | None:
    if not compared.is_fair or now is None or before is None:
        return None
    kind = METRIC_KINDS[metric]
    text = formats.change_short(now, before)
    # From nothing is a beginning, not a rise.
    is_neutral = metric in labels.NEUTRAL or now == before or before == 0
    tone = "" if is_neutral else "worse" if now > before else "better"
    was = formats.value_long(kind, before, currency)
    return Change(text, f"{was} in {compared.name}", tone, compared.name)
