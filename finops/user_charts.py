"""The Pareto curve of users as a figure. Roles stand for colours, as in finops.charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from finops import charts, formats
from finops.charts import Bucket, Chart, Figure

CURVE, EVEN, MEDIAN, HIGH = "series-1", "previous", "text-muted", "series-3"
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """The `users` that cost most, and what they cost together."""

    users: int
    cost: Decimal


def pareto(steps: Sequence[Step], title: str, currency: str, marked: Sequence[int]) -> Chart:
    """Which part of the cost which part of users makes; `marked` are the percents of users that are
    named on the curve."""
    if not steps or steps[-1].cost <= 0:
        return Chart(title, None, "No user's requests cost anything, so there is nothing to share.")
    users, whole = steps[-1].users, steps[-1].cost
    held = [Step(0, Decimal(0)), *steps]
    names = [name_of(step, users) for step in held]
    buckets = [
        Bucket(NO_TIME, name, f"{step.users * 100 / users:.0f}{formats.SPACE}%", is_partial=False)
        for name, step in zip(names, held, strict=True)
    ]
    shares = [float(step.cost / whole * 100) for step in held]
    notes = {
        next(n for n, step in enumerate(held) if step.users * 100 >= percent * users): percent
        for percent in reversed(marked)
    }
    curve = {
        **line("All users", names, shares, CURVE, 2.5),
        "mode": "lines+text",
        "text": [
            f"{notes[n]}{formats.SPACE}%: {share:.0f}{formats.SPACE}%" if n in notes else ""
            for n, share in enumerate(shares)
        ],
        # The curve is above, and the names of the axis beside it.
        "textposition": "bottom right",
        "textfont": {"color": "role:text", "size": 12},
        "customdata": [
            f"{share:.1f}{formats.SPACE}%, {formats.money_long(step.cost, currency)}"
            for share, step in zip(shares, held, strict=True)
        ],
        "hovertemplate": "of the cost  <b>%{customdata}</b><extra></extra>",
    }
    even = {
        **line("If all cost the same", names, [s.users / users * 100 for s in held], MEDIAN, 1.5),
        "hoverinfo": "skip",
    }
    even["line"] |= {"dash": "dot"}
    layout = charts.layout(buckets, "requests", "", 100.0)
    layout["yaxis"] |= {"range": [0, 110], "autorange": False, "ticksuffix": f"{formats.SPACE}%"}
    layout["margin"]["r"] = 24  # half of the last tick's name
    layout["xaxis"] |= {"tickvals": names[::10], "ticktext": [b.tick for b in buckets][::10]}
    if len(held) <= 12:
        layout["xaxis"] |= {"tickvals": names, "ticktext": [b.tick for b in buckets]}
    legend = ((CURVE, "Cost of the users that cost most"), (EVEN, "If all cost the same"))
    return Chart(title, {"data": [even, curve], "layout": layout}, legend=legend)


def name_of(step: Step, users: int) -> str:
    if not step.users:
        return "No users"
    return (
        f"Top {formats.count_long(step.users)} of {formats.count_long(users)} users "
        f"({formats.share_short(step.users, users)})"
    )


def with_peers(chart: Chart, median: Decimal, high: Decimal, currency: str) -> Chart:
    """The same chart of one user with what peers come to in a step, as two lines: the median user,
    and the one that 95 of 100 stay below."""
    if chart.figure is None:
        return chart
    names = chart.figure["layout"]["xaxis"]["categoryarray"]
    lines = [
        peer_line(f"{label}, on average", names, amount, role, currency)
        for label, amount, role in (("Median user", median, MEDIAN), ("95th of 100", high, HIGH))
    ]
    data = [*chart.figure["data"], *lines]
    layout = chart.figure["layout"]
    top = charts.highest(data)
    layout["yaxis"] |= charts.value_ticks("effective_cost", currency, top)
    legend = (("series-1", "This user"), (HIGH, "95 of 100 users stay below, on average"))
    return Chart(
        chart.title,
        {"data": data, "layout": layout},
        legend=(*legend, ("previous", "This user before; the median user, dashed")),
    )


def peer_line(name: str, names: Sequence[str], amount: Decimal, role: str, currency: str) -> Figure:
    found = line(name, names, [float(amount)] * len(names), role, 1.5)
    found["line"] |= {"dash": "dash"}
    said = formats.money_long(amount, currency)
    return found | {
        "customdata": [said] * len(names),
        "hovertemplate": f"{name}  <b>%{{customdata}}</b><extra></extra>",
    }


def line(
    name: str, names: Sequence[str], values: Sequence[float], role: str, width: float
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(names),
        "y": list(values),
        "line": {"color": f"role:{role}", "width": width},
    }
