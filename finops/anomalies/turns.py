"""One turn of judging: what is complete since the last one is read, judged, kept and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from finops.anomalies import (
    arrivals,
    causes,
    coarser,
    incidents,
    keeping,
    planning,
    severities,
    telling,
)
from finops.anomalies.findings import Judged, judge_series
from finops.anomalies.gathering import Gathered, of_long, of_minutes
from finops.anomalies.measures import BY_SCALE, Metric
from finops.anomalies.minutes import Minutes
from finops.anomalies.scales import SCALES, Scale
from finops.anomalies.series import Key
from finops.costs import read_freshness, snapshot
from finops.locks import Lock, alone
from finops.models import Anomaly, AnomalyTurn
from finops.rollups import refuse_other_zone

# So many series at least are judged in a turn, however little time there is.
LEAST = 5
# Minutes after which every metric of a series has been judged.
TURNS = 4


@dataclass(slots=True)
class Memory:
    """What a worker has read already, and, of each scale whose turn ran out of time, its end and
    what it has judged."""

    minutes: Minutes = field(default_factory=Minutes)
    pasts: dict[str, arrivals.Past] = field(default_factory=dict)  # by scale
    begun: dict[str, tuple[datetime, set[Key]]] = field(default_factory=dict)

    def judged_of(self, name: str, end: datetime) -> set[Key]:
        held = self.begun.get(name)
        return held[1] if held and held[0] == end else set()


@dataclass(slots=True)
class Report:
    """What one call did; `scales` are those that had something new to judge."""

    scales: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    alerts: int = 0
    busy: bool = False


def judge(
    now: datetime,
    zone: ZoneInfo,
    memory: Memory,
    has_time: Callable[[], bool] = lambda: True,
) -> Report:
    """Judge every scale that has a complete step which was not judged yet.

    Nothing is judged that is not in the figures: where they are stale it waits, and where usage of
    the past still comes in. What there was no time for is judged by the next call. Any number of
    workers may call it; one of them judges. Raises rollups.ZoneChanged.
    """
    report = Report()
    with alone(Lock.ANOMALIES) as is_alone:
        if not is_alone:
            return Report(busy=True)
        known = known_to(now, zone)
        if known is None:
            return report
        counts = arrivals.Counts(zone)
        former = dict(AnomalyTurn.objects.values_list("scale", "judged_to"))
        for name, scale in SCALES.items():
            end = scale.end(known, zone)
            past = memory.pasts.get(name)
            if past and past.has_grown(counts):
                continue
            is_known = name in former and end <= former[name]
            if is_known and past and past.is_judged:
                continue
            present = arrivals.past(end, counts)
            # Judged by another worker, or never: then the past may be coming in just now.
            if not past and (is_known or name not in former):
                memory.pasts[name] = present
                continue
            judged = judge_scale(scale, end, zone, memory, has_time)
            record(judged, end, now, report)
            memory.pasts[name] = present
            if judged.is_cut:
                memory.begun[name] = (end, judged.series)
            else:
                memory.begun.pop(name, None)
        if report.scales:
            tell(now, zone, report, has_time)
    return report


def known_to(now: datetime, zone: ZoneInfo) -> datetime | None:
    """Up to when everything is in the figures; None before the first event."""
    with snapshot() as cursor:
        refuse_other_zone(cursor, zone)
        upto = read_freshness(cursor).rolled_up_to
    return None if upto is None else min(upto, now)


def judge_scale(
    scale: Scale, end: datetime, zone: ZoneInfo, memory: Memory, has_time: Callable[[], bool]
) -> Judged:
    judged, plans = Judged(scale), planning.plans(end - scale.history)
    wanted, before = open_keys(), memory.judged_of(scale.name, end)
    known = coarser.known(scale, end)
    judged.series |= before
    for part in parts(scale, end, zone, memory, wanted):
        judged.left_out += part.left_out
        for problem in part.problems or ():
            judged.notes[problem] += 1
        for series in part.series:
            if series.key in judged.series:
                continue
            if not has_time() and len(judged.series) >= len(before) + LEAST:
                judged.is_cut = True
                return judged
            metrics = metrics_of(scale, end, len(judged.series), is_open=series.key in wanted)
            judge_series(judged, series, end, plans, metrics, known)
    return judged


def metrics_of(scale: Scale, end: datetime, place: int, *, is_open: bool) -> Sequence[Metric]:
    """Cost in every minute; the other metrics in turn, where nothing is open, as each judgement of
    two days of minutes takes some 30 ms of a processor."""
    minute = int(end.timestamp()) // 60
    if scale.name != "minute" or is_open or (minute + place) % TURNS == 0:
        return BY_SCALE[scale.name]
    return (Metric.COST,)


def parts(
    scale: Scale, end: datetime, zone: ZoneInfo, memory: Memory, wanted: set[Key]
) -> Iterator[Gathered]:
    if scale.name != "minute":
        yield from of_long(scale, end, zone)
        return
    with snapshot() as cursor:
        memory.minutes.refresh(cursor, end)
    yield of_minutes(memory.minutes, end, wanted)


def open_keys() -> set[Key]:
    """The series in which something is open."""
    rows = Anomaly.objects.filter(closed_at=None).values_list("filters", flat=True)
    return {Key.of(filters) for filters in rows}


def record(judged: Judged, end: datetime, now: datetime, report: Report) -> None:
    """All of it or nothing: what a worker that is killed has judged is judged again."""
    thresholds = severities.in_force()
    with transaction.atomic():
        kept = keeping.keep(judged, thresholds, now)
        # What is judged in part is not judged yet: what was the time before stands until it is.
        turn = {
            "judged_to": end - judged.scale.step if judged.is_cut else end,
            "judged_at": now,
            "series": len(judged.series),
            "left_out": judged.left_out,
            "notes": dict(judged.notes.most_common(20)),
        }
        AnomalyTurn.objects.update_or_create(
            scale=judged.scale.name,
            defaults={"judged_at": now} if judged.is_cut else turn,
            create_defaults=turn,
        )
        incidents.regroup(now)
    report.scales.append(judged.scale.name)
    report.opened, report.closed = report.opened + kept.opened, report.closed + kept.closed


def tell(now: datetime, zone: ZoneInfo, report: Report, has_time: Callable[[], bool]) -> None:
    """What a worker that is killed before has not told is told by the next turn."""
    thresholds = severities.in_force()
    causes.look(thresholds, zone, now, has_time)
    with transaction.atomic():
        report.alerts += telling.tell(thresholds, now)
