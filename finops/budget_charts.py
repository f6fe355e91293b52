"""The burn-down of a budget as a figure: what is spent so far, what the period may come to, the
amount and its thresholds, and the period before. Roles stand for colours, as in finops.charts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops import charts, formats
from finops.charts import Bucket, Chart, Figure
from finops.periods import Period

# What is free above the highest point, for the name of a line that ends there.
HEADROOM = 1.1
# Names of lines that are nearer to each other than this part of the height would overlap.
NAME_HEIGHT = 0.07
SPENT, OUTLOOK, BEFORE = "series-1", "outlook", "previous"


@dataclass(frozen=True, slots=True)
class Level:
    """A dashed line at one amount: a threshold, or the budget itself."""

    name: str
    amount: Decimal
    is_budget: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the whole period may come to: the likeliest, and from where to where."""

    expected: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class BurnDown:
    """One budget's period. `spent` is the sum from its start to the end of each bucket that has
    begun, as of `as_of`, and `before` the same of the period before, bucket over bucket."""

    period: Period
    buckets: Sequence[Bucket]
    spent: Sequence[Decimal]
    before: Sequence[Decimal]
    outlook: Outlook | None
    levels: Sequence[Level]
    as_of: datetime
    currency: str


def cumulated(amounts: Sequence[Decimal]) -> list[Decimal]:
    """1, 2, 3 → 1, 3, 6."""
    total, found = Decimal(0), []
    for amount in amounts:
        total += amount
        found.append(total)
    return found


def burn_down(drawn: BurnDown, title: str) -> Chart:
    if not drawn.spent and not drawn.before:
        return Chart(title, None, "There is no usage to draw yet.")
    data = [*outlook(drawn), *before(drawn), *levels(drawn)]
    if drawn.spent:
        data.append(spent(drawn))
    top = charts.highest(data) * HEADROOM or 1.0
    layout = charts.layout(list(drawn.buckets), "effective_cost", drawn.currency, top)
    layout["yaxis"] |= {"range": [0, top], "autorange": False}
    return Chart(title, {"data": data, "layout": layout}, legend=legend(drawn))


def legend(drawn: BurnDown) -> tuple[tuple[str, str], ...]:
    parts = (
        (SPENT, "Spent", bool(drawn.spent)),
        (OUTLOOK, "Forecast, from low to high", bool(outlook(drawn))),
        (BEFORE, "Period before", bool(drawn.before)),
    )
    return tuple((role, name) for role, name, is_there in parts if is_there)


def spent(drawn: BurnDown) -> Figure:
    values = drawn.spent
    return {
        **line("Spent", drawn, 0, values, "series-1", 2.5),
        "mode": "lines+markers",
        "marker": {"color": "role:series-1", "size": 5},
        "customdata": [formats.money_long(each, drawn.currency) for each in values],
        "hovertemplate": "Spent  <b>%{customdata}</b><extra></extra>",
    }


def before(drawn: BurnDown) -> list[Figure]:
    values = drawn.before[: len(drawn.buckets)]
    if not values:
        return []
    found = line("Period before", drawn, 0, values, "text-muted", 1.5, "dot")
    found["customdata"] = [formats.money_long(each, drawn.currency) for each in values]
    return [found | {"hovertemplate": "Period before  <b>%{customdata}</b><extra></extra>"}]


def outlook(drawn: BurnDown) -> list[Figure]:
    """The band from low to high, and the likeliest within it, fanning out of the last sum that is
    complete."""
    if drawn.outlook is None or not drawn.spent:
        return []
    first = max(len(drawn.spent) - 2, 0)
    if first >= len(drawn.buckets) - 1:
        return []
    bounds = (drawn.outlook.low, drawn.outlook.high, drawn.outlook.expected)
    low, high, expected = (projected(drawn, first, bound) for bound in bounds)
    said = [
        f"{formats.money_long(e, drawn.currency)}</b> "
        f"({formats.money_long(a, drawn.currency)} – {formats.money_long(z, drawn.currency)})<b>"
        for e, a, z in zip(expected, low, high, strict=True)
    ]
    band = {"hoverinfo": "skip"}
    return [
        line("Low", drawn, first, low, "outlook", 0) | band,
        line("High", drawn, first, high, "outlook", 0)
        | band
        | {"fill": "tonexty", "fillcolor": "role:outlook"},
        line("Forecast", drawn, first, expected, "series-1", 1.5, "dot")
        | {"customdata": said, "hovertemplate": "Forecast  <b>%{customdata}</b><extra></extra>"},
    ]


def projected(drawn: BurnDown, first: int, whole: Decimal) -> list[Decimal]:
    """The sums from bucket `first` on, which is complete, if the period comes to `whole`: what is
    still to come is spread evenly over the time that is left."""
    now = drawn.spent[-1]
    left = Decimal((drawn.period.end - drawn.as_of).total_seconds())
    ends = [*(each.start for each in drawn.buckets[1:]), drawn.period.end]
    found = [drawn.spent[first]]
    for end in ends[first + 1 :]:
        passed = Decimal((end - drawn.as_of).total_seconds())
        part = min(max(passed / left, Decimal(0)), Decimal(1)) if left > 0 else Decimal(1)
        found.append(now + (whole - now) * part)
    return found


def levels(drawn: BurnDown) -> list[Figure]:
    """From one side to the other; equal amounts are one line, which has all their names, or that of
    the budget alone."""
    names: dict[Decimal, list[Level]] = {}
    for each in drawn.levels:
        names.setdefault(each.amount, []).append(each)
    ranked = sorted(names, key=lambda amount: not any(e.is_budget for e in names[amount]))
    top = max([*names, *drawn.spent, *drawn.before], default=Decimal(0)) or Decimal(1)
    named: list[Decimal] = []
    found = []
    for amount in ranked:
        has_room = all(abs(amount - other) >= top * Decimal(NAME_HEIGHT) for other in named)
        if has_room:
            named.append(amount)
        budget = next((each for each in names[amount] if each.is_budget), None)
        named_so = [budget] if budget else names[amount]
        name = ", ".join(each.name for each in named_so) if has_room else ""
        found.append(level(drawn, amount, name, budget is not None))
    return found


def level(drawn: BurnDown, amount: Decimal, name: str, is_budget: bool) -> Figure:
    role = "budget" if is_budget else "text-muted"
    values = [amount] * len(drawn.buckets)
    said = f"{name} {formats.money_short(amount, drawn.currency)}" if name else ""
    return {
        **line("Level", drawn, 0, values, role, 1.5 if is_budget else 1, "dash"),
        "mode": "lines+text",
        "text": [*[""] * (len(values) - 1), said],
        "textposition": "top left",
        "textfont": {"size": 12, "color": f"role:{'text' if is_budget else 'text-muted'}"},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def line(
    name: str,
    drawn: BurnDown,
    first: int,
    values: Sequence[Decimal],
    role: str,
    width: float,
    dash: str = "solid",
) -> Figure:
    """A line through as many buckets as there are values, from bucket `first` on."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [each.name for each in drawn.buckets[first : first + len(values)]],
        "y": [float(each) for each in values],
        "line": {"color": f"role:{role}", "width": width, "dash": dash},
    }
