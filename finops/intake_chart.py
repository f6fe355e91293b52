"""Events per minute as a figure: accepted, duplicates and rejected on top of each other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from finops import charts, formats
from finops.charts import Bucket, Chart, Figure
from finops.periods import local_day

if TYPE_CHECKING:
    from finops.intake import Step, Window

SERIES = (("accepted", "series-1"), ("duplicates", "series-2"), ("rejected", "series-3"))
STEP_WORDS = {"3h": "2 minutes", "24h": "15 minutes", "7d": "2 hours"}


def events_per_minute(steps: list[Step], window: Window, now: datetime, zone: ZoneInfo) -> Chart:
    title = "Events per minute"
    if not steps:
        return Chart(title, None, "No event came in this time.")
    by_start = {step.start: step for step in steps}
    starts = starts_of(window)
    buckets = [bucket(start, window.step, now, zone) for start in starts]
    data = []
    for name, role in SERIES:
        counts = [getattr(by_start[start], name) if start in by_start else 0 for start in starts]
        data.append(series(name, role, counts, buckets, minutes(window, starts, now)))
    top = charts.highest(data)
    layout = charts.layout(buckets, "requests", "", top)
    if top < charts.TICKS:
        layout["yaxis"]["tickformat"] = ".2~f"
    figure: Figure = {"data": data, "layout": layout}
    legend = tuple((role, name.capitalize()) for name, role in SERIES)
    return Chart(f"{title}, steps of {STEP_WORDS[window.name]}", figure, legend=legend)


def starts_of(window: Window) -> list[datetime]:
    count = round((window.end - window.start) / window.step)
    return [window.start + number * window.step for number in range(count)]


def minutes(window: Window, starts: list[datetime], now: datetime) -> list[float]:
    """How long each step has lasted; the last one is still running."""
    return [max(min(window.step, now - start).total_seconds() / 60, 1.0) for start in starts]


def bucket(start: datetime, step: timedelta, now: datetime, zone: ZoneInfo) -> Bucket:
    local = start.astimezone(zone)
    date = formats.day(local.date(), local_day(now, zone))
    is_filling = start <= now < start + step
    name = f"{date}, {local:%H:%M %Z}" + (", so far" if is_filling else "")
    return Bucket(
        start, name, date if f"{local:%H:%M}" == "00:00" else f"{local:%H:%M}", is_filling
    )


def series(
    name: str, role: str, counts: list[int], buckets: list[Bucket], lasted: list[float]
) -> Figure:
    per_minute = [count / length for count, length in zip(counts, lasted, strict=True)]
    return {
        "type": "bar",
        "name": name.capitalize(),
        "x": [each.name for each in buckets],
        "y": per_minute,
        "customdata": [
            f"{formats.count_short(rate)}</b> a minute, {formats.count_long(count)} in all<b>"
            for rate, count in zip(per_minute, counts, strict=True)
        ],
        "meta": name.capitalize(),
        "hovertemplate": "%{meta}  <b>%{customdata}</b><extra></extra>",
        "marker": {"color": f"role:{role}"},
    }
