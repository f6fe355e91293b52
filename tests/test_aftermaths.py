"""What follows an incident is judged by what was before it, and a shift that lasts is learned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from finops.anomalies import coarser, wording
from finops.anomalies.gathering import LongSeries
from finops.anomalies.measures import Metric, Step
from finops.anomalies.scales import DAY, HOUR, MINUTE
from finops.anomalies.series import Key
from finops.detection import Episode, Incident, judge
from finops.models import Anomaly
from tests.test_detection import days, hours, minutes, series

START = 22 * 24 + 9
AT = datetime(2026, 10, 15, 10, 3, tzinfo=UTC)


def found(
    step: timedelta, values: np.ndarray, incidents: Sequence[Incident] | None = ()
) -> list[Episode]:
    return list(judge(series(step, values), incidents=incidents).episodes)


def falls(episodes: Sequence[Episode], since: int) -> list[Episode]:
    return [each for each in episodes if each.first >= since and each.direction < 0]


def runaway(length: int, more: float, seed: int = 1) -> np.ndarray:
    values = hours(5, seed=seed)[: START + length + 72]
    values[START : START + length] += more
    return values


def test_the_end_of_a_day_of_runaway_is_no_fall() -> None:
    values = runaway(24, 150)
    assert falls(found(HOUR.step, values, None), START)
    [rise] = [each for each in found(HOUR.step, values) if each.first >= START]
    assert (rise.first, rise.last, rise.direction) == (START, START + 23, 1)


def test_one_that_hours_got_used_to_is_known_by_days() -> None:
    values = runaway(48, 60)
    assert falls(found(HOUR.step, values), START)
    known = [Incident(START - 9, START + 47, 1)]
    assert not falls(found(HOUR.step, values, known), START)


def test_what_stops_after_an_incident_is_a_fall_by_what_was_before() -> None:
    values = runaway(24, 150)
    values[START + 34 : START + 48] = 0
    [fall] = falls(found(HOUR.step, values), START)
    assert START + 34 <= fall.first <= fall.found <= START + 40


def test_where_nothing_is_left_of_what_was_before_nothing_is_said() -> None:
    values = minutes(2820)
    values[:2300] *= 6
    assert not falls(found(MINUTE.step, values, [Incident(0, 2299, 1)]), 2290)


def test_a_shift_that_lasts_is_found_once_learned_and_its_end_is_news() -> None:
    values = days()
    values[140:165] *= 2
    episodes = [each for each in found(DAY.step, values) if each.first >= 140]
    [rise] = [each for each in episodes if each.direction > 0]
    assert (rise.first, rise.is_open) == (140, False)
    assert 147 <= rise.last < 160
    assert falls(episodes, 165)


@pytest.mark.parametrize(
    ("scale", "length", "is_open", "returned", "is_known"),
    [
        ("hour", timedelta(hours=30), True, True, True),
        ("hour", timedelta(hours=30), False, True, True),
        ("hour", timedelta(hours=30), False, False, False),  # learned: what is to be expected
        ("day", timedelta(days=2), True, True, True),
        ("day", timedelta(days=9), True, True, False),
        ("minute", timedelta(hours=3), True, True, False),
    ],
)
def test_coarser_scales_tell_the_minutes_what_to_leave_out(
    scale: str, length: timedelta, is_open: bool, returned: bool, is_known: bool
) -> None:
    key, zero = Key.of({"team": "cx"}), {"actual": "9", "expected": "1", "impact": "8"}
    part = {"from": AT.isoformat(), "to": (AT + length).isoformat(), **zero}
    view = {"open": is_open, "returned": returned, "kind": "shift", "reason": "", "surprise": 3}
    row = Anomaly(
        series=key.name,
        metric=Metric.COST,
        direction=1,
        spans={scale: view | {"parts": [part]}},
    )
    begins: list[datetime] = [AT + MINUTE.step * at for at in range(-60, 600)]
    held = LongSeries(key, begins, [Step()] * len(begins))
    told = coarser.incidents(coarser.by_slot(MINUTE, [row]), key, Metric.COST, held)
    last = 60 + min(length // MINUTE.step, 600) - 1
    assert told == ([Incident(60, last, 1)] if is_known else [])


@pytest.mark.parametrize(
    ("kind", "returned", "hours", "state"),
    [
        ("shift", False, 40, "new level"),
        ("shift", True, 40, "over"),
        ("shift", False, 5, "over"),
        ("spike", False, 40, "over"),
    ],
)
def test_what_has_lasted_and_stays_is_a_new_level(
    kind: str, returned: bool, hours: int, state: str
) -> None:
    held = Anomaly(
        scale="hour",
        kind=kind,
        spans={"hour": {"returned": returned}},
        started_at=AT,
        ended_at=AT + timedelta(hours=hours),
    )
    assert wording.state(held) == "open"
    held.closed_at = AT
    assert wording.state(held) == state
