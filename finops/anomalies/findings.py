"""Judges series: what detection finds in them becomes findings with their moments and money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finops import detection
from finops.anomalies import coarser, pictures
from finops.anomalies.excuses import excuses
from finops.anomalies.gathering import Series
from finops.anomalies.measures import SUMMED, Metric, Step, impact, summed, together
from finops.anomalies.planning import Plan
from finops.anomalies.scales import Scale
from finops.anomalies.series import Key
from finops.detection import Episode, Expectation

Slot = tuple[Key, Metric]
# How many alarms chance may raise in a month of one series where it is not about its cost: there
# are many such metrics, and what matters of them is in the cost.
SECONDARY_ALARMS = 0.1
UNPRICED = "more than a tenth of its requests have no price: its cost is not judged"
EXCUSED = "a planned event excuses what they do now"
# What was ordinary for so long is over, however high the windows that it is judged in still are; so
# is what nothing is known of any more.
STILL = {"minute": timedelta(minutes=15), "hour": timedelta(hours=3), "day": timedelta(days=1)}
# By so many steps after its end it is told whether usage went back.
MOST_AFTER = 30
DIGITS = Decimal(1).scaleb(-12)


@dataclass(frozen=True, slots=True)
class Finding:
    """One episode of one series at one scale. `ended_at` is the end of its last step."""

    key: Key
    metric: Metric
    scale: str
    started_at: datetime
    ended_at: datetime
    is_open: bool
    kind: str
    direction: int
    surprise: float
    reason: str
    actual: Decimal
    expected: Decimal
    impact: Decimal | None
    picture: dict[str, Any]
    has_returned: bool = True  # to what it was before, rather than being the new level


@dataclass(slots=True)
class Judged:
    """What a turn has judged. `notes` count series by why they could not be."""

    scale: Scale
    slots: set[Slot] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    series: set[Key] = field(default_factory=set)
    left_out: int = 0
    is_cut: bool = False  # there was no time for the rest


def judge_series(
    judged: Judged,
    series: Series,
    end: datetime,
    plans: Sequence[Plan],
    metrics: Sequence[Metric],
    known: coarser.Known,
) -> None:
    """Add every episode of the last steps, and of those that are open however long they last.

    All of the series is judged each time: where to begin says what is found. `known` is what the
    next coarser scale knows.
    """
    scale = judged.scale
    excused = excuses(series, end, plans)
    judged.series.add(series.key)
    for metric in metrics:
        slot = (series.key, metric)
        values = series.values(metric)
        is_sum = metric in SUMMED
        held = detection.judge(
            detection.Series(
                series.start, scale.step, excused.relieved(values) if is_sum else values
            ),
            known=excused.known if is_sum else [*excused.known, *excused.planned()],
            alarms_per_month=None if metric == Metric.COST else SECONDARY_ALARMS,
            incidents=coarser.incidents(known, series.key, metric, series),
        )
        judged.slots.add(slot)
        if metric == Metric.COST and excused.holds_last(len(values)):
            judged.notes[EXCUSED] += 1
        elif metric == Metric.COST and (note := UNPRICED if values[-1] is None else held.note):
            judged.notes[note] += 1
        expectation = (
            excused.restored(held.expectation, len(values)) if is_sum else (held.expectation)
        )
        for episode in held.episodes:
            found = finding(series, metric, scale, end, values, episode, expectation)
            if found and (found.is_open or found.ended_at > end - scale.judged):
                judged.findings.append(found)


def finding(
    series: Series,
    metric: Metric,
    scale: Scale,
    end: datetime,
    values: Sequence[float | None],
    episode: Episode,
    expectation: Expectation,
) -> Finding | None:
    """None where nothing is known of what was expected."""
    steps = series.steps(episode.first, episode.last)
    expected = expected_of(expectation, episode, len(series))
    both = together(metric, steps, expected)
    if both is None:
        return None
    actual, wanted = both[0], both[1].quantize(DIGITS)
    ended_at = instant_of(series, end, episode.last + 1)
    return Finding(
        key=series.key,
        metric=metric,
        scale=scale.name,
        started_at=instant_of(series, end, episode.first),
        ended_at=ended_at,
        is_open=episode.is_open and ended_at > end - STILL[scale.name],
        kind=episode.kind,
        direction=1 if episode.direction > 0 else -1,
        surprise=episode.surprise,
        reason=episode.reason,
        actual=actual,
        expected=wanted,
        impact=money(metric, steps, actual, wanted),
        picture=pictures.taken(series.starts(), scale, values, episode, expectation),
        has_returned=has_returned(values, episode, expected),
    )


def money(
    metric: Metric, steps: Sequence[Step], actual: Decimal, wanted: Decimal
) -> Decimal | None:
    """The impact: of cost to the last digit, of what else there is to the twelfth."""
    found = impact(metric, summed(steps), actual, wanted)
    return found if found is None or metric == Metric.COST else found.quantize(DIGITS)


def has_returned(
    values: Sequence[float | None], episode: Episode, expected: Sequence[float | None]
) -> bool:
    """Whether what came after is nearer to what was expected as it began than to what it was."""
    usual = next((each for each in expected if each is not None), None)
    during, after = (
        [each for each in part if each is not None]
        for part in (
            values[episode.first : episode.last + 1],
            values[episode.last + 1 : episode.last + 1 + MOST_AFTER],
        )
    )
    if usual is None or not during or not after:
        return True
    level = sum(during) / len(during)
    return abs(sum(after) / len(after) - usual) <= abs(level - usual) / 2


def expected_of(expectation: Expectation, episode: Episode, length: int) -> list[float | None]:
    """Of the steps of the episode; what is said of fewer steps than there are is of the last."""
    shift = length - len(expectation.expected)
    return [
        expectation.expected[at - shift] if at >= shift else None
        for at in range(episode.first, episode.last + 1)
    ]


def instant_of(series: Series, end: datetime, number: int) -> datetime:
    """When step `number` begins."""
    return end if number >= len(series) else series.starts()[number]
