"""An anomaly as a figure: what was used against the range of what was expected, the episode marked.
Roles stand for colours, as in finops.charts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from finops import charts, formats
from finops.charts import Bucket, Chart, Figure
from finops.periods import local_day

if TYPE_CHECKING:
    from finops.anomalies.pictures import Picture

# A metric of charts with the same unit, for the axis.
AXES = {"money": "effective_cost", "count": "requests", "milliseconds": "latency_p95"}
HEADROOM = 1.1
LEGEND = (
    ("series-1", "Observed"),
    ("crit", "Anomaly"),
    ("outlook", "Expected, from low to high"),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """`said` are the values as people read them; `kind` is their unit, as in measures.KINDS."""

    picture: Picture
    kind: str
    currency: str
    zone: ZoneInfo
    said: Sequence[str]


def figure_of(drawn: Drawn, title: str, now: datetime) -> Chart:
    picture = drawn.picture
    if not picture.starts:
        return Chart(title, None, "There are no steps to draw.")
    buckets = [bucket(each, picture.scale, drawn.zone, now) for each in picture.starts]
    names = [each.name for each in buckets]
    unit = 1.0
    data = [*band(picture, names), observed(drawn, names), marked(picture, names)]
    top = charts.highest(data) * HEADROOM or 1.0
    if drawn.kind == "milliseconds":
        unit = charts.unit_of_time(top)[1]
        data = [charts.in_unit(each, int(unit)) for each in data]
    axis = AXES.get(drawn.kind, "requests")
    layout = charts.layout(buckets, axis, drawn.currency, top)
    layout["yaxis"] |= {"range": [0, top / unit], "autorange": False}
    if drawn.kind == "share":
        layout["yaxis"] |= {"tickformat": ".2~f"}
    return Chart(title, {"data": data, "layout": layout}, legend=LEGEND)


def bucket(start: datetime, scale: str, zone: ZoneInfo, now: datetime) -> Bucket:
    local = start.astimezone(zone)
    date = formats.day(local.date(), local_day(now, zone))
    if scale == "day":
        return Bucket(start, f"{local:%a} {date}", date, is_partial=False)
    is_midnight = (local.hour, local.minute) == (0, 0)
    tick = date if is_midnight else f"{local:%H:%M}"
    return Bucket(start, f"{date}, {local:%H:%M %Z}", tick, is_partial=False)


def band(picture: Picture, names: Sequence[str]) -> list[Figure]:
    """From the first step of which anything was expected; what is unknown later is as before."""
    known = [at for at, each in enumerate(picture.high) if each is not None]
    if not known:
        return []
    first = known[0]
    low, high, expected = (
        carried(held[first:]) for held in (picture.low, picture.high, picture.expected)
    )
    quiet: Figure = {"hoverinfo": "skip"}
    return [
        line("Low", names[first:], low, "outlook", 0) | quiet,
        line("High", names[first:], high, "outlook", 0)
        | quiet
        | {"fill": "tonexty", "fillcolor": "role:outlook"},
        line("Expected", names[first:], expected, "text-muted", 1.5, "dot") | quiet,
    ]


def carried(values: Sequence[float | None]) -> list[float]:
    found: list[float] = []
    for each in values:
        held = found[-1] if each is None and found else each or 0.0
        found.append(max(held, 0.0))
    return found


def observed(drawn: Drawn, names: Sequence[str]) -> Figure:
    return line("Observed", names, drawn.picture.actual, "series-1", 2) | {
        "customdata": list(drawn.said),
        "hovertemplate": "Observed  <b>%{customdata}</b><extra></extra>",
    }


def marked(picture: Picture, names: Sequence[str]) -> Figure:
    span = slice(picture.first, picture.last + 1)
    return line("Anomaly", names[span], picture.actual[span], "crit", 2) | {
        "mode": "lines+markers",
        "marker": {"color": "role:crit", "size": 5},
        "hoverinfo": "skip",
    }


def line(
    name: str,
    names: Sequence[str],
    values: Sequence[float | None],
    role: str,
    width: float,
    dash: str = "solid",
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(names),
        "y": list(values),
        "line": {"color": f"role:{role}", "width": width, "dash": dash},
    }


def circled(chart: Chart, names: Sequence[str]) -> Chart:
    """The chart with an open circle on top of each of the named charge periods."""
    if chart.figure is None or not names:
        return chart
    heights = dict.fromkeys(names, 0.0)
    for trace in chart.figure["data"]:
        is_stacked = trace["type"] == "bar"
        for name, value in zip(trace["x"], trace["y"], strict=True):
            if name in heights and value:
                heights[name] = heights[name] + value if is_stacked else max(heights[name], value)
    circles: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": "Anomaly",
        "x": list(heights),
        "y": list(heights.values()),
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {
            "symbol": "circle-open", "size": 14, "color": "role:crit", "line": {"width": 2},
        },
    }  # fmt: skip
    figure = {**chart.figure, "data": [*chart.figure["data"], circles]}
    return replace(chart, figure=figure)
