"""What coarser scales know of a series: an incident that the finer one has got used to.

A runaway of a day and a half is the level of minutes after three hours of it. When it ends, minutes
are not to take the end for a fall, so hours and days tell them what to leave out; days tell hours.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from finops.anomalies import views
from finops.anomalies.gathering import Series
from finops.anomalies.measures import Metric
from finops.anomalies.scales import HOUR, MINUTE, SCALES, Scale
from finops.anomalies.series import Key
from finops.anomalies.views import RANKS, View
from finops.detection import Incident
from finops.models import Anomaly

# What has lasted longer leaves too little of what was before: then falls are judged as they are.
LONGEST = {MINUTE.name: timedelta(days=4), HOUR.name: timedelta(days=21)}
Slot = tuple[str, str]  # series and metric
Known = Mapping[Slot, Sequence[View]]


def known(scale: Scale, end: datetime) -> Known:
    """What is open at a coarser scale, or was in the history that is judged."""
    rows = Anomaly.objects.filter(
        ended_at__gt=end - scale.history, spans__has_any_keys=coarser_than(scale)
    )
    return by_slot(scale, rows.only("series", "metric", "direction", "spans"))


def by_slot(scale: Scale, rows: Iterable[Anomaly]) -> Known:
    """What has become the usual level is left out: that is what is to be learned."""
    found: dict[Slot, list[View]] = defaultdict(list)
    names = coarser_than(scale)
    for row in rows:
        held = {name: row.spans[name] for name in names if name in row.spans}
        for view in views.read(held, row.direction, adds_up=True):
            is_short = view.end - view.start <= LONGEST[scale.name]
            if is_short and (view.is_open or view.has_returned):
                found[row.series, row.metric].append(view)
    return found


def coarser_than(scale: Scale) -> list[str]:
    return [name for name in SCALES if RANKS[name] > RANKS[scale.name]]


def incidents(held: Known, key: Key, metric: Metric, series: Series) -> list[Incident]:
    """By the steps of the series."""
    starts = series.starts()
    found = []
    for view in held.get((key.name, str(metric)), ()):
        first, after = bisect_left(starts, view.start), bisect_left(starts, view.end)
        if first < after:
            found.append(Incident(first, after - 1, view.direction))
    return found
