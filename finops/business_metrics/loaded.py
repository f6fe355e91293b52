"""Fully loaded cost: what each month's allocation gives to the usage that a metric is about. A line
of the month is parted by direct cost where the metric is by something that lines are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from finops.allocation import Line, LineKey, add_up
from finops.allocation.computing import FINEST
from finops.allocation.splitting import split
from finops.cost_items import MonthAllocation
from finops.cost_items.months import LINE
from finops.costs import Together
from finops.periods import add_months, days
from finops.query import UNATTRIBUTED, CostQuery, Filter
from finops.unit_economics import Place, Question

ZERO = Decimal(0)
Keys = tuple[str, ...]
# Usage of a line that the metric is not about; keys of what it is about begin with an empty one.
REST: Keys = ()


def loaded_costs(
    asked: Together, question: Question, allocated: Mapping[date, MonthAllocation]
) -> dict[Place, Decimal]:
    """By month and value of each dimension. All that the metric is about of a month adds up to its
    lines in the allocation, to the last digit. Raises as Together.run."""
    held: defaultdict[Place, list[Decimal]] = defaultdict(list)
    for month, found in allocated.items():
        for keys, amount in of_month(asked, question, month, found.allocation.lines):
            held[Place(month, True, keys)].append(amount)
    return {place: add_up(amounts) for place, amounts in held.items()}


def of_month(
    asked: Together, question: Question, month: date, lines: Iterable[Line]
) -> Iterable[tuple[Keys, Decimal]]:
    dimensions, usage = question.terms.dimensions, question.usage
    extra = tuple(name for name in dimensions if name not in LINE)
    of_lines = tuple(each for each in usage.filters if each.dimension in LINE)
    is_partial = len(of_lines) < len(usage.filters)
    period = days(month, add_months(month, 1), usage.zone)
    query = usage.replace(period=period, granularity="total", filters=of_lines)
    weights: Mapping[LineKey, Mapping[Keys, Decimal]] = {}
    if extra or is_partial:
        weights = direct(asked, query.replace(filters=usage.filters), extra)
    whole = direct(asked, query, ()) if is_partial else {}
    for line in lines:
        if not all(keeps(each, line.key) for each in of_lines):
            continue
        own = dict(weights.get(line.key, {}))
        if is_partial:
            rest = add_up([*whole.get(line.key, {}).values(), *(-each for each in own.values())])
            own[REST] = max(rest, ZERO)
        elif not own:
            own = {("", *(UNATTRIBUTED,) * len(extra)): Decimal(1)}
        for keys, amount in split(line.total_cost, own, FINEST).items():
            if keys != REST:
                yield placed(dimensions, extra, line.key, keys[1:]), amount


def direct(asked: Together, query: CostQuery, extra: Keys) -> dict[LineKey, dict[Keys, Decimal]]:
    """What each line's usage cost by these dimensions, an empty key before theirs."""
    found: dict[LineKey, dict[Keys, Decimal]] = {}
    for row in asked.run(query.replace(group_by=(*LINE, *extra))).rows:
        cost = row.values["effective_cost"]
        key, keys = LineKey(*row.keys[: len(LINE)]), ("", *row.keys[len(LINE) :])
        # What has no price weighs nothing.
        found.setdefault(key, {})[keys] = cost if isinstance(cost, Decimal) else ZERO
    return found


def keeps(each: Filter, key: LineKey) -> bool:
    value = key[LINE.index(each.dimension)] or UNATTRIBUTED
    return (value in each.values) != each.exclude


def placed(dimensions: Keys, extra: Keys, key: LineKey, keys: Keys) -> Keys:
    """In the order of the metric's dimensions."""
    named = dict(zip(LINE, key, strict=True)) | dict(zip(extra, keys, strict=True))
    return tuple(named[name] or UNATTRIBUTED for name in dimensions)
