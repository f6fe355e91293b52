"""Results as Plotly figures, with roles for colours: "role:series-1" is resolved in the browser.

Figures are for looking at, so amounts become floats here and only here; what a tooltip says is
formatted from the exact amount.
"""

from __future__ import annotations

import html
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from finops import formats, labels
from finops.periods import Period, bucket_starts, local_day, whole_day
from finops.query import METRIC_KINDS, CostQuery

if TYPE_CHECKING:
    from finops.costs import CostResult, CostRow

SERIES = 6
TICKS = 6
# Days that the longest bucket has.
LONGEST = {"hour": 1, "day": 2, "week": 7, "month": 31}
Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a page shows for one result: a figure, or the reason why there is none.

    `legend` pairs a role with the name of its series, in the order of the stack.
    """

    title: str
    figure: Figure | None
    reason: str = ""
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """One charge period on the axis: unique name, short tick, and whether it is still filling."""

    start: datetime
    name: str
    tick: str
    is_partial: bool


def over_time(result: CostResult, *, now: datetime, before: CostResult | None = None) -> Chart:
    """The first metric per charge period: additive ones stacked by group, others as lines.

    `result` is limited to the groups that get a colour; `before` is the previous period without
    groups, drawn as a muted line.
    """
    query = result.query
    metric = query.metrics[0]
    title = title_of(query)
    if not result.rows:
        return Chart(title, None, "There is no usage to draw.")
    buckets = buckets_of(query, now)
    groups = ranked_groups(result, metric)
    data = [
        series(name, role, rows, buckets, metric, result.currency) for role, name, rows in groups
    ]
    if before is not None and before.rows:
        data.append(muted_line(before, buckets, metric, now))
    top = highest(data)
    if METRIC_KINDS[metric] == "milliseconds":
        data = [in_unit(trace, unit_of_time(top)[1]) for trace in data]
    figure = {"data": data, "layout": layout(buckets, metric, result.currency, top)}
    legend = tuple((role, name) for role, name, _ in groups) if len(groups) > 1 else ()
    return Chart(title, figure, legend=legend)


def title_of(query: CostQuery) -> str:
    """Effective cost per day by team."""
    title = labels.METRICS[query.metrics[0]]
    if query.granularity != "total":
        title = f"{title} {labels.GRANULARITIES[query.granularity]}"
    return f"{title} by {labels.dimensions(query.group_by)}" if query.group_by else title


def roles(keys: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """A colour for each of the leading groups, in order of rank; the rest shares one."""
    return {key: f"series-{rank}" for rank, key in enumerate(keys[:SERIES], start=1)}


def ranked_groups(
    result: CostResult, metric: str
) -> list[tuple[str, str, dict[datetime | None, CostRow]]]:
    """Role, name and rows by bucket of each group, the largest first and Other last."""
    rows: dict[tuple[str, ...], dict[datetime | None, CostRow]] = defaultdict(dict)
    others: dict[datetime | None, CostRow] = {}
    for row in result.rows:
        (others if row.is_other else rows[row.keys])[row.start] = row
    weight = {
        key: sum((Decimal(row.values[metric] or 0) for row in held.values()), Decimal(0))
        for key, held in rows.items()
    }
    keys = sorted(rows, key=lambda key: (-weight[key], key))
    groups = [(role, name_of(key, metric), rows[key]) for key, role in roles(keys).items()]
    return [*groups, ("series-other", "Other", others)] if others else groups


def name_of(keys: tuple[str, ...], metric: str) -> str:
    return " · ".join(keys) if keys else labels.METRICS[metric]


def buckets_of(query: CostQuery, now: datetime) -> list[Bucket]:
    zone, period = query.zone, query.period
    starts = bucket_starts(period, query.granularity, zone)
    today = local_day(now, zone)
    found = []
    for start, end in zip(starts, [*starts[1:], end_of_last(query, starts[-1])], strict=True):
        local = start.astimezone(zone)
        date = formats.day(local.date(), today)
        tick = name = date
        if query.granularity == "hour":
            # The zone's abbreviation tells the two equal hours of an autumn night apart.
            name = f"{date}, {local:%H:%M %Z}"
            tick = date if whole_day(start, zone) else f"{local:%H:%M}"
        elif query.granularity == "day":
            name = f"{local:%a} {date}"
        elif query.granularity == "week":
            name = f"Week of {date}"
        else:
            name, tick = f"{local:%B %Y}", f"{local:%b}" if local.month > 1 else f"{local:%b %Y}"
        filling = start <= now < end
        cut = start < period.start or period.end < end
        name += ", so far" if filling else ", in part" if cut else ""
        found.append(Bucket(start, name, tick, filling or cut))
    return found


def end_of_last(query: CostQuery, start: datetime) -> datetime:
    """Where the last bucket ends, which may be after the period does."""
    beyond = Period(start, start + timedelta(days=LONGEST[query.granularity] + 1))
    return bucket_starts(beyond, query.granularity, query.zone)[1]


def series(
    name: str,
    role: str,
    rows: dict[datetime | None, CostRow],
    buckets: list[Bucket],
    metric: str,
    currency: str,
) -> Figure:
    values = [rows[b.start].values[metric] if b.start in rows else None for b in buckets]
    shared = {
        "name": escaped(name),
        "x": [b.name for b in buckets],
        "y": [None if v is None else float(v) for v in values],
        "customdata": [formats.value_long(METRIC_KINDS[metric], v, currency) for v in values],
        # Plotly would read placeholders in the template itself, and names come from outside.
        "meta": escaped(shortened(name)),
        "hovertemplate": "%{meta}  <b>%{customdata}</b><extra></extra>",
    }
    if metric not in labels.ADDITIVE:
        line_role = "text-muted" if role == "series-other" else role
        return {
            **shared,
            "type": "scatter",
            "mode": "lines+markers",
            "line": {"color": f"role:{line_role}", "width": 2},
            "marker": {"color": f"role:{line_role}", "size": 5},
        }
    outline = "role:text-muted" if role == "series-other" else "role:surface"
    return {
        **shared,
        "type": "bar",
        "marker": {
            "color": f"role:{role}",
            "line": {"color": outline, "width": 1},
            "pattern": {
                "shape": ["/" if b.is_partial else "" for b in buckets],
                "fillmode": "overlay",
                "fgcolor": "role:surface",
                "size": 6,
                "solidity": 0.4,
            },
        },
    }


def muted_line(before: CostResult, buckets: list[Bucket], metric: str, now: datetime) -> Figure:
    """The previous period over this one's axis, first bucket over first bucket.

    Nothing was used where there is no row, but before the record begins that is not known.
    """
    rows = {row.start: row for row in before.rows}
    earlier = buckets_of(before.query, now)[: len(buckets)]
    since = before.freshness.recorded_since
    nothing = 0 if metric in labels.ADDITIVE else None
    unused = [None if since and b.start < since else nothing for b in earlier]
    values = [
        rows[b.start].values[metric] if b.start in rows else empty
        for b, empty in zip(earlier, unused, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Previous period",
        "x": [b.name for b in buckets[: len(earlier)]],
        "y": [None if v is None else float(v) for v in values],
        "customdata": [
            f"{formats.value_long(METRIC_KINDS[metric], v, before.currency)}</b> ({b.name})<b>"
            for v, b in zip(values, earlier, strict=True)
        ],
        "hovertemplate": "Previous  <b>%{customdata}</b><extra></extra>",
        "line": {"color": "role:text-muted", "width": 1.5, "dash": "dot"},
    }


def escaped(name: str) -> str:
    """A name for Plotly, which reads tags in its texts; names come from outside."""
    return html.escape(name, quote=False)


def shortened(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"


def in_unit(trace: Figure, milliseconds: int) -> Figure:
    return {**trace, "y": [None if y is None else y / milliseconds for y in trace["y"]]}


def highest(data: list[Figure]) -> float:
    """The top of the tallest stack or line."""
    bars = [trace["y"] for trace in data if trace["type"] == "bar"]
    stacks = [sum(y or 0 for y in column) for column in zip(*bars, strict=True)]
    lines = [y or 0 for trace in data if trace["type"] != "bar" for y in trace["y"]]
    return max([0.0, *stacks, *lines])


def layout(buckets: list[Bucket], metric: str, currency: str, top: float) -> Figure:
    muted = {"size": 12, "color": "role:text-muted"}
    return {
        "barmode": "stack",
        "bargap": 0.2,
        "font": muted,
        "paper_bgcolor": "transparent",
        "plot_bgcolor": "transparent",
        "margin": {"l": 60, "r": 8, "t": 8, "b": 28},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": "role:surface",
            "bordercolor": "role:border-strong",
            "font": {"size": 12, "color": "role:text"},
        },
        "xaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [b.name for b in buckets],
            "range": [-0.5, len(buckets) - 0.5],
            "tickmode": "array",
            "tickvals": [b.name for b in buckets],
            "ticktext": [b.tick for b in buckets],
            "tickangle": 0,
            "unifiedhovertitle": {"text": "%{x}"},
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "linecolor": "role:border-strong",
        },
        "yaxis": {
            "rangemode": "tozero",
            "fixedrange": True,
            "gridcolor": "role:border",
            "zeroline": False,
            "nticks": TICKS,
            "automargin": True,
            **value_ticks(metric, currency, top),
        },
    }


def value_ticks(metric: str, currency: str, top: float) -> Figure:
    """How the axis writes its values; `top` is the highest of them."""
    kind = METRIC_KINDS[metric]
    if kind == "milliseconds":
        return {"ticksuffix": f"{formats.SPACE}{unit_of_time(top)[0]}", "tickformat": ",~f"}
    prefix = {"tickprefix": formats.symbol(currency)} if kind == "money" else {}
    if top >= 1000:
        return {**prefix, "exponentformat": "B", "separatethousands": True}
    # Below 1 the SI letters would read as thousandths ("$4m"), so decimals are written out.
    decimals = max(2, -Decimal(top / TICKS).adjusted()) if kind == "money" and 0 < top < 10 else 0
    return {**prefix, "tickformat": f",.{decimals}f"}


def unit_of_time(milliseconds: float) -> tuple[str, int]:
    """The unit in which an axis up to so many milliseconds is readable, and its milliseconds."""
    if milliseconds < 10_000:
        return "ms", 1
    return ("s", 1000) if milliseconds < 600_000 else ("min", 60_000)
