"""What an outcome cost, step by step, as a figure; of money, what came in and what it cost. Roles
stand for colours, as in finops.charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from finops import charts, formats
from finops.charts import Bucket, Chart, Figure
from finops.periods import start_of_day
from finops.unit_economics.figures import Figure as UnitFigure
from finops.unit_economics.figures import Row
from finops.unit_economics.questions import Question

Read = Callable[[UnitFigure], Decimal | None]


def unit_cost_chart(
    question: Question, rows: Sequence[Row], title: str, currency: str, now: datetime
) -> Chart:
    """A line for each of the groups that cost most."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(row.keys, []).append(row)
    weights = {
        keys: sum((row.figure.cost or Decimal(0) for row in held), Decimal(0))
        for keys, held in groups.items()
    }
    leading = sorted(groups, key=lambda keys: (-weights[keys], keys))
    drawn = [
        (role, " · ".join(keys) or "Cost per unit", groups[keys], cost_per_unit)
        for keys, role in charts.roles(leading).items()
    ]
    return lines(question, drawn, title, currency, now)


def money_chart(
    question: Question, steps: Sequence[Row], title: str, currency: str, now: datetime
) -> Chart:
    """What is matched of both sides."""
    drawn = [
        ("series-2", question.terms.name, steps, matched_value),
        ("series-1", "Cost", steps, matched_cost),
    ]
    return lines(question, drawn, title, currency, now)


def cost_per_unit(held: UnitFigure) -> Decimal | None:
    return held.cost_per_unit


def matched_value(held: UnitFigure) -> Decimal | None:
    return held.matched_value


def matched_cost(held: UnitFigure) -> Decimal | None:
    return held.matched_cost


def lines(
    question: Question,
    drawn: Sequence[tuple[str, str, Sequence[Row], Read]],
    title: str,
    currency: str,
    now: datetime,
) -> Chart:
    if question.query.granularity == "total":
        return Chart(title, None, "Ask for days, weeks or months to see it over time.")
    buckets = charts.buckets_of(question.query, now)
    data = [line(question, buckets, currency, *each) for each in drawn]
    if not any(value is not None for trace in data for value in trace["y"]):
        return Chart(title, None, "No step has both a cost and a value yet: see below why.")
    layout = charts.layout(buckets, "effective_cost", currency, charts.highest(data))
    legend = tuple((role, name) for role, name, _, _ in drawn) if len(drawn) > 1 else ()
    return Chart(title, {"data": data, "layout": layout}, legend=legend)


def line(
    question: Question,
    buckets: Sequence[Bucket],
    currency: str,
    role: str,
    name: str,
    rows: Sequence[Row],
    read: Read,
) -> Figure:
    zone = question.query.zone
    held = {start_of_day(row.start, zone): read(row.figure) for row in rows if row.start}
    values = [held.get(each.start) for each in buckets]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": charts.escaped(name),
        "meta": charts.escaped(charts.shortened(name)),
        "x": [each.name for each in buckets],
        "y": [None if value is None else float(value) for value in values],
        "customdata": [formats.money_long(value, currency) for value in values],
        "hovertemplate": "%{meta}  <b>%{customdata}</b><extra></extra>",
        "line": {"color": f"role:{role}", "width": 2},
        "marker": {"color": f"role:{role}", "size": 5},
    }
