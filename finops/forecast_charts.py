"""A forecast as a figure: what days cost, and the expected line with its band from low to high.
Roles stand for colours, as in finops.charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops import charts, formats
from finops.charts import Bucket, Chart, Figure
from finops.forecasts import DayAhead, Outlook
from finops.periods import start_of_day

KNOWN, AHEAD = "series-1", "outlook"
# As much of the past as of the days ahead is looked at, at most.
KNOWN_DAYS = 56
HEADROOM = 1.1


@dataclass(frozen=True, slots=True)
class Drawn:
    """`spent` is what today has cost so far."""

    outlook: Outlook
    today: date
    spent: Decimal
    zone: ZoneInfo
    currency: str
    until: date


def forecast_chart(drawn: Drawn, title: str) -> Chart:
    known = list(drawn.outlook.known)[-KNOWN_DAYS:]
    ahead = [each for each in drawn.outlook.days if each.day < drawn.until]
    if not known and not ahead:
        return Chart(title, None, "There is no usage to draw yet.")
    places = [day for day, _ in known]
    places += [drawn.today, *(each.day for each in ahead if each.day > drawn.today)]
    buckets = [bucket(day, drawn) for day in dict.fromkeys(places)]
    names = {each.start: each.name for each in buckets}
    bars = [*(amount for _, amount in known), drawn.spent]
    data = [bar(drawn, buckets[: len(bars)], bars)]
    legend = [(KNOWN, "Cost")]
    if ahead:
        x = [names[start_of_day(each.day, drawn.zone)] for each in ahead]
        data += lines(drawn, x, ahead)
        legend.append((AHEAD, "Forecast, from low to high"))
    top = charts.highest(data) * HEADROOM or 1.0
    layout = charts.layout(buckets, "effective_cost", drawn.currency, top)
    layout["yaxis"] |= {"range": [0, top], "autorange": False}
    return Chart(title, {"data": data, "layout": layout}, legend=tuple(legend))


def bucket(day: date, drawn: Drawn) -> Bucket:
    text = formats.day(day, drawn.today)
    is_today = day == drawn.today
    name = f"{day:%a} {text}{', today' if is_today else ''}"
    return Bucket(start_of_day(day, drawn.zone), name, text, is_today)


def bar(drawn: Drawn, buckets: Sequence[Bucket], values: Sequence[Decimal]) -> Figure:
    return {
        "type": "bar",
        "name": "Cost",
        "x": [each.name for each in buckets],
        "y": [max(float(each), 0.0) for each in values],
        "customdata": [formats.money_long(each, drawn.currency) for each in values],
        "hovertemplate": "Cost  <b>%{customdata}</b><extra></extra>",
        "marker": {
            "color": f"role:{KNOWN}",
            "line": {"color": "role:surface", "width": 1},
            "pattern": {
                "shape": ["/" if each.is_partial else "" for each in buckets],
                "fillmode": "overlay",
                "fgcolor": "role:surface",
                "size": 6,
                "solidity": 0.4,
            },
        },
    }


def lines(drawn: Drawn, x: list[str], ahead: Sequence[DayAhead]) -> list[Figure]:
    """The band, then what is expected within it."""

    def line(name: str, values: Sequence[Decimal], role: str, width: float) -> Figure:
        return {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": x,
            "y": [float(each) for each in values],
            "line": {"color": f"role:{role}", "width": width, "dash": "solid"},
            "hoverinfo": "skip",
        }

    said = [
        f"{formats.money_long(each.expected, drawn.currency)}</b> "
        f"({formats.money_long(each.low, drawn.currency)} – "
        f"{formats.money_long(each.high, drawn.currency)})<b>"
        for each in ahead
    ]
    expected = line("Forecast", [each.expected for each in ahead], KNOWN, 1.5)
    del expected["hoverinfo"]
    return [
        line("Low", [each.low for each in ahead], AHEAD, 0),
        line("High", [each.high for each in ahead], AHEAD, 0)
        | {"fill": "tonexty", "fillcolor": f"role:{AHEAD}"},
        expected
        | {"customdata": said, "hovertemplate": "Forecast  <b>%{customdata}</b><extra></extra>"},
    ]
